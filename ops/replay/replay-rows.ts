import type { Device } from '../../src/lib/clickstream/device.ts';
import type { FailedEvent } from '../../src/lib/clickstream/failed-event.ts';
import { maxRecordBytes } from '../../src/lib/clickstream/limits.ts';
import { packLines } from '../../src/lib/clickstream/pack.ts';
import { type Clock, putAll, type RecordSink } from '../../src/lib/clickstream/put-all.ts';
import { replayEvent } from '../../src/lib/clickstream/replay.ts';
import type { FailedRow } from './failed-rows.ts';

/** Why failed events still fail, in the words of the first of them, and how many they are. */
export interface StillFailing {
  readonly code: string;
  readonly reason: string;
  readonly count: number;
}

/** How a replay stands. What was read and is neither stored nor failing was not put: the replay ended before. */
export interface ReplayTally {
  readonly read: number;
  readonly passed: number;
  /** Passed, but another row of this replay had the same message id: its tracker sent it again. */
  readonly duplicates: number;
  readonly stored: number;
  readonly failing: readonly StillFailing[];
  /** Why the stream took no more. */
  readonly stop?: unknown;
}

export interface ReplayOptions {
  readonly pages: AsyncIterable<readonly FailedRow[]>;
  /** Absent for a dry run. */
  readonly sink: RecordSink | undefined;
  readonly clock: Clock;
  readonly deviceOf: (userAgent: string | undefined) => Device;
  readonly signal: AbortSignal;
  readonly onTally: (tally: ReplayTally) => void;
}

/**
 * Puts each row through today's rules and stores what passes, record by record, in the order of the rows. Ends early
 * where the stream refuses a record for longer than putAll tries, or the signal is aborted: what was put stays put.
 */
export async function replayRows(options: ReplayOptions): Promise<ReplayTally> {
  const { pages, sink, clock, deviceOf, signal, onTally } = options;
  const passedIds = new Set<string>();
  let tally: ReplayTally = { read: 0, passed: 0, duplicates: 0, stored: 0, failing: [] };
  const change = (changed: Partial<ReplayTally>) => {
    tally = { ...tally, ...changed };
  };
  const isEnded = () => signal.aborted || tally.stop !== undefined;
  const lines = createLineBuffer(async (text, lineCount) => {
    if (sink === undefined || isEnded()) return;
    const { refused, cause } = await putAll(packLines(text, partitionKeyOf(text)), sink, clock);
    change(refused.length === 0 ? { stored: tally.stored + lineCount } : { stop: cause ?? 'no reason was given' });
  });

  async function replay(row: FailedEvent): Promise<void> {
    const outcome = replayEvent(row, { deviceOf });
    if (typeof outcome !== 'string') return change({ failing: withFailure(tally.failing, outcome) });
    const id = row.event_id ?? row.ingest_id;
    if (passedIds.has(id)) return change({ duplicates: tally.duplicates + 1 });
    passedIds.add(id);
    change({ passed: tally.passed + 1 });
    await lines.add(`${outcome}\n`);
  }

  for await (const rows of pages) {
    for (const row of rows) {
      if (isEnded()) return tally;
      change({ read: tally.read + 1 });
      if ('row' in row) await replay(row.row);
      else change({ failing: withFailure(tally.failing, { code: 'unreadable-row', reason: row.violation }) });
    }
    onTally(tally);
  }
  await lines.flush();
  return tally;
}

/** Gathers lines to the size of one record. */
function createLineBuffer(write: (text: string, lineCount: number) => Promise<void>) {
  let text = '';
  let bytes = 0;
  let lineCount = 0;

  async function flush(): Promise<void> {
    const [full, fullCount] = [text, lineCount];
    text = '';
    bytes = 0;
    lineCount = 0;
    if (fullCount > 0) await write(full, fullCount);
  }

  async function add(line: string): Promise<void> {
    const lineBytes = Buffer.byteLength(line);
    if (bytes + lineBytes > maxRecordBytes) await flush();
    text += line;
    bytes += lineBytes;
    lineCount++;
  }

  return { add, flush };
}

/** Any key will do: order is kept by `(received_at, ingest_seq)`. That of the first event spreads records over shards. */
const partitionKeyOf = (text: string): string => /"ingest_id":"([^"]{1,200})"/.exec(text)?.[1] ?? 'replay';

function withFailure(failing: readonly StillFailing[], { code, reason }: Omit<StillFailing, 'count'>): StillFailing[] {
  const isKnown = failing.some(known => known.code === code);
  if (!isKnown) return [...failing, { code, reason, count: 1 }];
  return failing.map(known => (known.code === code ? { ...known, count: known.count + 1 } : known));
}
