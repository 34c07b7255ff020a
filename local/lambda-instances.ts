import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { Worker } from 'node:worker_threads';
import { AwsError } from './gate/service.ts';
import type { InvokeResult } from './lambda.ts';
import type { FunctionError, Invocation, WorkerMessage } from './lambda-worker.ts';

export type Instances = ReturnType<typeof createInstances>;

export interface InstanceOptions {
  readonly taskRoot: string;
  readonly handler: string;
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMb: number;
  readonly idleMs: number;
  readonly log: (line: string) => void;
}

interface Job {
  readonly invocation: Invocation;
  readonly resolve: (result: InvokeResult) => void;
  readonly refuse: () => void;
  readonly expiry: NodeJS.Timeout;
}

const maxInstances = 4;

/** The execution environments of one function: worker threads that start when needed and run one invocation at a time. */
export function createInstances(options: InstanceOptions) {
  const workers = new Set<Worker>();
  const waiting = new Set<Job>();
  /** Wakes idle instances, the last used first: those that the load does not need grow old and go. */
  const idle: (() => void)[] = [];
  let stopped = false;

  /** Rejects with TooManyRequestsException where no instance came free within `maxWaitMs`. */
  function run(invocation: Invocation, maxWaitMs: number): Promise<InvokeResult> {
    return new Promise((resolve, reject) => {
      const refuse = () => {
        waiting.delete(job);
        clearTimeout(job.expiry);
        reject(new AwsError('TooManyRequestsException', 'Rate Exceeded.', 429));
      };
      const job: Job = { invocation, resolve, refuse, expiry: setTimeout(refuse, maxWaitMs) };
      waiting.add(job);
      const wake = idle.pop();
      if (wake) wake();
      else if (stopped) refuse();
      else if (workers.size < maxInstances) start();
    });
  }

  function start(): void {
    const worker = startWorker(options);
    workers.add(worker);
    let job: Job | undefined;
    let startedAt = 0;
    let logs: string[] = [];
    let fatal: FunctionError | undefined;
    let timer: NodeJS.Timeout | undefined;

    function next(): void {
      clearTimeout(timer);
      [job] = waiting;
      if (job) {
        waiting.delete(job);
        clearTimeout(job.expiry);
        startedAt = performance.now();
        worker.postMessage(job.invocation);
        timer = setTimeout(timeOut, job.invocation.timeoutMs, job.invocation.timeoutMs);
      } else {
        idle.push(next);
        timer = setTimeout(retire, options.idleMs).unref();
      }
    }

    function retire(): void {
      if (idle.includes(next)) idle.splice(idle.indexOf(next), 1);
      worker.terminate();
    }

    function timeOut(timeoutMs: number): void {
      fatal = sandboxError('Sandbox.Timedout', `Task timed out after ${(timeoutMs / 1000).toFixed(2)} seconds`);
      worker.terminate();
    }

    function sandboxError(errorType: string, what: string): FunctionError {
      return { errorType, errorMessage: `RequestId: ${job?.invocation.requestId} Error: ${what}` };
    }

    function settle(result: Pick<InvokeResult, 'payload' | 'error'>): void {
      const durationMs = performance.now() - startedAt;
      job?.resolve({ ...result, requestId: job.invocation.requestId, logs, durationMs });
      logs = [];
    }

    worker.on('message', (message: WorkerMessage) => {
      if ('log' in message) {
        logs.push(message.log);
        options.log(message.log);
      } else if ('fatal' in message) {
        fatal = message.fatal;
      } else {
        settle('error' in message ? { payload: null, error: message.error } : { payload: JSON.parse(message.payload) });
        next();
      }
    });
    // Out of memory: the one end that the worker cannot tell of itself.
    worker.on('error', () => {
      fatal = sandboxError('Runtime.ExitError', 'Runtime exited with error: signal: killed');
    });
    worker.on('exit', code => {
      clearTimeout(timer);
      retire();
      workers.delete(worker);
      const how = code === 0 ? 'without providing a reason' : `with error: exit status ${code}`;
      settle({ payload: null, error: fatal ?? sandboxError('Runtime.ExitError', `Runtime exited ${how}`) });
      if (waiting.size > 0) start();
    });
    next();
  }

  async function stop(): Promise<void> {
    stopped = true;
    for (const job of waiting) job.refuse();
    await Promise.all([...workers].map(worker => worker.terminate()));
  }

  return { run, stop };
}

/** Types are stripped once, here: a worker that loads a `.ts` file brings a stripper of its own, 11 MB and 25 ms each. */
let workerSource: string | undefined;

function startWorker({ taskRoot, handler, env, memoryMb }: InstanceOptions): Worker {
  workerSource ??= stripTypeScriptTypes(readFileSync(new URL('./lambda-worker.ts', import.meta.url), 'utf8'));
  return new Worker(workerSource, {
    eval: true,
    env,
    execArgv: ['--input-type=module'],
    workerData: { taskRoot, handler },
    // Lambda gives Node nine tenths of the function's memory as old space; the young space's ceiling is ours.
    resourceLimits: { maxOldGenerationSizeMb: Math.floor(memoryMb * 0.9), maxYoungGenerationSizeMb: 16 },
  });
}
