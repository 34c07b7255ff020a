import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTimeReader } from '../../../ops/import/times.ts';

const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString());
const utc = createTimeReader('UTC', 'ymd');

test.each([
  ['1999-06-24 10:06:37', '1999-06-24T10:06:37.000Z'],
  ['1999-06-24T10:06:37', '1999-06-24T10:06:37.000Z'],
  ['  1999/6/4 9:06 ', '1999-06-04T09:06:00.000Z'],
  ['1999-06-24', '1999-06-24T00:00:00.000Z'],
  ['1999-06-24T10:06:37.0299Z', '1999-06-24T10:06:37.029Z'],
  ['1999-06-24 10:06:37,5', '1999-06-24T10:06:37.500Z'],
  ['1999-06-24T10:06:37+02:00', '1999-06-24T08:06:37.000Z'],
  ['1999-06-24 10:06:37 -0730', '1999-06-24T17:36:37.000Z'],
  ['1999-06-24 10:06:37 UTC', '1999-06-24T10:06:37.000Z'],
  ['1999-06-24 4:05 PM', '1999-06-24T16:05:00.000Z'],
  ['1999-06-24 12:00:00 am', '1999-06-24T00:00:00.000Z'],
  ['2000-02-29', '2000-02-29T00:00:00.000Z'],
  ['930218797', '1999-06-24T10:06:37.000Z'],
  ['930218797.25', '1999-06-24T10:06:37.250Z'],
  ['1795216743173', '2026-11-20T23:19:03.173Z'],
  ['1795216743173999', '2026-11-20T23:19:03.173Z'],
])('%j is %s', (text, expected) => {
  expect(iso(utc(text))).toBe(expected);
});

test.each([
  '',
  'yesterday',
  '1999-02-29',
  '1999-13-01',
  '1999-06-31',
  '0050-06-01',
  '1999-06-24 24:00',
  '1999-06-24 10:60',
  '1999-06-24 10:06:60',
  '1999-06-24 13:00 PM',
  '24/06/1999',
  '1999-06-24 10:06:37 and more',
  '42',
])('%j is no time', text => {
  expect(utc(text)).toBeUndefined();
});

test('the order of a date is as told', () => {
  expect(iso(createTimeReader('UTC', 'dmy')('04.06.1999 10:00'))).toBe('1999-06-04T10:00:00.000Z');
  expect(iso(createTimeReader('UTC', 'mdy')('04/06/1999 10:00'))).toBe('1999-04-06T10:00:00.000Z');
});

describe('a time zone', () => {
  const inParis = createTimeReader('Europe/Paris', 'ymd');

  test.each([
    ['winter', '2026-01-15 12:00', '2026-01-15T11:00:00.000Z'],
    ['summer', '2026-07-15 12:00', '2026-07-15T10:00:00.000Z'],
    ['last minute of winter', '2026-03-29 01:59', '2026-03-29T00:59:00.000Z'],
    ['hour that never was: as far past the gap', '2026-03-29 02:30', '2026-03-29T01:30:00.000Z'],
    ['first minute of summer', '2026-03-29 03:00', '2026-03-29T01:00:00.000Z'],
    ['hour that was twice: the earlier', '2026-10-25 02:30', '2026-10-25T00:30:00.000Z'],
    ['hour after it', '2026-10-25 03:00', '2026-10-25T02:00:00.000Z'],
    ['time with a zone of its own', '2026-07-15 12:00Z', '2026-07-15T12:00:00.000Z'],
  ])('is applied in %s', (_name, text, expected) => {
    expect(iso(inParis(text))).toBe(expected);
  });

  test.each([
    ['America/New_York', '2026-03-08 02:30', '2026-03-08T07:30:00.000Z'],
    ['America/New_York', '2026-11-01 01:30', '2026-11-01T05:30:00.000Z'],
    ['Asia/Kolkata', '2026-11-20 10:00', '2026-11-20T04:30:00.000Z'],
    ['Australia/Lord_Howe', '2026-10-04 02:15', '2026-10-03T15:45:00.000Z'],
    ['Pacific/Apia', '2011-12-31 12:00', '2011-12-30T22:00:00.000Z'],
  ])('%s, %s', (zone, text, expected) => {
    expect(iso(createTimeReader(zone, 'ymd')(text))).toBe(expected);
  });

  test('gives back every instant from what its clocks showed then, or the other of an hour shown twice', () => {
    const zones = fc.constantFrom(
      'Europe/Paris',
      'America/Sao_Paulo',
      'Asia/Kolkata',
      'Australia/Lord_Howe',
      'America/St_Johns',
    );
    const instants = fc.integer({ min: Date.UTC(1990, 0), max: Date.UTC(2030, 0) }).map(ms => ms - (ms % 1000));
    fc.assert(
      fc.property(zones, instants, (timeZone, instant) => {
        const shown = (time: number) => new Date(time).toLocaleString('sv-SE', { timeZone });
        const read = createTimeReader(timeZone, 'ymd')(shown(instant)) ?? Number.NaN;
        expect(shown(read)).toBe(shown(instant));
        expect(read).toBeLessThanOrEqual(instant);
      }),
    );
  });

  test('that does not exist is refused', () => {
    expect(() => createTimeReader('Mars/Olympus', 'ymd')).toThrow('There is no time zone "Mars/Olympus".');
  });
});
