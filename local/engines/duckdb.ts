import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { EngineReply, EngineRequest } from './duckdb-child.ts';

export interface EngineColumn {
  readonly name: string;
  /** As DuckDB spells it: `VARCHAR`, `DECIMAL(18,2)`, `STRUCT(a INTEGER)[]`. */
  readonly type: string;
}

/** 64-bit integers are bigint, dates and timestamps Date, lists arrays, structs objects. */
export interface EngineResult {
  readonly columns: readonly EngineColumn[];
  readonly rows: unknown[][];
}

/** DuckDB in a process of its own: in ours, its scans would starve libuv's threads and every file read with them. */
export interface Duckdb {
  /** One statement's rows, at most `maxRows` (default 100,000) since all are held here; write more to a file with `COPY`. */
  readonly query: (sql: string, options?: { signal?: AbortSignal; maxRows?: number }) => Promise<EngineResult>;
  /** The columns that a query would answer, without running it. */
  readonly columns: (sql: string) => Promise<readonly EngineColumn[]>;
  /** Any statements, their rows dropped. Calls run side by side, each on its own connection. */
  readonly run: (sql: string, options?: { signal?: AbortSignal }) => Promise<void>;
  /** Ends the process; what is under way fails. */
  readonly stop: () => Promise<void>;
}

export interface DuckdbOptions {
  /** The only folder SQL may read or write, with everything below it. */
  readonly dir: string;
  readonly log: (line: string) => void;
  /** For tests: the engine's memory in MB. Larger work spills to `dir`. */
  readonly memoryMb?: number;
}

/** The engine refused or failed a statement; `message` is DuckDB's own. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
}

interface Pending {
  readonly columns: EngineColumn[];
  readonly rows: unknown[][];
  readonly settle: (error?: Error) => void;
}

const childFile = fileURLToPath(new URL('./duckdb-child.ts', import.meta.url));
const defaultMaxRows = 100_000;
/** What ignores its interrupt for longer is ended with its process; others under way in it fail, and their callers try again. */
const interruptGraceMs = 2000;

/** The process starts with the first statement and again after a crash. */
export function createDuckdb({ dir, log, memoryMb = 512 }: DuckdbOptions): Duckdb {
  const pending = new Map<number, Pending>();
  let child: ChildProcess | undefined;
  let stopped = false;
  let lastId = 0;

  function start(): ChildProcess {
    mkdirSync(dir, { recursive: true });
    const started = fork(childFile, [dir, String(memoryMb)], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
      // Nothing of ours is inherited. A statement holds a libuv thread while it runs: more threads than statements.
      env: { UV_THREADPOOL_SIZE: '16', MALLOC_ARENA_MAX: '2' },
    });
    started.stderr?.setEncoding('utf8').on('data', (text: string) => log(`duckdb: ${text.trimEnd()}`));
    started.on('message', receive);
    started.on('error', error => log(`duckdb: ${error.message}`));
    started.once('exit', (code, signal) => {
      if (child === started) child = undefined;
      const how = signal ?? `exit code ${code}`;
      const sentence = stopped ? 'The query engine was stopped' : `The query engine stopped (${how}); try again`;
      if (!stopped) log(`duckdb: ${sentence}`);
      for (const { settle } of [...pending.values()]) settle(new EngineError(sentence));
    });
    return started;
  }

  function receive(message: unknown): void {
    const reply = message as EngineReply;
    const call = pending.get(reply.id);
    if (!call) return;
    if (reply.columns) call.columns.push(...reply.columns);
    // Not push(...rows): a chunk can be larger than an argument list may be.
    for (const row of reply.rows ?? []) call.rows.push(row);
    if (reply.error !== undefined) call.settle(new EngineError(reply.error));
    else if (reply.done) call.settle();
  }

  function execute(
    statement: { sql: string; want: 'nothing' | 'columns' | 'rows'; maxRows: number },
    signal?: AbortSignal,
  ): Promise<EngineResult> {
    if (stopped) return Promise.reject(new EngineError('The query engine was stopped'));
    if (signal?.aborted) return Promise.reject(signal.reason);
    child ??= start();
    const id = ++lastId;
    const { promise, resolve, reject } = Promise.withResolvers<EngineResult>();
    const columns: EngineColumn[] = [];
    const rows: unknown[][] = [];
    const interrupt = () => {
      send({ id, interrupt: true });
      setTimeout(() => pending.has(id) && child?.kill('SIGKILL'), interruptGraceMs).unref();
    };
    const settle = (error?: Error) => {
      pending.delete(id);
      signal?.removeEventListener('abort', interrupt);
      if (signal?.aborted) reject(signal.reason);
      else if (error) reject(error);
      else resolve({ columns, rows });
    };
    pending.set(id, { columns, rows, settle });
    signal?.addEventListener('abort', interrupt);
    send({ id, ...statement });
    return promise;
  }

  function send(request: EngineRequest): void {
    // A failed send means that the process is going; its exit settles the call.
    if (child?.connected) child.send(request, () => {});
  }

  return {
    query: (sql, { maxRows = defaultMaxRows, signal } = {}) => execute({ sql, want: 'rows', maxRows }, signal),
    columns: async sql => (await execute({ sql, want: 'columns', maxRows: 0 })).columns,
    run: async (sql, { signal } = {}) => void (await execute({ sql, want: 'nothing', maxRows: 0 }, signal)),
    stop: async () => {
      stopped = true;
      const running = child;
      if (!running || running.exitCode !== null || running.signalCode !== null) return;
      const exited = once(running, 'exit');
      running.kill('SIGKILL');
      await exited;
    },
  };
}
