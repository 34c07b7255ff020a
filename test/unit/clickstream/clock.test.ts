import { describe, expect, test } from 'vitest';
import { clockSkewMs, parseTime } from '../../../src/lib/clickstream/clock.ts';
import { receivedAtMs, send, stored } from './request.ts';

function occurredAt(timestamp: unknown, sentAt?: unknown): string | undefined {
  const event = { type: 'track', event: 'E', userId: 'u', timestamp };
  return stored(send({ writeKey: 'wk_test', sentAt, batch: [event] }))[0]?.occurred_at;
}

describe('when an event occurred', () => {
  test('old history sent today keeps its time', () => {
    expect(occurredAt('1999-06-24T10:06:37.000Z', '2026-11-20T10:00:00.000Z')).toBe('1999-06-24 10:06:37.000');
  });

  test('a clock that is more than five minutes wrong is put right, and no other', () => {
    expect(occurredAt('2026-11-20T09:54:59.000Z', '2026-11-20T09:55:00.250Z')).toBe('2026-11-20 09:54:59.000');
    expect(occurredAt('2026-11-20T09:54:59.000Z', '2026-11-20T09:55:00.249Z')).toBe('2026-11-20 09:59:59.001');
    expect(occurredAt('2031-01-01T00:00:00.000Z', '2031-01-01T00:00:01.000Z')).toBe('2026-11-20 09:59:59.250');
  });

  test.each([1795167300249, '1795167300249', 1795167300249.5])('a sentAt of %j is read as a timestamp is', sentAt => {
    expect(occurredAt('2026-11-20T09:34:59.000Z', sentAt)).toBe('2026-11-20 09:59:59.001');
  });

  test('without a readable sentAt nothing is corrected', () => {
    for (const sentAt of [undefined, null, 'soon', {}, 5]) {
      expect(occurredAt('2026-11-20T09:00:00.000Z', sentAt)).toBe('2026-11-20 09:00:00.000');
    }
  });

  test('without a timestamp it is when it was received', () => {
    expect(occurredAt(undefined)).toBe('2026-11-20 10:00:00.250');
    expect(occurredAt(null)).toBe('2026-11-20 10:00:00.250');
  });

  test.each(['1969-12-31T23:59:59.999Z', '2026-11-21T10:00:00.251Z', '0001-01-01', 'x', '', true, {}, 1795168800])(
    'an absurd %j is rejected',
    timestamp => {
      expect(occurredAt(timestamp)).toBeUndefined();
    },
  );
});

describe('times are read', () => {
  test.each([
    ['2026-11-20T10:00:00.123Z', '2026-11-20T10:00:00.123Z'],
    ['2026-11-20T10:00:00.123456Z', '2026-11-20T10:00:00.123Z'],
    ['2026-11-20T10:00:00Z', '2026-11-20T10:00:00.000Z'],
    ['2026-11-20T10:00:00+01:00', '2026-11-20T09:00:00.000Z'],
    ['2026-11-20T10:00:00.000+0100', '2026-11-20T09:00:00.000Z'],
    ['2026-11-20 10:00:00.5', '2026-11-20T10:00:00.500Z'],
    ['2026-11-20T10:00', '2026-11-20T10:00:00.000Z'],
    ['2026-11-20', '2026-11-20T00:00:00.000Z'],
    ['2024-02-29T23:59:59.999Z', '2024-02-29T23:59:59.999Z'],
    ['2026-10-31T23:00:00-05:00', '2026-11-01T04:00:00.000Z'],
    [1795168800123, '2026-11-20T10:00:00.123Z'],
    ['1795168800123', '2026-11-20T10:00:00.123Z'],
  ])('%j as %s, in any time zone of the machine', (value, instant) => {
    expect(new Date(parseTime(value) ?? Number.NaN).toISOString()).toBe(instant);
  });

  test('the same after another time of the same second as alone', () => {
    expect(parseTime('2026-11-20T10:00:00.001Z')).toBe(receivedAtMs - 249);
    expect(parseTime('2026-11-20T10:00:00.999Z')).toBe(receivedAtMs + 749);
    expect(parseTime('2026-11-20T10:00:00.1e2Z')).toBeUndefined();
    expect(parseTime('2026-11-20T10:00:00.-10Z')).toBeUndefined();
    expect(parseTime('2026-11-20T10:00:01.1e2Z')).toBeUndefined();
    expect(parseTime('2026-11-20T10:00:01.000Z')).toBe(receivedAtMs + 750);
  });

  test.each([
    'Fri Nov 20 2026',
    '20.11.2026',
    '1',
    '1795168800',
    '2026-13-01T00:00:00.000Z',
    '2026-02-31T00:00:00.000Z',
    '2026-02-29T10:00:00Z',
    '2026-04-31',
    '2026-11-20T25:00:00Z',
    'Z'.repeat(24),
  ])('and not %s', value => {
    expect(parseTime(value)).toBeUndefined();
  });
});

test('the skew is nothing within five minutes, and what to add beyond', () => {
  expect(clockSkewMs(receivedAtMs, new Date(receivedAtMs - 300_000).toISOString())).toBe(0);
  expect(clockSkewMs(receivedAtMs, new Date(receivedAtMs + 300_001).toISOString())).toBe(-300_001);
});
