import type { Figure } from './measure.ts';
import type { BenchStage } from './stage.ts';

export interface Target {
  readonly kind: 'at least' | 'at most';
  readonly value: number;
}

export const atLeast = (value: number): Target => ({ kind: 'at least', value });
export const atMost = (value: number): Target => ({ kind: 'at most', value });

/** One line of the table. */
export interface Result extends Figure {
  /** The row of DESIGN's table, with a letter where that row has several figures: `3a`. */
  readonly id: string;
  readonly name: string;
  readonly target: Target;
  /** Absent for plain ratios: `KB`, `ms`, `units`. */
  readonly unit?: string;
}

/** What a row may use. */
export interface BenchContext {
  /** How many of something to do, of which a quick run does a tenth, but at least `least`. */
  readonly amount: (full: number, least?: number) => number;
  /** The local cloud of this run, started by the first row that asks. */
  readonly stage: () => Promise<BenchStage>;
  /** What `sls package` made. */
  readonly packageDir: () => Promise<string>;
  /** A folder that goes with the run. */
  readonly workDir: string;
}

export interface Row {
  readonly id: number;
  readonly run: (context: BenchContext) => Promise<Result[]>;
}

/** A row that moved events did not end with those it began with: its figure means nothing, and the run fails. */
export class LostEvents extends Error {
  override readonly name = 'LostEvents';
}

/** Throws LostEvents unless as many events came out as went in. */
export function checkBooks(what: string, eventsIn: number, eventsOut: number): void {
  if (eventsIn !== eventsOut) throw new LostEvents(`${what}: ${eventsIn} events went in and ${eventsOut} came out.`);
}

export function isMet({ median, target }: Pick<Result, 'median' | 'target'>): boolean {
  return target.kind === 'at least' ? median >= target.value : median <= target.value;
}
