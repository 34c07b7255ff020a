import type { PackedRecord } from '../../../src/lib/clickstream/pack.ts';
import type { Clock, RecordSink } from '../../../src/lib/clickstream/put-all.ts';

export interface FakeSink extends RecordSink {
  /** The records of each attempt. */
  readonly attempts: (readonly PackedRecord[])[];
}

/** A sink that refuses, at each attempt, what `refuse` picks. */
export function fakeSink(
  refuse: (records: readonly PackedRecord[], attempt: number) => readonly PackedRecord[],
): FakeSink {
  const attempts: (readonly PackedRecord[])[] = [];
  return {
    attempts,
    put: async records => {
      attempts.push(records);
      return { refused: refuse(records, attempts.length), cause: `attempt ${attempts.length}` };
    },
  };
}

/** A clock that stands still but for sleeping. */
export function fakeClock(): Clock & { readonly sleptMs: number[] } {
  const sleptMs: number[] = [];
  return {
    sleptMs,
    now: () => 1_000_000 + sleptMs.reduce((sum, milliseconds) => sum + milliseconds, 0),
    random: () => 1,
    sleep: async milliseconds => {
      sleptMs.push(milliseconds);
    },
  };
}
