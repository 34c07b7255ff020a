import type { InvokeResult } from '../lambda.ts';
import { backOffMs, type Loop, type LoopControl, startLoop, type Timer } from '../loop.ts';
import type { Position, StreamRecord } from '../services/kinesis/kinesis.ts';

/** What survives a restart: where to go on, and the aggregate of the open tumbling window. */
export interface Checkpoint {
  readonly position: Position;
  readonly window?: { readonly startMs: number; readonly state: unknown } | undefined;
}

export interface LaneOptions {
  readonly batchSize: number;
  readonly batchingWindowMs: number;
  /** 0: no tumbling windows. */
  readonly tumblingWindowMs: number;
  readonly bisects: boolean;
  readonly reportsFailures: boolean;
  /** Negative: without limit, as is the age. */
  readonly maxRetries: number;
  readonly maxAgeMs: number;
  readonly accepts: (record: StreamRecord) => boolean;
  readonly read: (after: Position, limit: number) => Promise<StreamRecord[]>;
  /** `fields`: what an open tumbling window adds to the event. */
  readonly invoke: (records: readonly StreamRecord[], fields?: object) => Promise<InvokeResult>;
  readonly discard: (records: readonly StreamRecord[], why: Discard) => Promise<void>;
  readonly checkpoint: Checkpoint;
  readonly save: (checkpoint: Checkpoint) => void;
  readonly now: () => number;
  readonly timer: Timer;
  readonly log: (line: string) => void;
}

/** As an on-failure destination is told. */
export interface Discard {
  readonly requestId: string;
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly approximateInvokeCount: number;
}

interface Outcome {
  /** How many records from the first one on are done. */
  readonly done: number;
  readonly failed: boolean;
  readonly state?: unknown;
  readonly requestId: string;
}

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html and …/services-kinesis-windows.html
const maxPayloadBytes = 6 * 1024 * 1024;
const maxStateBytes = 1024 * 1024;
const envelopeBytes = 1000; // at most what the event adds to each record’s data
const windowGraceMs = 200; // a record put at the very end of a window becomes readable a moment later
const never = Number.POSITIVE_INFINITY;

/** Feeds one lane of a shard to a function, batch after batch in order, until stopped. */
export function startLane(options: LaneOptions): Loop {
  const { batchSize, tumblingWindowMs, maxRetries, maxAgeMs, now, log } = options;
  const pending: StreamRecord[] = [];
  let { position, window } = options.checkpoint;
  let readTo = position;
  let gatheringSinceMs = 0;

  const windowOf = ({ approximateArrivalTimestamp }: StreamRecord) =>
    tumblingWindowMs > 0 ? Math.floor(approximateArrivalTimestamp / tumblingWindowMs) * tumblingWindowMs : 0;

  /** The first `count` pending records need not come again. */
  function advance(count: number): void {
    const last = pending.splice(0, count).at(-1);
    position = pending.length === 0 ? readTo : (last?.sequenceNumber ?? position);
    options.save({ position, window });
  }

  async function gather(): Promise<void> {
    while (pending.length < batchSize) {
      const read = await options.read(readTo, batchSize);
      const last = read.at(-1);
      if (!last) break;
      if (pending.length === 0) gatheringSinceMs = now();
      readTo = last.sequenceNumber;
      pending.push(...read.filter(options.accepts));
    }
    if (pending.length === 0 && readTo !== position) advance(0);
  }

  /** The pending records that one invocation may hold: of one window, and of a bounded size. */
  function nextBatch(): StreamRecord[] {
    let bytes = window ? JSON.stringify(window.state).length : 0;
    const end = pending.findIndex((record, index) => {
      bytes += (record.data.length * 4) / 3 + envelopeBytes;
      const otherWindow = pending[0] && windowOf(record) !== windowOf(pending[0]);
      return index > 0 && (index === batchSize || bytes > maxPayloadBytes || otherWindow);
    });
    return pending.slice(0, end < 0 ? undefined : end);
  }

  async function step(control: LoopControl): Promise<number> {
    if (control.stopping()) return never;
    await gather();
    const batch = nextBatch();
    const [first] = batch;
    const closesInMs = window ? window.startMs + tumblingWindowMs + windowGraceMs - now() : never;
    if (window && (first ? windowOf(first) > window.startMs : closesInMs <= 0)) return closeWindow(control, false);
    const full = batch.length === batchSize || batch.length < pending.length;
    const dueInMs = first ? gatheringSinceMs + options.batchingWindowMs - now() : never;
    if (!first || (dueInMs > 0 && !full)) return Math.min(dueInMs, closesInMs);
    await process(batch, control);
    gatheringSinceMs = now();
    return 0;
  }

  /** Returns once each record is processed or given up; parts of a batch come from bisecting it. */
  async function process(batch: readonly StreamRecord[], control: LoopControl): Promise<void> {
    const parts = [{ records: batch, failures: 0 }];
    for (let part = parts.shift(); part && !control.stopping(); part = parts.shift()) {
      const { failures } = part;
      const records = await withoutExpired(part.records, failures);
      if (records.length === 0) continue;
      const { done, requestId, failed } = await attempt(records, control);
      const rest = records.slice(done);
      const middle = done > 0 ? 0 : rest.length >> 1;
      if (!failed || control.stopping()) continue;
      if (options.bisects && (done > 0 || middle > 0)) {
        // Splitting takes no attempt. Where the function says how far it came, it splits there.
        const halves = [rest.slice(0, middle), rest.slice(middle)].filter(half => half.length > 0);
        parts.unshift(...halves.map(half => ({ records: half, failures })));
      } else if (maxRetries >= 0 && failures >= maxRetries) {
        await giveUp(rest, { requestId, condition: 'RetryAttemptsExhausted', approximateInvokeCount: failures + 1 });
      } else {
        parts.unshift({ records: rest, failures: failures + 1 });
        await control.rest(backOffMs(failures));
      }
    }
  }

  async function withoutExpired(records: readonly StreamRecord[], failures: number): Promise<readonly StreamRecord[]> {
    const fresh = (record: StreamRecord) => maxAgeMs < 0 || record.approximateArrivalTimestamp + maxAgeMs > now();
    const kept = records.findIndex(fresh);
    const expired = kept < 0 ? records : records.slice(0, kept);
    if (expired.length === 0) return records;
    await giveUp(expired, { requestId: '', condition: 'RecordAgeExceeded', approximateInvokeCount: failures });
    return records.slice(expired.length);
  }

  async function giveUp(records: readonly StreamRecord[], why: Discard): Promise<void> {
    await options.discard(records, why);
    advance(records.length);
  }

  /** One invocation; what it did is saved. While Lambda cannot take it, it waits: that is no failure of the function. */
  async function attempt(
    records: readonly StreamRecord[],
    control: LoopControl,
    closing?: { early: boolean },
  ): Promise<Outcome> {
    const [first] = records;
    const open = window ?? { startMs: first ? windowOf(first) : 0, state: {} };
    for (let refusals = 0; ; refusals += 1) {
      try {
        const outcome = outcomeOf(await options.invoke(records, windowFields(open, closing)), records, options);
        if (outcome.failed && outcome.done === 0) return outcome;
        if (tumblingWindowMs > 0) window = { startMs: open.startMs, state: outcome.state };
        advance(outcome.done);
        const tooLarge = JSON.stringify(outcome.state ?? null).length > maxStateBytes;
        if (tooLarge && !closing) await closeWindow(control, true);
        return outcome;
      } catch (error) {
        if (refusals === 0) log(`waits: ${error instanceof Error ? error.message : error}`);
        if (control.stopping()) return { done: 0, failed: true, requestId: '' };
        await control.rest(backOffMs(refusals));
      }
    }
  }

  async function closeWindow(control: LoopControl, early: boolean): Promise<number> {
    for (let failures = 0; !control.stopping(); failures += 1) {
      const { failed } = await attempt([], control, { early });
      if (!failed || (maxRetries >= 0 && failures >= maxRetries && !control.stopping())) {
        window = undefined;
        advance(0);
        break;
      }
      await control.rest(backOffMs(failures));
    }
    return 0;
  }

  function windowFields({ startMs, state }: { startMs: number; state: unknown }, closing?: { early: boolean }) {
    if (tumblingWindowMs === 0) return undefined;
    const iso = (epochMs: number) => new Date(epochMs).toISOString().replace('.000Z', 'Z');
    const bounds = { start: iso(startMs), end: iso(startMs + tumblingWindowMs) };
    const ends = { isFinalInvokeForWindow: closing !== undefined, isWindowTerminatedEarly: closing?.early === true };
    return { window: bounds, state, ...ends };
  }

  return startLoop(options.timer, log, step);
}

/** https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html */
function outcomeOf(
  { requestId, error, payload }: InvokeResult,
  records: readonly StreamRecord[],
  options: LaneOptions,
): Outcome {
  const { state, batchItemFailures } = (payload ?? {}) as { state?: unknown; batchItemFailures?: unknown };
  const stateMissing = options.tumblingWindowMs > 0 && state === undefined;
  if (error || stateMissing) return { done: 0, failed: true, requestId };
  const reported = options.reportsFailures ? (batchItemFailures ?? []) : [];
  const failures: readonly { itemIdentifier?: unknown }[] = Array.isArray(reported) ? reported : [{}];
  const places = failures.map(failure =>
    records.findIndex(record => record.sequenceNumber === failure?.itemIdentifier),
  );
  // An identifier of no record fails the whole batch.
  const done = places.includes(-1) ? 0 : Math.min(records.length, ...places);
  return { done, failed: done < records.length, state, requestId };
}
