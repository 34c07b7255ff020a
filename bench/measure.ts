/** A figure of several rounds. */
export interface Figure {
  /** Of the rounds. */
  readonly median: number;
  /** (p90 − p10) ÷ median: how far to trust it. 0 for what was counted. */
  readonly spread: number;
}

/** One variant's work of a round; every variant does the same amount. */
export type Work = () => unknown;

/** Milliseconds that the two variants took in one round. */
export interface Round {
  readonly oursMs: number;
  readonly peerMs: number;
}

/**
 * Times two variants in turn, so that whatever else the machine does meets both. Which one goes first changes from round
 * to round: the second inherits the first's garbage and its warm caches.
 */
export async function interleave(ours: Work, peer: Work, rounds: number, clock = wallMs): Promise<Round[]> {
  const timed: Round[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      const oursMs = await timeOf(ours, clock);
      timed.push({ oursMs, peerMs: await timeOf(peer, clock) });
    } else {
      const peerMs = await timeOf(peer, clock);
      timed.push({ oursMs: await timeOf(ours, clock), peerMs });
    }
  }
  return timed;
}

async function timeOf(work: Work, clock: () => number): Promise<number> {
  const startedAt = clock();
  await work();
  return clock() - startedAt;
}

const wallMs = () => performance.now();

/**
 * Milliseconds of processor time of this process, its garbage collector's threads included: for work that waits for
 * nothing, so that other programs on the machine do not count.
 */
export function processorMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** How fast ours is, where the peer is 1. */
export const speedOf = (rounds: readonly Round[]): Figure => figureOf(rounds.map(round => round.peerMs / round.oursMs));

/** How long ours takes, where the peer takes 1. */
export const timesOf = (rounds: readonly Round[]): Figure => figureOf(rounds.map(round => round.oursMs / round.peerMs));

/** Median and spread. Throws a RangeError where there is nothing to summarise. */
export function figureOf(values: readonly number[]): Figure {
  const median = quantile(values, 0.5);
  return { median, spread: (quantile(values, 0.9) - quantile(values, 0.1)) / median };
}

/** A figure that was counted and not timed: it is the same in every run. */
export const counted = (value: number): Figure => ({ median: value, spread: 0 });

/** The value that the given share of the values does not exceed, interpolated between neighbours. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const position = (sorted.length - 1) * share;
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]];
  if (below === undefined || above === undefined) throw new RangeError('A quantile needs at least one value.');
  return below + (above - below) * (position - Math.floor(position));
}
