import { describe, expect, it } from 'vitest';
import { type LoopControl, startLoop, type Timer } from '../../local/loop.ts';

const forever = Number.POSITIVE_INFINITY;

/** A loop whose timers end at once and are written down, with the answers of its steps in order; then it sleeps. */
function loopOf(...steps: ((control: LoopControl) => number | Promise<number>)[]) {
  const waited: number[] = [];
  const log: string[] = [];
  let calls = 0;
  const timer: Timer = (delayMs, callback) => {
    waited.push(delayMs);
    const immediate = setImmediate(callback);
    return () => clearImmediate(immediate);
  };
  const loop = startLoop(
    timer,
    line => log.push(line),
    async control => {
      calls += 1;
      return (await steps[calls - 1]?.(control)) ?? forever;
    },
  );
  return { loop, waited, log, calls: () => calls };
}

const fail = () => {
  throw new Error('down');
};

describe('a loop', () => {
  it('steps again at once after work, and then when it asked to', async () => {
    const { loop, waited, calls } = loopOf(
      () => 0,
      () => 500,
    );
    await expect.poll(calls).toBe(3);
    expect(waited).toEqual([500]);
    await loop.stop();
  });

  it('misses nothing that comes while a step is under way', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: notified, resolve: finish } = Promise.withResolvers<void>();
    const { loop, calls } = loopOf(async () => {
      begin();
      await notified;
      return forever;
    });
    await begun;
    loop.notify();
    finish();
    await expect.poll(calls).toBe(2);
    await loop.stop();
  });

  it('backs off after failures, each time longer, and begins anew after a success', async () => {
    const { loop, waited, log, calls } = loopOf(fail, fail, () => 0, fail);
    await expect.poll(calls).toBe(5);
    expect(waited).toEqual([100, 200, 100]);
    expect(log[0]).toContain('down');
    await loop.stop();
  });

  it('finishes what there is to do when it is stopped, but tries nothing again', async () => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
    const { loop, calls } = loopOf(
      async () => {
        begin();
        await stopped;
        return 0;
      },
      () => 0,
      fail,
    );
    await begun;
    const ended = loop.stop();
    stop();
    await ended;
    expect(calls()).toBe(3);
  });

  it('rests through news, not through a stop', async () => {
    const steps: string[] = [];
    const { promise: resting, resolve: rests } = Promise.withResolvers<void>();
    const { loop } = loopOf(async ({ rest }) => {
      const rested = rest(forever).then(() => steps.push('rested'));
      rests();
      await rested;
      return forever;
    });
    await resting;
    loop.notify();
    await new Promise(resolve => setImmediate(resolve));
    expect(steps).toEqual([]);
    await loop.stop();
    expect(steps).toEqual(['rested']);
  });
});
