import { EngineError } from '../duckdb.ts';

type Describe = (match: RegExpExecArray, where: (column: string) => string) => string;

/** What DuckDB's casts call the types that they could not make. */
const sqlNames: Readonly<Record<string, string>> = {
  INT64: 'BIGINT',
  INT32: 'INTEGER',
  INT16: 'SMALLINT',
  INT8: 'TINYINT',
};

/** DuckDB's messages and Athena's for the same mistake. The first that fits is told. */
const wordings: readonly (readonly [RegExp, Describe])[] = [
  // From functions.sql: already Athena's.
  [/^Invalid Input Error: ([A-Z_]+: .*)/, ([, message = '']) => message],
  [/Could not convert string '([A-Z_]+: .*)' to/, ([, message = '']) => message],
  [
    /does not have a column named "(.+?)"/,
    ([, column = ''], where) => `SYNTAX_ERROR: ${where(column)}: Column '${column}' cannot be resolved`,
  ],
  [
    /Referenced (?:column|table) "(.+?)" (?:was )?not found/,
    ([, name = ''], where) => `SYNTAX_ERROR: ${where(name)}: Column '${name}' cannot be resolved`,
  ],
  [
    /Ambiguous reference to column name "(.+?)"/,
    ([, column = ''], where) => `SYNTAX_ERROR: ${where(column)}: Column '${column}' is ambiguous`,
  ],
  [
    /column "?(.+?)"? must appear in the GROUP BY clause/,
    ([, column = ''], where) =>
      `SYNTAX_ERROR: ${where(column)}: '${column}' must be an aggregate expression or appear in GROUP BY clause`,
  ],
  [
    /(?:Macro|argument types|Function with name) ["']?(?:trino_|operator_)?(\w+)/,
    ([, name = '']) => `SYNTAX_ERROR: Unexpected parameters for function ${name}`,
  ],
  [
    /Cannot (?:compare|mix) values of type (\w+) and (?:type )?(\w+)/,
    ([, left = '', right = '']) => `TYPE_MISMATCH: Cannot compare ${left.toLowerCase()} with ${right.toLowerCase()}`,
  ],
  [
    /^Conversion Error: Could not convert string '(.*)' to (\w+)/,
    ([, text = '', type = '']) => `INVALID_CAST_ARGUMENT: Cannot cast '${text}' to ${sqlNames[type] ?? type}`,
  ],
  [/^Conversion Error: (.*)/, ([, message = '']) => `INVALID_CAST_ARGUMENT: ${message}`],
  [/^Out of Range Error: (.*)/, ([, message = '']) => `NUMERIC_VALUE_OUT_OF_RANGE: ${message}`],
  [/^Out of Memory Error/, () => 'EXCEEDED_LOCAL_MEMORY_LIMIT: Query exceeded the memory of the local Athena'],
  [
    /Malformed JSON.*?(s3:\/\/[^\s"]+)/,
    ([, file = '']) => `HIVE_CURSOR_ERROR: Row is not a valid JSON Object in ${file}`,
  ],
  [/^.*?Error: (.*s3:\/\/.*)/, ([, message = '']) => `HIVE_BAD_DATA: ${message}`],
  [/^(?:Binder|Parser|Catalog) Error: (.*)/, ([, message = '']) => `SYNTAX_ERROR: ${message}`],
  [/^(.*)/, ([, message = '']) => `GENERIC_INTERNAL_ERROR: ${message}`],
];

export interface ErrorContext {
  /** `line 1:8` by column in lower case. */
  readonly columnPositions: ReadonlyMap<string, string>;
  /** What a local file is called outside. */
  readonly uriOf: (path: string) => string | undefined;
}

const unknownContext: ErrorContext = { columnPositions: new Map(), uriOf: () => undefined };

/** Why a statement failed, in Athena's words, on one line and without a path of this machine. */
export function trinoReason(error: unknown, { columnPositions, uriOf }: ErrorContext = unknownContext): string {
  if (!(error instanceof EngineError)) return 'GENERIC_INTERNAL_ERROR: The local Athena failed; its log says why';
  const [line = ''] = error.message.split('\n');
  const message = line.replaceAll(/\/[^\s"']+/g, path => uriOf(path) ?? (/^\/\w+\//.test(path) ? 'a file' : path));
  const where = (column: string) => columnPositions.get(column.toLowerCase()) ?? 'line 1:1';
  for (const [pattern, describe] of wordings) {
    const match = pattern.exec(message);
    if (match) return describe(match, where);
  }
  return message;
}
