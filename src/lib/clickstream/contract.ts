/** Raised when a column changes its meaning. Adding a column does not count: old rows read as null there. */
export const schemaVersion = 1;

/** Glue column types that the lake uses. */
type GlueType = 'string' | 'timestamp' | 'boolean' | 'int' | 'bigint';

export interface Column {
  readonly type: GlueType;
  readonly required: boolean;
  readonly description: string;
  readonly example: string | number | boolean;
}

/** One lake table: its columns in order. Everything else (type, validator, Glue columns, docs) is derived from it. */
export type Table = Readonly<Record<string, Column>>;

interface ValueOf {
  string: string;
  timestamp: string;
  boolean: boolean;
  int: number;
  bigint: number;
}

type NamesWhere<T extends Table, Required extends boolean> = {
  [Name in keyof T]: T[Name]['required'] extends Required ? Name : never;
}[keyof T];

/** The TypeScript type of one row: optional columns may be absent or undefined, which the lake reads as null. */
export type RowOf<T extends Table> = {
  readonly [Name in NamesWhere<T, true>]: ValueOf[T[Name]['type']];
} & {
  readonly [Name in NamesWhere<T, false>]?: ValueOf[T[Name]['type']] | undefined;
};

export interface GlueColumn {
  readonly name: string;
  readonly type: GlueType;
  readonly comment: string;
}

/** The columns as `AWS::Glue::Table` wants them. A comment there is at most 255 characters (Glue API, `Column`). */
export function glueColumnsOf(table: Table): GlueColumn[] {
  return Object.entries(table).map(([name, { type, description }]) => ({ name, type, comment: description }));
}

/**
 * Timestamps are UTC, to the millisecond, as `2026-11-20 10:00:00.000`: the one text form that Firehose's OpenX SerDe
 * (https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion.html), Athena's JSON SerDe (java.sql.Timestamp,
 * https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html) and DuckDB's cast all read. ISO's `T…Z` only
 * passes the first and the last.
 */
export function toTimestamp(epochMilliseconds: number): string {
  const second = Math.floor(epochMilliseconds / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastSecondText = secondText(second);
  }
  return lastSecondText + threeDigits[epochMilliseconds - second * 1000];
}

// The events of a batch come from the same few seconds of a day: remembering them is ten times as fast as toISOString.
let lastSecond = Number.NaN;
let lastSecondText = '';
let lastDay = Number.NaN;
let lastDayText = '';

function secondText(second: number): string {
  const day = Math.floor(second / 86_400);
  if (day !== lastDay) {
    lastDay = day;
    lastDayText = new Date(day * 86_400_000).toISOString().slice(0, 10);
  }
  const ofDay = second - day * 86_400;
  const [hours, minutes] = [Math.floor(ofDay / 3600), Math.floor(ofDay / 60) % 60];
  return `${lastDayText} ${twoDigits[hours]}:${twoDigits[minutes]}:${twoDigits[ofDay % 60]}.`;
}

const digits = (count: number, length: number) =>
  Array.from({ length: count }, (_, n) => String(n).padStart(length, '0'));
const twoDigits = digits(60, 2);
const threeDigits = digits(1000, 3);

const timestampPattern = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}$/;

const isOfType: Record<GlueType, (value: unknown) => boolean> = {
  string: value => typeof value === 'string',
  timestamp: value => typeof value === 'string' && timestampPattern.test(value),
  boolean: value => typeof value === 'boolean',
  int: value => Number.isInteger(value) && value === ((value as number) | 0),
  bigint: value => Number.isSafeInteger(value),
};

/** What keeps `row` from being a row of `table`, in one sentence; undefined where it is one. */
export function violationOf(table: Table, row: unknown): string | undefined {
  if (typeof row !== 'object' || row === null || Array.isArray(row)) return 'A row must be an object.';
  for (const name of Object.keys(row)) {
    if (!Object.hasOwn(table, name)) return `"${name}" is not a column.`;
  }
  for (const [name, { type, required }] of Object.entries(table)) {
    const value = (row as Record<string, unknown>)[name];
    if (value === undefined) {
      if (required) return `"${name}" is missing.`;
    } else if (!isOfType[type](value)) {
      return `"${name}" must be of type ${type}.`;
    }
  }
  return undefined;
}
