import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time, chance and ids of the machine: passed to the use cases, which take none of them by themselves. */
export const systemClock = {
  now: Date.now,
  random: Math.random,
  newId: () => randomUUID(),
  sleep: (milliseconds: number): Promise<void> => sleep(milliseconds),
};
