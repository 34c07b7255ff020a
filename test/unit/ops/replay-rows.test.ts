import { describe, expect, test } from 'vitest';
import type { FailedRow } from '../../../ops/replay/failed-rows.ts';
import { type ReplayTally, replayRows } from '../../../ops/replay/replay-rows.ts';
import { createDeviceReader } from '../../../src/lib/clickstream/device.ts';
import type { PackedRecord } from '../../../src/lib/clickstream/pack.ts';
import { type FakeSink, fakeClock, fakeSink } from '../clickstream/ports.ts';
import { rows as rowsOf } from '../clickstream/request.ts';

const acceptAll = () => fakeSink(() => []);

function failedRow(index: number, raw: object, event_id?: string): FailedRow {
  const row = {
    ingest_id: `request-${index}`,
    ingest_seq: index,
    received_at: '2026-11-20 10:00:00.250',
    code: 'unknown-type',
    reason: 'once there was a rule',
    event_id,
    protocol: 'segment',
    source: 'website',
    is_private: false,
    raw: JSON.stringify({ messageId: event_id, ...raw }),
    schema_version: 1,
  };
  return { row };
}

const good = (index: number, id?: string) =>
  failedRow(index, { type: 'track', event: `e${index}`, anonymousId: 'a' }, id);
const bad = (index: number) => failedRow(index, { type: 'dance', anonymousId: 'a' });

async function replay(
  pages: readonly (readonly FailedRow[])[],
  sink: FakeSink | undefined,
  signal = new AbortController().signal,
): Promise<ReplayTally> {
  async function* paged() {
    yield* pages;
  }
  const ports = { clock: fakeClock(), deviceOf: createDeviceReader(), onTally: () => {} };
  return replayRows({ pages: paged(), sink, signal, ...ports });
}

const namesIn = (records: readonly PackedRecord[]) => rowsOf<{ name: string }>(records).map(({ name }) => name);

describe('a replay', () => {
  test('stores what passes, in order and in one record, and tells why the rest does not', async () => {
    const sink = acceptAll();
    const tally = await replay(
      [
        [good(0), bad(1)],
        [bad(2), good(3)],
      ],
      sink,
    );
    expect(sink.attempts.map(namesIn)).toEqual([['e0', 'e3']]);
    expect(tally).toMatchObject({ read: 4, passed: 2, stored: 2, failing: [{ code: 'unknown-type', count: 2 }] });
  });

  test('stores an event that its tracker sent twice once', async () => {
    const sink = acceptAll();
    const tally = await replay([[good(0, 'm1'), good(1, 'm1'), good(2), good(2)]], sink);
    expect(sink.attempts.map(namesIn)).toEqual([['e0', 'e2']]);
    expect(tally).toMatchObject({ read: 4, passed: 2, duplicates: 2, stored: 2 });
  });

  test('makes records of 900 KB', async () => {
    const sink = acceptAll();
    const text = 'x'.repeat(30_000);
    const rows = Array.from({ length: 40 }, (_, index) =>
      failedRow(index, { type: 'track', event: 'big', anonymousId: 'a', properties: { text } }),
    );
    const tally = await replay([rows], sink);
    expect(sink.attempts.map(([record]) => (record?.data.byteLength ?? 0) > 900 * 1024)).toEqual([false, false]);
    expect(tally.stored).toBe(40);
  });

  test('of a row that is none tells so', async () => {
    const tally = await replay([[{ violation: '"raw" is missing.' }]], acceptAll());
    expect(tally.failing).toEqual([{ code: 'unreadable-row', reason: '"raw" is missing.', count: 1 }]);
  });

  test('without a sink only counts', async () => {
    expect(await replay([[good(0), bad(1)]], undefined)).toMatchObject({ read: 2, passed: 1, stored: 0 });
  });
});

describe('a replay that ends early', () => {
  test('because the stream refuses for long, says why and claims nothing', async () => {
    const tally = await replay(
      [[good(0)]],
      fakeSink(records => records),
    );
    expect(tally).toMatchObject({ passed: 1, stored: 0, stop: expect.stringMatching(/^attempt \d$/) });
  });

  test('because of Ctrl-C, puts nothing more', async () => {
    const interrupt = new AbortController();
    interrupt.abort();
    const sink = acceptAll();
    expect(await replay([[good(0)]], sink, interrupt.signal)).toMatchObject({ read: 0, stored: 0 });
    expect(sink.attempts).toEqual([]);
  });
});
