import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GlueColumn, toTimestamp } from '../../../src/lib/clickstream/contract.ts';
import { eventsMarkdown } from '../../../src/lib/clickstream/contract-docs.ts';
import { type ClickEvent, eventColumns, eventTable, eventViolation } from '../../../src/lib/clickstream/event.ts';
import {
  failedEventColumns,
  failedEventTable,
  failedEventViolation,
} from '../../../src/lib/clickstream/failed-event.ts';
import published from './published-columns.json' with { type: 'json' };

const tables: [name: keyof typeof published, columns: readonly GlueColumn[]][] = [
  ['events', eventColumns],
  ['failed_events', failedEventColumns],
];

describe.each(tables)('the published columns of %s', (name, columns) => {
  test.each(Object.entries(published[name]))('still hold %s as %s', (column, type) => {
    const now = columns.find(candidate => candidate.name === column);
    expect(
      now?.type,
      `Column ${column} of ${name} was published as ${type}. Files in the lake keep it: add another column instead.`,
    ).toBe(type);
  });

  test('have comments that Glue takes: at most 255 characters', () => {
    for (const { name, comment } of columns) expect(comment.length, name).toBeLessThanOrEqual(255);
  });
});

test('docs/events.md is what the contract says', async () => {
  await expect(eventsMarkdown()).toMatchFileSnapshot('../../../docs/events.md');
});

const exampleOf = (table: Readonly<Record<string, { readonly example: unknown }>>) =>
  Object.fromEntries(Object.entries(table).map(([name, column]) => [name, column.example]));

describe('the validator', () => {
  // Typed by hand: it stops compiling when the type and the table part.
  const smallest: ClickEvent = {
    event_id: 'e',
    ingest_id: 'i-0',
    ingest_seq: 0,
    type: 'page',
    occurred_at: '2026-11-20 10:00:00.000',
    received_at: '2026-11-20 10:00:00.000',
    is_bot: false,
    protocol: 'segment',
    source: 'website',
    schema_version: 1,
  };

  test('accepts the examples and the smallest event', () => {
    expect(eventViolation(exampleOf(eventTable))).toBeUndefined();
    expect(failedEventViolation(exampleOf(failedEventTable))).toBeUndefined();
    expect(eventViolation(smallest)).toBeUndefined();
  });

  test.each([
    [null, 'A row must be an object.'],
    [[], 'A row must be an object.'],
    [{ ...smallest, colour: 'red' }, '"colour" is not a column.'],
    [{ ...smallest, event_id: undefined }, '"event_id" is missing.'],
    [{ ...smallest, ingest_seq: 1.5 }, '"ingest_seq" must be of type int.'],
    [{ ...smallest, ingest_seq: 2 ** 31 }, '"ingest_seq" must be of type int.'],
    [{ ...smallest, is_bot: 'no' }, '"is_bot" must be of type boolean.'],
    [{ ...smallest, user_id: 5 }, '"user_id" must be of type string.'],
    [{ ...smallest, received_at: '2026-11-20T10:00:00.000Z' }, '"received_at" must be of type timestamp.'],
  ])('says of %j: %s', (row, sentence) => {
    expect(eventViolation(row)).toBe(sentence);
  });
});

test('timestamps are those of toISOString, in the form that every reader of the lake takes', () => {
  const instants = fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(instants, date => {
      expect(toTimestamp(date.getTime())).toBe(date.toISOString().replace('T', ' ').replace('Z', ''));
    }),
  );
});
