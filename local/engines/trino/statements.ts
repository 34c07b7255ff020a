import type { CatalogTable, Ports } from './catalog.ts';
import { literal } from './lake.ts';
import { lakeTable } from './partitions.ts';
import { type QueryContext, viewDefinition, withQuery } from './query.ts';
import { TrinoError } from './text.ts';
import { athenaType, hiveType, parseType, textOf } from './values.ts';

export interface ResultColumn {
  readonly name: string;
  readonly type: string;
  readonly precision?: number | undefined;
  readonly scale?: number | undefined;
}

export interface Outcome {
  readonly columns: readonly ResultColumn[];
  readonly scannedBytes: number;
  /** Tab-separated values of a metadata statement; a SELECT's rows are in the context's file. */
  readonly lines?: readonly string[];
}

export interface StatementContext extends QueryContext {
  /** Where a SELECT's rows go, as CSV. */
  readonly file: string;
}

export interface Statement {
  readonly type: 'DML' | 'DDL' | 'UTILITY';
  readonly substatement: string;
  readonly run: (ports: Ports, context: StatementContext) => Promise<Outcome> | Outcome;
}

/** A statement with what its pattern found in it. */
interface Parsed {
  readonly ports: Ports;
  readonly context: StatementContext;
  readonly found: Readonly<Record<string, string | undefined>>;
}

const named = '(?:["`]?(?<db>\\w+)["`]?\\.)?["`]?(?<name>\\w+)["`]?';
const inDatabase = '(?:\\s+(?:in|from)\\s+["`]?(?<db>\\w+)["`]?)?';
const like = "(?:\\s+(?:like\\s+)?'(?<like>[^']*)')?";

/** https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html */
const forms: readonly (readonly [
  string,
  Statement['type'],
  string,
  (statement: Parsed) => Promise<Outcome> | Outcome,
])[] = [
  ['(?<sql>(?:select\\b|with\\b|values\\b|table\\b|\\().*)', 'DML', 'SELECT', select],
  ['explain\\s+(?!analyze\\b)(?<sql>.*)', 'UTILITY', 'EXPLAIN', explain],
  [`show\\s+(?:databases|schemas)${like}`, 'UTILITY', 'SHOW_DATABASES', showDatabases],
  [`show\\s+tables${inDatabase}${like}`, 'UTILITY', 'SHOW_TABLES', showTables],
  [`show\\s+views${inDatabase}${like}`, 'UTILITY', 'SHOW_VIEWS', showViews],
  [`show\\s+columns\\s+(?:in|from)\\s+${named}`, 'UTILITY', 'SHOW_COLUMNS', showColumns],
  [`show\\s+partitions\\s+${named}`, 'UTILITY', 'SHOW_PARTITIONS', showPartitions],
  [`show\\s+create\\s+view\\s+${named}`, 'UTILITY', 'SHOW_CREATE_VIEW', showCreateView],
  [`desc(?:ribe)?\\s+(?:(?:extended|formatted)\\s+)?${named}`, 'UTILITY', 'DESCRIBE_TABLE', describe],
  [`create\\s+(?<replace>or\\s+replace\\s+)?view\\s+${named}\\s+as\\s+(?<sql>.*)`, 'DDL', 'CREATE_VIEW', createView],
  [`drop\\s+view\\s+(?<quietly>if\\s+exists\\s+)?${named}`, 'DDL', 'DROP_VIEW', dropView],
];

const rowChange = /^\s*(delete|update|merge)\b/i;
const elsewhere =
  /^\s*(unload|insert|(?:create|drop)\s+(?:table|external\s+table|database|schema)|alter|msck|prepare|execute|deallocate|vacuum|optimize|show\s+create\s+table|show\s+tblproperties|explain\s+analyze)\b/i;
const quotedName =
  /^\s*(?:create\s+(?:or\s+replace\s+)?view|drop\s+view(?:\s+if\s+exists)?|desc(?:ribe)?|show\s+(?:columns|partitions|tables|views)\s+(?:in|from)|show\s+create\s+view)\s+(?:["`]?\w+["`]?\.)?("[^"]*"|`[^`]*`)/i;

/** The statement that a text holds. Throws TrinoError where Athena, or the local one, has none such. */
export function statementOf(sql: string): Statement {
  // Blanks for comments, so that what follows keeps its place.
  const text = sql.replace(/^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, blank).replace(/[\s;]+$/, '');
  for (const [pattern, type, substatement, run] of forms) {
    const match = new RegExp(`^\\s*${pattern}$`, 'dis').exec(text);
    if (!match) continue;
    const begin = match.indices?.groups?.sql?.[0] ?? 0;
    const found = { ...match.groups, sql: blank(text.slice(0, begin)) + text.slice(begin) };
    return { type, substatement, run: (ports, context) => run({ ports, context, found }) };
  }
  if (rowChange.test(text)) throw new TrinoError('NOT_SUPPORTED: Modifying Hive table rows is not supported');
  const verb = elsewhere.exec(text)?.[1]?.toUpperCase().replace(/\s+/g, ' ');
  if (verb)
    throw new TrinoError(`NOT_SUPPORTED: The local Athena does not do ${verb}; AWS does. It reads, and makes views`);
  const name = quotedName.exec(text)?.[1];
  if (name && /\W/.test(name.slice(1, -1)))
    throw new TrinoError(`NOT_SUPPORTED: The local Athena takes only letters, digits and _ in a name, not ${name}`);
  throw new TrinoError(`line 1:1: mismatched input '${/^\s*(\w+|\S?)/.exec(text)?.[1]}'`);
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

function select({ ports, context, found }: Parsed): Promise<Outcome> {
  return withQuery(ports, found.sql ?? '', context, async ({ sql, columns, scannedBytes }) => {
    const types = columns.map(column => parseType(column.type));
    const header = columns.map(({ name }, index) => `${literal(name)} AS c${index}`);
    const texts = types.map((type, index) => textOf(type, `c${index}`));
    const rows = `SELECT ${texts} FROM (${sql}) AS result(${columns.map((_, index) => `c${index}`)})`;
    const format = '(FORMAT csv, HEADER false, FORCE_QUOTE *, USE_TMP_FILE false)';
    const copy = `COPY (SELECT ${header} UNION ALL ${rows}) TO ${literal(context.file)} ${format}`;
    await ports.duckdb.run(copy, context.signal ? { signal: context.signal } : {});
    return {
      columns: types.map((type, index) => ({ ...type, name: columns[index]?.name ?? '', type: athenaType(type) })),
      scannedBytes,
    };
  });
}

function explain({ ports, context, found }: Parsed): Promise<Outcome> {
  return withQuery(ports, found.sql ?? '', context, async ({ plan }) => lines(['Query Plan'], plan.split('\n')));
}

function lines(columns: readonly string[], values: readonly string[]): Outcome {
  return { columns: columns.map(name => ({ name, type: 'string' })), scannedBytes: 0, lines: values };
}

function matching({ found }: Parsed, names: readonly string[]): string[] {
  const pattern = new RegExp(`^(${(found.like ?? '*').replaceAll('*', '.*')})$`, 'i');
  return names.filter(name => pattern.test(name)).sort();
}

function databaseOf({ context, found }: Parsed): string {
  return (found.db ?? context.database).toLowerCase();
}

function tableOf(statement: Parsed): CatalogTable {
  const [database, name] = [databaseOf(statement), statement.found.name ?? ''];
  const table = statement.ports.catalog.table(database, name);
  if (table) return table;
  throw new TrinoError(`TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.${database}.${name}' does not exist`);
}

function showDatabases(statement: Parsed): Outcome {
  return lines(['database_name'], matching(statement, statement.ports.catalog.databases()));
}

function showTables(statement: Parsed): Outcome {
  const names = statement.ports.catalog.tables(databaseOf(statement)).map(table => table.name);
  return lines(['tab_name'], matching(statement, names));
}

function showViews(statement: Parsed): Outcome {
  const views = statement.ports.catalog
    .tables(databaseOf(statement))
    .filter(table => table.viewOriginalText !== undefined);
  return lines(
    ['views'],
    matching(
      statement,
      views.map(view => view.name),
    ),
  );
}

function showColumns(statement: Parsed): Outcome {
  const { columns, partitionKeys } = tableOf(statement);
  return lines(
    ['field'],
    [...columns, ...partitionKeys].map(column => column.name),
  );
}

function showPartitions(statement: Parsed): Outcome {
  const table = tableOf(statement);
  const { partitions, partitionKeys } = lakeTable(table, statement.ports.objects);
  const folder = (values: readonly string[]) => partitionKeys.map(({ name }, at) => `${name}=${values[at]}`).join('/');
  return lines(
    ['partition'],
    partitions.map(({ values }) => folder(values)),
  );
}

function showCreateView(statement: Parsed): Outcome {
  const table = tableOf(statement);
  const { originalSql } = viewDefinition(table);
  return lines(['Create View'], [`CREATE VIEW ${table.database}.${table.name} AS`, ...originalSql.split('\n')]);
}

function describe(statement: Parsed): Outcome {
  const { columns, partitionKeys } = tableOf(statement);
  const rows = [...columns, ...partitionKeys].map(({ name, type, comment = '' }) => [name, type, comment].join('\t'));
  return lines(['col_name', 'data_type', 'comment'], rows);
}

async function createView(statement: Parsed): Promise<Outcome> {
  const { ports, context, found } = statement;
  const [database, name, sql = ''] = [databaseOf(statement), found.name?.toLowerCase() ?? '', found.sql];
  if (ports.catalog.table(database, name) && !found.replace) {
    throw new TrinoError(`SYNTAX_ERROR: line 1:1: View 'awsdatacatalog.${database}.${name}' already exists`);
  }
  const columns = await withQuery(ports, sql, context, async query => query.columns);
  const unnamed = columns.findIndex((column, index) => column.name === `_col${index}`);
  if (unnamed >= 0) throw new TrinoError(`SYNTAX_ERROR: Column name not specified at position ${unnamed + 1}`);
  const types = columns.map(({ name, type }) => ({ name, type: parseType(type) }));
  const definition = {
    ...{ originalSql: sql.trim(), catalog: 'awsdatacatalog', schema: context.database },
    columns: types.map(({ name, type }) => ({ name, type: athenaType(type) })),
  };
  ports.catalog.saveView({
    ...{ database, name, columns: types.map(({ name, type }) => ({ name, type: hiveType(type) })) },
    viewOriginalText: `/* Presto View: ${Buffer.from(JSON.stringify(definition)).toString('base64')} */`,
  });
  return lines([], []);
}

function dropView(statement: Parsed): Outcome {
  const [database, name] = [databaseOf(statement), statement.found.name ?? ''];
  const table = statement.ports.catalog.table(database, name);
  if (!table && !statement.found.quietly)
    throw new TrinoError(`SYNTAX_ERROR: line 1:1: View '${database}.${name}' does not exist`);
  if (table && table.viewOriginalText === undefined)
    throw new TrinoError(`SYNTAX_ERROR: '${database}.${name}' is not a view`);
  statement.ports.catalog.remove(database, name);
  return lines([], []);
}
