import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { balanceOf, type Entries } from '../../../ops/books/balance.ts';
import { addErrors } from '../../../ops/books/delivery-errors.ts';
import { linesOf } from '../../../ops/books/objects.ts';
import { booksReport } from '../../../ops/books/report.ts';
import { windowOf } from '../../../ops/books/window.ts';

const nowMs = Date.parse('2026-11-20T12:34:56Z');

const even = {
  received: { accepted: 10, rejected: 4, unacknowledged: 0 },
  kept: { stored: 8, replayed: 1, failed: 2, duplicates: 0 },
  undelivered: { events: 1, failedEvents: 1, unreadable: 0 },
  forgotten: { events: 1, failedEvents: 0 },
};

describe('the balance', () => {
  test('is even where every event is stored, failed, under delivery-errors/ or forgotten', () => {
    expect(balanceOf(even)).toEqual({
      received: 14,
      stored: 9,
      failed: 2,
      undelivered: 2,
      forgotten: 1,
      missingEvents: 0,
      missingFailedEvents: 0,
      surplus: 0,
    });
  });

  test('lets no surplus on one way hide a loss on the other', () => {
    const kept = { ...even.kept, stored: 9, failed: 1 };
    expect(balanceOf({ ...even, kept })).toMatchObject({ missingEvents: 0, missingFailedEvents: 1, surplus: 1 });
  });
});

describe('the verdict', () => {
  const day = windowOf('2026-11-19', false, nowMs);
  const verdictOf = (entries: Entries, window = day) => booksReport(entries, window, nowMs).split('\n\n')[2];

  test('is balanced where nothing is missing', () => {
    expect(verdictOf(even)).toBe('Balanced: received = stored + failed + delivery errors + forgotten.\n');
  });

  test('allows for what was stored without being acknowledged', () => {
    const received = { accepted: 8, rejected: 4, unacknowledged: 2 };
    expect(verdictOf({ ...even, received })).toContain('with 2 of the unacknowledged stored as well.');
    expect(verdictOf({ ...even, received: { ...received, unacknowledged: 1 } })).toMatch(
      /^Balanced, and 1 more than was counted/,
    );
  });

  test('says where something is missing, and to ask again only while something may be on its way', () => {
    const kept = { stored: 7, replayed: 0, failed: 1, duplicates: 0 };
    const verdict = verdictOf({ ...even, kept });
    expect(verdict).toBe(
      'Not balanced: the books fall short.\n' +
        '  1 accepted event missing between the stream and events.\n' +
        '  2 rejected events missing between the delivery stream and failed_events.\n',
    );
    expect(verdictOf({ ...even, kept }, windowOf(undefined, true, nowMs))).toContain('Ask again.');
  });

  test('tells what is under delivery-errors/ and not from collect', () => {
    expect(verdictOf({ ...even, undelivered: { ...even.undelivered, unreadable: 2 } })).toContain(
      'Beside these, 2 documents',
    );
  });
});

describe('the time', () => {
  test('is today, a day, or the 60 minutes to the end of this one', () => {
    const times = (day?: string, isLastHour = false) => {
      const { fromMs, toMs, periodSeconds } = windowOf(day, isLastHour, nowMs);
      return [new Date(fromMs).toISOString().slice(0, 16), new Date(toMs).toISOString().slice(0, 16), periodSeconds];
    };
    expect(times()).toEqual(['2026-11-20T00:00', '2026-11-21T00:00', 3600]);
    expect(times('2026-02-28')).toEqual(['2026-02-28T00:00', '2026-03-01T00:00', 3600]);
    expect(times(undefined, true)).toEqual(['2026-11-20T11:35', '2026-11-20T12:35', 60]);
  });

  test.each(['yesterday', '2026-02-31', '2026-1-1', '2026-11-20T10:00'])('is no %s', day => {
    expect(() => windowOf(day, false, nowMs)).toThrow(`--day takes a day like 2026-11-20, not "${day}".`);
  });

  test('is neither two things nor to come', () => {
    expect(() => windowOf('2026-11-19', true, nowMs)).toThrow('--day or --last-hour, not both.');
    expect(() => windowOf('2026-11-21', false, nowMs)).toThrow('--day 2026-11-21 lies in the future.');
  });
});

describe('delivery errors', () => {
  const window = windowOf('2026-11-20', false, nowMs);
  const document = (ingest_id: string, received_at = '2026-11-20 10:00:00.250') =>
    JSON.stringify({ ingest_id, received_at });
  const errorOf = (...documents: string[]) =>
    `${JSON.stringify({ arrivalTimestamp: nowMs, rawData: Buffer.from(documents.join('\n')).toString('base64') })}\n`;
  const read = (key: string, ...objects: Buffer[]) => {
    const found = { events: new Set<string>(), failedEvents: new Set<string>(), unreadable: 0 };
    for (const bytes of objects) addErrors(found, `delivery-errors/${key}`, linesOf(bytes), window);
    return { events: [...found.events], failedEvents: [...found.failedEvents], unreadable: found.unreadable };
  };

  test('count once each document of each record, of the table it was for', () => {
    const object = Buffer.from(errorOf(document('a'), document('b')) + errorOf(document('b')));
    expect(read('events/format-conversion-failed/x', object, object)).toEqual({
      events: ['a', 'b'],
      failedEvents: [],
      unreadable: 0,
    });
    expect(read('failed_events/x', gzipSync(object))).toMatchObject({ events: [], failedEvents: ['a', 'b'] });
  });

  test('belong to the time their event was received, or a stranger’s to that of its arrival', () => {
    const object = Buffer.from(errorOf(document('a', '2026-11-19 23:59:59.999'), '{"half":', '{"no":"id"}'));
    expect(read('events/x', object)).toEqual({ events: [], failedEvents: [], unreadable: 2 });
  });
});
