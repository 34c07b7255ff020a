import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDeviceReader } from '../../../src/lib/clickstream/device.ts';
import { eventViolation } from '../../../src/lib/clickstream/event.ts';
import type { FailedEvent } from '../../../src/lib/clickstream/failed-event.ts';
import { replayEvent } from '../../../src/lib/clickstream/replay.ts';
import { chrome, failed, send, stored } from './request.ts';

const deviceOf = createDeviceReader();
const replay = (row: FailedEvent) => replayEvent(row, { deviceOf });

/** The row that a broken rule would have left of an event that is good: what there is to replay after the rule is mended. */
function rowAsIfFailed(good: object, envelope: object, headers: Record<string, string>): FailedEvent {
  const request = { headers, sourceIp: '203.0.113.9' };
  const [row] = failed(send({ ...envelope, batch: [{ ...good, type: 'no such type' }] }, request));
  if (row === undefined) throw new Error('It should have failed.');
  return { ...row, raw: JSON.stringify(good) };
}

const event = { type: 'track', event: 'Dish viewed', anonymousId: 'a', timestamp: '2026-11-20T09:00:00.000Z' };
const batch = { writeKey: 'wk_test' };

describe('a failed event that passes today', () => {
  it.each([
    ['plainly', {}, { 'user-agent': chrome }],
    ['sent by a wrong clock', { sentAt: '2026-11-20T09:00:01.000Z' }, { 'user-agent': chrome }],
    ['under Do Not Track', {}, { dnt: '1', 'cloudfront-viewer-country': 'FR' }],
  ])('becomes the row it would have been, %s', (_, envelope, headers) => {
    const row = rowAsIfFailed(event, { ...batch, ...envelope }, headers);
    const request = { headers, sourceIp: '203.0.113.9' };
    expect(JSON.parse(String(replay(row)))).toEqual(
      stored(send({ ...batch, ...envelope, batch: [event] }, request))[0],
    );
  });

  it('has the same ids each time, also where its tracker gave none', () => {
    const row = { ...rowAsIfFailed(event, batch, {}), ingest_id: 'request-7', ingest_seq: 7 };
    expect(JSON.parse(String(replay(row)))).toMatchObject({
      event_id: 'request-7',
      ingest_id: 'request-7',
      ingest_seq: 7,
    });
    expect(replay(row)).toBe(replay(row));
  });

  it('takes the type that its route implied', () => {
    const { type: _, ...untyped } = event;
    const row = rowAsIfFailed(untyped, batch, {});
    expect(replay(row)).toMatchObject({ code: 'unknown-type' });
    expect(JSON.parse(String(replay({ ...row, type: 'track' })))).toMatchObject({ type: 'track' });
  });
});

describe('a failed event that fails again', () => {
  it('says by which rule', () => {
    const [row] = failed(send({ ...batch, batch: [{ type: 'track', anonymousId: 'a' }] }));
    expect(row && replay(row)).toEqual({ code: row?.code, reason: row?.reason });
  });

  it.each([
    ['its protocol is gone', { protocol: 'telegraph' }, 'unknown-protocol'],
    ['its raw is no JSON', { raw: '{"type":' }, 'unreadable-row'],
    ['its ids do not fit', { ingest_id: 'request-1', ingest_seq: 2 }, 'unreadable-row'],
    ['its time is none', { received_at: 'yesterday' }, 'unreadable-row'],
    [
      'it nests too deeply',
      {
        raw: `{"type":"track","event":"x","anonymousId":"a","properties":${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}}`,
      },
      'too-deep',
    ],
  ])('where %s', (_, change, code) => {
    expect(replay({ ...rowAsIfFailed(event, batch, {}), ...change })).toMatchObject({ code });
  });
});

it('whatever a row holds, it becomes an event of the contract or a reason', () => {
  const protocols = ['segment', 'rudder', 'snowplow', 'posthog', 'jitsu', 'aws-clickstream'];
  fc.assert(
    fc.property(
      fc.constantFrom(...protocols),
      fc.json(),
      fc.option(fc.string(), { nil: undefined }),
      (protocol, raw, sentAt) => {
        const outcome = replay({ ...rowAsIfFailed(event, batch, {}), protocol, raw, sent_at: sentAt });
        if (typeof outcome === 'string') expect(eventViolation(JSON.parse(outcome))).toBeUndefined();
        else expect(outcome).toEqual({ code: expect.any(String), reason: expect.any(String) });
      },
    ),
  );
});
