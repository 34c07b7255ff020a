import { expect, test } from 'vitest';
import { createCollect } from '../../../src/lib/clickstream/collect.ts';
import { type FakeSink, fakeClock, fakeSink } from './ports.ts';
import { rows } from './request.ts';

function collectWith(sinks: { events?: FakeSink; failedEvents?: FakeSink } = {}) {
  const { events = fakeSink(() => []), failedEvents = fakeSink(() => []) } = sinks;
  const counted: Record<string, unknown>[] = [];
  const collect = createCollect({
    ...fakeClock(),
    sources: new Map([['wk_test', 'website']]),
    events,
    failedEvents,
    newId: () => 'request',
    count: (counts, properties, atMs) => counted.push({ ...counts, ...properties, ...(atMs && { atMs }) }),
  });
  const good = { type: 'track', event: 'E', userId: 'u' };
  const post = (...batch: unknown[]) =>
    collect({ path: '/v1/batch', headers: {}, body: JSON.stringify({ writeKey: 'wk_test', batch }) });
  return { post, good, bad: { type: 'nothing' }, events, failedEvents, counted };
}

// At the time of receipt, however long the puts took: the books compare it with received_at.
const origin = { source: 'website', protocol: 'segment', atMs: 1_000_000 };

test('a request of good events is one record on the stream', async () => {
  const { post, good, events, failedEvents, counted } = collectWith();
  expect(await post(good, good)).toEqual({});
  expect(events.attempts.map(records => records.length)).toEqual([1]);
  expect(rows(events.attempts[0] ?? [])).toMatchObject([{ ingest_id: 'request-0' }, { ingest_id: 'request-1' }]);
  expect(failedEvents.attempts).toEqual([]);
  expect(counted).toEqual([{ EventsReceived: 2, EventsAccepted: 2, EventsRejected: 0, ...origin }]);
});

test('bad events among good ones are kept as failed, and said', async () => {
  const { post, good, bad, events, failedEvents, counted } = collectWith();
  expect(await post(good, bad)).toEqual({ rejected: [{ index: 1, reason: expect.stringContaining('"type"') }] });
  expect(rows(events.attempts[0] ?? [])).toHaveLength(1);
  expect(rows(failedEvents.attempts[0] ?? [])).toMatchObject([{ ingest_seq: 1, raw: '{"type":"nothing"}' }]);
  expect(counted).toEqual([{ EventsReceived: 2, EventsAccepted: 1, EventsRejected: 1, ...origin }]);
});

test.each(['events', 'failedEvents'])('what %s still refuses is never said to be durable', async name => {
  const { post, good, bad, counted } = collectWith({ [name]: fakeSink(records => records) });
  expect(await post(good, bad)).toMatchObject({ refused: 'not-durable', retryAfterSeconds: 5, cause: 'attempt 6' });
  expect(counted).toEqual([
    { EventsUnacknowledged: 2, ...origin },
    { RequestsRefused: 1, refused: 'not-durable' },
  ]);
});

test.each([
  ['events', 'failedEvents'],
  ['failedEvents', 'events'],
])(
  'where %s fails for good, what may be stored by %s is counted before an operator hears of it',
  async (name, other) => {
    const denied = fakeSink(() => {
      throw new Error('AccessDenied');
    });
    const taking = fakeSink(() => []);
    const { post, good, bad, counted } = collectWith({ [name]: denied, [other]: taking });
    await expect(post(good, bad)).rejects.toThrow('AccessDenied');
    expect(taking.attempts).toHaveLength(1);
    expect(counted).toEqual([{ EventsUnacknowledged: 2, ...origin }]);
  },
);

test('a refused request puts nothing', async () => {
  const { post, events, failedEvents, counted } = collectWith();
  expect(await post(...Array(2501).fill(1))).toMatchObject({ refused: 'too-large' });
  expect([...events.attempts, ...failedEvents.attempts]).toEqual([]);
  expect(counted).toEqual([{ RequestsRefused: 1, refused: 'too-large' }]);
});
