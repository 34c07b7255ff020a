import type { CsvRecord } from '../csv.ts';
import type { ImportEvent, Refusal, RowResult } from './events.ts';
import { type Delivery, maxBatchBytes, maxBatchEvents, type Sender } from './sender.ts';

/** A reason, the first row it was given for, and for how many. */
export interface RefusalReason extends Refusal {
  readonly count: number;
}

/** How an import stands. Rows read that are neither accepted nor refused were not answered for. */
export interface Tally {
  readonly rows: number;
  readonly accepted: number;
  readonly refused: number;
  /** The first few reasons for a refusal, in the file's order. */
  readonly reasons: readonly RefusalReason[];
  /** Why it ended before the file did. */
  readonly stop: string | undefined;
}

export interface ImportOptions {
  readonly rows: AsyncIterable<CsvRecord>;
  readonly mapRow: (record: CsvRecord, row: number) => RowResult;
  /** One for each batch that may be on its way at a time. */
  readonly senders: readonly Sender[];
  readonly maxRows: number;
  readonly signal: AbortSignal;
  readonly onTally: (tally: Tally) => void;
}

const maxReasonsKept = 10;

/**
 * Sends every row. A visitor's rows all take the same lane and a lane sends one batch at a time, so that they arrive in
 * the file's order, and no more than two batches a lane are ever in memory.
 */
export async function importRows(options: ImportOptions): Promise<Tally> {
  let tally: Tally = { rows: 0, accepted: 0, refused: 0, reasons: [], stop: undefined };

  function record({ acceptedCount, refusals, stop = tally.stop }: Delivery): void {
    const reasons = withReasons(tally.reasons, refusals);
    const accepted = tally.accepted + acceptedCount;
    tally = { ...tally, accepted, refused: tally.refused + refusals.length, reasons, stop };
    options.onTally(tally);
  }

  const isEnded = () => tally.stop !== undefined || options.signal.aborted;
  const lanes = options.senders.map(sender => createLane(sender, record, isEnded));
  for await (const csvRecord of options.rows) {
    if (tally.rows >= options.maxRows || isEnded()) break;
    tally = { ...tally, rows: tally.rows + 1 };
    const { event, refusal } = options.mapRow(csvRecord, tally.rows);
    if (refusal) record({ acceptedCount: 0, refusals: [refusal] });
    else await lanes[laneOf(event, lanes.length)]?.add(event);
  }
  await Promise.all(lanes.map(lane => lane.finish()));
  return tally;
}

function withReasons(reasons: readonly RefusalReason[], refusals: readonly Refusal[]): readonly RefusalReason[] {
  const byReason = new Map(reasons.map(known => [known.reason, known]));
  for (const refusal of refusals) {
    const known = byReason.get(refusal.reason);
    byReason.set(refusal.reason, known ? { ...known, count: known.count + 1 } : { ...refusal, count: 1 });
  }
  return [...byReason.values()].sort((a, b) => a.row - b.row).slice(0, maxReasonsKept);
}

interface Lane {
  /** Resolves once there is room for the next event. */
  readonly add: (event: ImportEvent) => Promise<void>;
  /** Sends what is left and resolves when everything has been answered. */
  readonly finish: () => Promise<void>;
}

function createLane(send: Sender, onDelivery: (delivery: Delivery) => void, isEnded: () => boolean): Lane {
  let waiting: ImportEvent[] = [];
  let waitingBytes = 0;
  let inFlight: Promise<void> = Promise.resolve();

  async function dispatch(): Promise<void> {
    await inFlight;
    if (isEnded()) return;
    const batch = waiting;
    waiting = [];
    waitingBytes = 0;
    inFlight = send(batch).then(onDelivery);
    // Heard by whoever awaits it next; until then Node would take it for unhandled and end the process.
    inFlight.catch(() => {});
  }

  return {
    add: async event => {
      if (waitingBytes + event.bytes > maxBatchBytes) await dispatch();
      waiting.push(event);
      waitingBytes += event.bytes;
      if (waiting.length === maxBatchEvents) await dispatch();
    },
    finish: async () => {
      if (waiting.length > 0) await dispatch();
      await inFlight;
    },
  };
}

/** FNV-1a over the visitor's id, for lanes that are about equally long. */
function laneOf({ userId, anonymousId }: ImportEvent, laneCount: number): number {
  let hash = 0x811c9dc5;
  for (const character of anonymousId ?? userId ?? '') {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return (hash >>> 0) % laneCount;
}
