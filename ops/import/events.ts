import type { CsvRecord } from '../csv.ts';
import type { Columns, EventType } from './columns.ts';
import type { TimeReader } from './times.ts';

/** Where in the file something is: data rows from 1, and the line the row begins on. */
export interface RowPlace {
  readonly row: number;
  readonly line: number;
}

/** A row that was not imported, and why. */
export interface Refusal extends RowPlace {
  readonly reason: string;
}

/** A row as the event it becomes. */
export interface ImportEvent extends RowPlace {
  readonly messageId: string;
  readonly type: EventType;
  readonly name: string | undefined;
  readonly anonymousId: string | undefined;
  readonly userId: string | undefined;
  readonly timestamp: Date;
  /** An identify's traits. */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  /** Size on the wire, about: the SDK adds its name, version and a few more members. */
  readonly bytes: number;
}

export type RowResult =
  | { readonly event: ImportEvent; readonly refusal?: never }
  | { readonly refusal: Refusal; readonly event?: never };

/** Makes the message id of a row; the same row of the same file always has the same. */
export type MessageIdOf = (row: number) => string;

// What @segment/analytics-node 3.1 adds to an event: integrations, context.library, _metadata (captured: 190 bytes).
const sdkBytes = 256;

/**
 * Ids from the hash of the file's content, so that a file sent twice counts once in `events_unique`, and from the type,
 * so that one file can be imported as page views and again as identifies.
 */
export function createMessageIds(prefix: string, contentHash: string, type: EventType): MessageIdOf {
  const file = contentHash.slice(0, 16);
  return row => `${prefix}${file}-${type}-${row}`;
}

/** Turns rows into events. A row that cannot be one is a refusal; nothing in a row throws. */
export function createRowMapper(columns: Columns, readTime: TimeReader, messageIdOf: MessageIdOf) {
  return ({ fields, line, problem }: CsvRecord, row: number): RowResult => {
    const place = { row, line };
    const refuse = (reason: string): RowResult => ({ refusal: { ...place, reason } });
    if (problem !== undefined) return refuse(problem);
    if (fields.length !== columns.count) return refuse(`it has ${fields.length} fields, the header ${columns.count}`);
    const field = (column: number | undefined) =>
      column === undefined ? undefined : fields[column]?.trim() || undefined;
    const [anonymousId, userId] = [field(columns.anonymousId), field(columns.userId)];
    if (anonymousId === undefined && userId === undefined) return refuse('its visitor is empty');
    const name = columns.name && ('literal' in columns.name ? columns.name.literal : field(columns.name.column));
    // A page without a name is one all the same; a tracked event is not.
    if (columns.type === 'track' && name === undefined) return refuse('its event name is empty');
    const writtenTime = columns.time.map(column => fields[column]?.trim() ?? '').join(' ');
    const time = readTime(writtenTime);
    if (time === undefined) return refuse(`"${writtenTime.slice(0, 40)}" is no time that can be read`);
    const event = {
      ...place,
      messageId: messageIdOf(row),
      type: columns.type,
      name,
      anonymousId,
      userId,
      timestamp: new Date(time),
      properties: propertiesOf(columns, fields),
    };
    return { event: { ...event, bytes: Buffer.byteLength(JSON.stringify(event)) + sdkBytes } };
  };
}

function propertiesOf({ properties }: Columns, fields: readonly string[]): ImportEvent['properties'] {
  return Object.fromEntries(
    properties
      .map(({ name, column }) => [name, fields[column] ?? ''] as const)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, propertyValue(text)]),
  );
}

/** Numbers and booleans only where they would be written the same again: `007` and 20-digit ids stay text. */
function propertyValue(text: string): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : text;
}
