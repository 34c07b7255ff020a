import { afterEach, describe, expect, test, vi } from 'vitest';
import { takeIn } from '../../../src/lib/clickstream/intake.ts';
import { maxFailedBytes, maxStreamBytes } from '../../../src/lib/clickstream/limits.ts';
import { failed, receivedAtMs, send } from './request.ts';

const track = { type: 'track', event: 'E', userId: 'u' };
const many = (item: unknown) => Array(2500).fill(item);
const keys = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 1]));

/** How many characters of JSON a piece of work writes: the measure of what a request costs. */
function writtenDuring(work: () => unknown): number {
  const { stringify } = JSON;
  let written = 0;
  vi.spyOn(JSON, 'stringify').mockImplementation((...parameters: Parameters<typeof stringify>) => {
    const text = stringify(...parameters);
    written += text?.length ?? 0;
    return text;
  });
  work();
  return written;
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('what a request says once may not be larger than an event', () => {
  test.each([
    ['a context of many keys', '/v1/batch', { context: keys(4000), batch: [{ context: {} }] }],
    ['a context of one text', '/v1/batch', { context: { text: 'x'.repeat(33 * 1024) }, batch: [track] }],
    ['a context whose numbers grow', '/v1/batch', '{"context":{"n":[1e20', ',1e20', ']},"batch":[{}]}'],
    ['a sentAt', '/v1/batch', { sentAt: 'x'.repeat(33 * 1024), batch: [track] }],
    ['PostHog’s sent_at', '/batch', { sent_at: 'x'.repeat(33 * 1024), batch: [{}] }],
    [
      'Snowplow’s stm',
      '/com.snowplowanalytics.snowplow/tp2',
      { data: [{ e: 'pv', aid: 'wk_test', stm: 'x'.repeat(33 * 1024) }] },
    ],
  ])('%s', (_, path, start, repeated = '', end = '') => {
    const body = typeof start === 'string' ? start + repeated.repeat(2000) + end : JSON.stringify(start);
    const outcome = send(body, { path, headers: { 'x-write-key': 'wk_test' } });
    expect(outcome).toMatchObject({ refused: 'too-large', detail: expect.stringMatching(/may be 32 KB.*\.$/) });
  });

  test('AWS’s upload_timestamp', () => {
    const query = `appId=wk_test&upload_timestamp=${'x'.repeat(33 * 1024)}`;
    expect(send([{}], { path: '/collect', query })).toMatchObject({ refused: 'too-large' });
  });

  test('a context that nests too deeply is malformed, as an event is', () => {
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const body = `{"writeKey":"wk_test","context":{"a":${deep}},"batch":[]}`;
    expect(send(body)).toMatchObject({ refused: 'malformed' });
  });
});

describe('a batch that grows is given up as soon as it is too large', () => {
  test.each([
    ['good events', { context: keys(2900), batch: many(track) }],
    ['good events with a context of their own', { context: keys(2900), batch: many({ ...track, context: {} }) }],
    ['bad events', { context: keys(2900), batch: many({ context: {} }) }],
    ['bad events that repeat sentAt', { sentAt: 'x'.repeat(32_000), batch: many({}) }],
  ])('%s', (_, fields) => {
    const body = JSON.stringify({ writeKey: 'wk_test', ...fields });
    const written = writtenDuring(() => expect(send(body)).toMatchObject({ refused: 'too-large' }));
    expect(written).toBeLessThan(4 * (maxStreamBytes + maxFailedBytes));
  });
});

test('a failed event keeps the context of its batch, so that a replay reads what the batch said', () => {
  const context = { locale: 'fr-FR', timezone: 'UTC' };
  const batch = [{ type: 'nothing' }, { type: 'nothing', context: { locale: 'en-GB' } }, 5];
  const raws = failed(send({ writeKey: 'wk_test', context, batch })).map(({ raw }) => JSON.parse(raw));
  expect(raws).toEqual([
    { type: 'nothing', context },
    { type: 'nothing', context: { locale: 'en-GB', timezone: 'UTC' } },
    5,
  ]);
});

test('an error that is no full stack is not taken for deep nesting', () => {
  const deviceOf = () => {
    throw new RangeError('Invalid string length');
  };
  const request = { path: '/v1/batch', headers: {}, body: JSON.stringify({ writeKey: 'wk_test', batch: [track] }) };
  const settings = { sources: new Map([['wk_test', 'website']]), deviceOf };
  expect(() => takeIn(request, { requestId: 'request', receivedAtMs }, settings)).toThrow('Invalid string length');
});
