import { UsageError } from '../errors.ts';
import { suggestion } from '../nearest.ts';

export const eventTypes = ['page', 'track', 'screen', 'identify'] as const;
export type EventType = (typeof eventTypes)[number];

/** The flags of import-csv that say what each column is. */
export interface ColumnFlags {
  readonly type: EventType;
  readonly 'anonymous-id': string | undefined;
  readonly 'user-id': string | undefined;
  readonly 'event-name': string | undefined;
  readonly event: string | undefined;
  readonly time: readonly string[];
  readonly property: readonly string[];
  readonly properties: 'all' | 'none';
}

/** Which field of a row becomes what; numbers are positions in the row. */
export interface Columns {
  readonly type: EventType;
  readonly count: number;
  readonly anonymousId: number | undefined;
  readonly userId: number | undefined;
  /** Absent: the event has no name (a page or identify may have none). */
  readonly name: { readonly column: number } | { readonly literal: string } | undefined;
  /** Joined by a space. */
  readonly time: readonly number[];
  readonly properties: readonly { readonly name: string; readonly column: number }[];
  /** Names of the columns that are not imported. */
  readonly unused: readonly string[];
}

/** Finds the flags' columns in a file's header. Throws UsageError, naming the column or flag at fault. */
export function resolveColumns(header: readonly string[], flags: ColumnFlags): Columns {
  const names = header.map((name, index) => name.trim() || `column_${index + 1}`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`The header names "${twice}" twice; rename one of the two.`);
  checkFlags(flags);
  const find = (name: string, flag: string): number => {
    const index = names.indexOf(name);
    if (index !== -1) return index;
    throw new UsageError(
      `${flag}: there is no column "${name}".${suggestion(name, names)} The file has ${names.join(', ')}.`,
    );
  };
  const optional = (name: string | undefined, flag: string) => (name === undefined ? undefined : find(name, flag));
  const anonymousId = optional(flags['anonymous-id'], '--anonymous-id');
  const userId = optional(flags['user-id'], '--user-id');
  const nameColumn = optional(flags['event-name'], '--event-name');
  const time = timeColumns(names, flags.time).map(name => find(name, '--time'));
  const chosen = flags.property.map(text => {
    const { name, column } = propertyOf(text);
    return { name, column: find(column, '--property') };
  });
  const used = new Set([anonymousId, userId, nameColumn, ...time, ...chosen.map(({ column }) => column)]);
  const others = names.map((name, column) => ({ name, column })).filter(({ column }) => !used.has(column));
  return {
    type: flags.type,
    count: header.length,
    anonymousId,
    userId,
    name: nameOf(nameColumn, flags.event),
    time,
    properties: withoutTwins(flags.properties === 'all' ? [...chosen, ...others] : chosen),
    unused: flags.properties === 'all' ? [] : others.map(({ name }) => name),
  };
}

function nameOf(column: number | undefined, literal: string | undefined): Columns['name'] {
  if (column !== undefined) return { column };
  return literal === undefined ? undefined : { literal };
}

function checkFlags(flags: ColumnFlags): void {
  if (flags['anonymous-id'] === undefined && flags['user-id'] === undefined) {
    throw new UsageError(
      'Say which column tells the visitors apart: --anonymous-id COLUMN, --user-id COLUMN, or both.',
    );
  }
  if (flags.time.length === 0) throw new UsageError('Say which column holds the time: --time COLUMN.');
  if (flags['event-name'] !== undefined && flags.event !== undefined) {
    throw new UsageError('--event-name COLUMN and --event NAME exclude each other.');
  }
  const isNamed = flags['event-name'] !== undefined || flags.event !== undefined;
  if (flags.type === 'track' && !isNamed) {
    throw new UsageError('A track event has a name: --event-name COLUMN, or --event NAME for all rows.');
  }
  if (flags.type === 'identify' && isNamed)
    throw new UsageError('An identify has no name: drop --event-name and --event.');
}

/** `--time "Date Time"` is one column of that name where there is one, else the columns Date and Time. */
function timeColumns(names: readonly string[], given: readonly string[]): string[] {
  return given.flatMap(text => (names.includes(text) ? [text] : text.trim().split(/\s+/)));
}

/** `price=Unit price`, or just `price` where the column is called that. */
function propertyOf(text: string): { name: string; column: string } {
  const equals = text.indexOf('=');
  const name = equals === -1 ? text : text.slice(0, equals);
  const column = equals === -1 ? text : text.slice(equals + 1);
  if (name === '' || column === '') throw new UsageError(`--property is NAME=COLUMN, not "${text}".`);
  return { name, column };
}

function withoutTwins(properties: Columns['properties']): Columns['properties'] {
  const twin = properties.find(({ name }, index) => properties.findIndex(other => other.name === name) !== index);
  if (twin) throw new UsageError(`Two columns would become the property "${twin.name}": name one with --property.`);
  return properties;
}
