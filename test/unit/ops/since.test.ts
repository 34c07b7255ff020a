import { expect, test } from 'vitest';
import { parseSince } from '../../../ops/since.ts';

const nowMs = Date.parse('2026-11-20T12:00:00Z');

test.each([
  ['90m', '2026-11-20T10:30:00.000Z'],
  ['24h', '2026-11-19T12:00:00.000Z'],
  ['7d', '2026-11-13T12:00:00.000Z'],
  ['2026-11-20', '2026-11-20T00:00:00.000Z'],
  ['2026-11-20T10:00', '2026-11-20T10:00:00.000Z'],
  ['2026-11-20 10:00:30.250', '2026-11-20T10:00:30.250Z'],
  ['2026-11-20T10:00+02:00', '2026-11-20T08:00:00.000Z'],
])('--since %s is %s', (text, wanted) => {
  expect(new Date(parseSince(text, nowMs)).toISOString()).toBe(wanted);
});

test.each(['', 'yesterday', '7', '7w', '-1d', '2026-02-31', '2026-13-01', '20.11.2026'])('--since %j is none', text => {
  expect(() => parseSince(text, nowMs)).toThrow(
    `--since takes a time like 24h, 7d, 2026-11-20 or 2026-11-20T10:00Z, not "${text}".`,
  );
});

test('the future is none either', () => {
  expect(() => parseSince('2026-11-21', nowMs)).toThrow('--since 2026-11-21 lies in the future.');
});
