import type { Effect, Fault, FaultTarget } from './faults.ts';

/** What each service says when it is asked for too much, as a whole call and record by record. */
const throttles: Readonly<Record<string, { readonly code: string; readonly status: number }>> = {
  kinesis: { code: 'ProvisionedThroughputExceededException', status: 400 },
  firehose: { code: 'ServiceUnavailableException', status: 500 },
};
const anyThrottle = { code: 'ThrottlingException', status: 400 };
const batchActions: ReadonlySet<string> = new Set(['PutRecords', 'PutRecordBatch']);
/** Late enough to be felt, well within the time-outs of the functions' clients. */
const late: Effect = { kind: 'slow', delayMs: 400 };

function effectsOf({ service, action }: FaultTarget): readonly Effect[] {
  const throttle = throttles[service] ?? anyThrottle;
  return [
    { kind: 'error', ...throttle },
    { kind: 'error', code: 'InternalFailure', status: 500 },
    { kind: 'reset', carriedOut: false },
    { kind: 'reset', carriedOut: true },
    late,
    ...(batchActions.has(action) ? [{ kind: 'refuse-records', share: 0.5, code: throttle.code } as const] : []),
  ];
}

/** Bad weather: this share of the functions' calls (from 0 to 1) meets a fault, each kind that the call knows as often. */
export function createChaos(rate: number, random: () => number): Fault {
  return {
    probability: rate,
    effect: target => {
      const effects = effectsOf(target);
      return effects[Math.floor(random() * effects.length)] ?? late;
    },
  };
}

/** Numbers from 0 up to 1, the same ones for the same seed: mulberry32, https://gist.github.com/tommyettinger/46a874533244883189143505d203312c */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
