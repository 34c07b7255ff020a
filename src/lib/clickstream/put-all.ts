import { putRule } from './limits.ts';
import type { PackedRecord } from './pack.ts';

/** What one attempt left undone, and why. */
interface PutResult {
  readonly refused: readonly PackedRecord[];
  readonly cause?: unknown;
}

/** Where records become durable. One call is one attempt; it rejects only where trying again cannot help. */
export interface RecordSink {
  readonly put: (records: readonly PackedRecord[]) => Promise<PutResult>;
}

export interface Clock {
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** From 0 up to 1. */
  readonly random: () => number;
}

/**
 * Puts records, and puts again only those that were refused, within `putRule`. Waits between attempts are random ("full
 * jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so that functions that were
 * throttled together do not come back together. What is still refused at the end is in the result.
 */
export async function putAll(records: readonly PackedRecord[], sink: RecordSink, clock: Clock): Promise<PutResult> {
  if (records.length === 0) return { refused: [] };
  const startedMs = clock.now();
  let result = await sink.put(records);
  for (let attempt = 1; attempt < putRule.maxAttempts && result.refused.length > 0; attempt++) {
    const delayMs = clock.random() * Math.min(putRule.maxDelayMs, putRule.baseDelayMs * 2 ** attempt);
    if (clock.now() + delayMs - startedMs > putRule.lastStartMs) break;
    await clock.sleep(delayMs);
    result = await sink.put(result.refused);
  }
  return result;
}
