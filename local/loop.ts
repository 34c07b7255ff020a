/** Calls back after a delay unless cancelled: the seam by which tests move time themselves. */
export type Timer = (delayMs: number, callback: () => void) => () => void;

export const systemTimer: Timer = (delayMs, callback) => {
  const timeout = setTimeout(callback, delayMs);
  return () => clearTimeout(timeout);
};

export interface LoopControl {
  /** Once true, what is begun is finished and nothing new is begun. */
  readonly stopping: () => boolean;
  /** Sleeps; only a stop ends it early. */
  readonly rest: (ms: number) => Promise<void>;
}

export interface Loop {
  /** There is something new. Never missed, also while a step is under way. */
  readonly notify: () => void;
  readonly stop: () => Promise<void>;
}

const firstBackOffMs = 100;
const maxBackOffMs = 30_000;

/** How long to wait after that many failures before. */
export const backOffMs = (failures: number) => Math.min(maxBackOffMs, firstBackOffMs * 2 ** failures);

/**
 * Calls `step` until it is stopped and has nothing left to do. A step answers in how many ms it wants to be called again
 * unless something new comes: 0 after any work, Infinity to sleep. One that throws is logged and called again later.
 */
export function startLoop(
  timer: Timer,
  log: (line: string) => void,
  step: (control: LoopControl) => Promise<number>,
): Loop {
  let stopping = false;
  let notified = false;
  let wake = (_isStop: boolean) => {};

  async function sleep(ms: number, onlyStopWakes = false): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = Number.isFinite(ms) ? timer(ms, resolve) : undefined;
    wake = isStop => (isStop || !onlyStopWakes) && resolve();
    if (stopping || (notified && !onlyStopWakes)) resolve();
    await promise;
    cancel?.();
  }

  const rest = (ms: number) => sleep(ms, true);

  async function run(): Promise<void> {
    for (let failures = 0; ; ) {
      try {
        notified = false;
        const waitMs = await step({ stopping: () => stopping, rest });
        failures = 0;
        if (waitMs > 0 && stopping) return;
        if (waitMs > 0) await sleep(waitMs);
      } catch (error) {
        log(`will try again: ${error instanceof Error ? error.message : error}`);
        if (stopping) return;
        await rest(backOffMs(failures));
        failures += 1;
      }
    }
  }

  const running = run();
  return {
    notify() {
      notified = true;
      wake(false);
    },
    stop() {
      stopping = true;
      wake(true);
      return running;
    },
  };
}
