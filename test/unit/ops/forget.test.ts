import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { withoutDocuments, withoutLines } from '../../../ops/forget/lines.ts';
import { createMentions, theirRowsSql } from '../../../ops/forget/person.ts';

const person = { userId: 'guest-42', anonymousIds: ['anon-1'] };
const mentions = createMentions(person);
const failed = (raw: unknown) => JSON.stringify({ ingest_id: 'r-0', raw: JSON.stringify(raw) });

describe('a failed event is a person’s', () => {
  test.each([
    ['Segment’s user', { type: 'dance', userId: 'guest-42' }],
    ['Segment’s visitor', { anonymousId: 'anon-1' }],
    ['an alias', { type: 'alias', previousId: 'anon-1', userId: 'x' }],
    ['PostHog’s', { event: 'e', properties: { distinct_id: 'guest-42' } }],
    ['AWS’s', { event_type: 'e', user: { _user_id: { value: 'guest-42', set_timestamp: 1 } } }],
    ['Snowplow’s', { e: 'pv', uid: 'guest-42' }],
  ])('by %s', (_, raw) => {
    expect(mentions(failed(raw))).toBe(true);
  });

  test.each([
    ['another’s', { userId: 'guest-4', anonymousId: 'anon-11' }],
    ['one that sells them', { userId: 'guest-7', properties: { sku: 'guest-42', table: ['anon-1'] } }],
    ['no object', 'guest-42'],
  ])('and not %s', (_, raw) => {
    expect(mentions(failed(raw))).toBe(false);
  });

  test('where ids are numbers, a price is no id', () => {
    const isOf42 = createMentions({ userId: '42', anonymousIds: [] });
    expect(isOf42(failed({ userId: 42 }))).toBe(true);
    expect(isOf42(failed({ userId: 7, properties: { price: 42 } }))).toBe(false);
  });
});

describe('a document that was not delivered is a person’s', () => {
  test('by its columns, unless it names somebody else', () => {
    expect(mentions('{"user_id":"guest-42"}')).toBe(true);
    expect(mentions('{"anonymous_id":"anon-1"}')).toBe(true);
    expect(mentions('{"user_id":"guest-7","anonymous_id":"anon-1"}')).toBe(false);
  });

  test('or, where it is no row, by saying the id', () => {
    expect(mentions('{"user_id":"guest-42"')).toBe(true);
    expect(mentions('{"user_id":"guest-421"')).toBe(false);
  });
});

test('in SQL, ids are quoted, and another known visitor’s rows are left', () => {
  expect(theirRowsSql({ userId: "o'hara", anonymousIds: [] })).toBe("(user_id = 'o''hara')");
  expect(theirRowsSql(person)).toBe("(user_id = 'guest-42' or (user_id is null and anonymous_id in ('anon-1')))");
});

describe('objects', () => {
  const isBad = (line: string) => line.includes('bad');

  test('lose their lines, and stay gzipped', () => {
    const { bytes, removed } = withoutLines(gzipSync('good 1\nbad\ngood 2\n'), isBad);
    expect([gunzipSync(bytes).toString(), removed]).toEqual(['good 1\ngood 2\n', 1]);
  });

  test('lose the documents in their records, and the records that have none left', () => {
    const record = (...documents: string[]) =>
      `${JSON.stringify({ attemptsMade: 1, rawData: Buffer.from(`${documents.join('\n')}\n`).toString('base64') })}\n`;
    const { bytes, removed } = withoutDocuments(Buffer.from(record('good', 'bad') + record('bad', 'bad')), isBad);
    expect([bytes.toString(), removed]).toEqual([record('good'), 3]);
  });

  test('tell the books which rows went, to the minute', () => {
    const line = '{"ingest_id":"r-0","received_at":"2026-11-20 10:00:59.999","raw":"bad"}';
    const { rows } = withoutLines(Buffer.from(`${line}\nbad\n`), isBad);
    expect(rows).toEqual([{ ingest_id: 'r-0', received_at: '2026-11-20 10:00' }]);
  });
});
