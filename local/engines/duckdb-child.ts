/** The engine's process: statements in, rows out, over the IPC channel. It lives as long as that channel. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBPreparedStatement,
  type DuckDBResult,
} from '@duckdb/node-api';
import type { EngineColumn } from './duckdb.ts';

export type EngineRequest =
  | {
      readonly id: number;
      readonly sql: string;
      readonly want: 'nothing' | 'columns' | 'rows';
      readonly maxRows: number;
    }
  | { readonly id: number; readonly interrupt: true };

export interface EngineReply {
  readonly id: number;
  readonly columns?: EngineColumn[];
  readonly rows?: unknown[][];
  readonly done?: true;
  readonly error?: string;
}

interface Job {
  connection?: DuckDBConnection;
  interrupted?: NodeJS.Timeout;
}

const interruptEveryMs = 20;
const [dir = '', memoryMb = '512'] = process.argv.slice(2);
const jobs = new Map<number, Job>();
const instance = open();
instance.catch(error => {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exit(1);
});

process.on('message', (request: EngineRequest) => {
  if ('interrupt' in request) interrupt(request.id);
  else void execute(request);
});
// SIGKILL, since process.exit would wait for a statement that still runs. Nothing is held that could be lost.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// Ctrl-C reaches the whole process group, but the parent still needs us to write what it has buffered.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

async function open(): Promise<DuckDBInstance> {
  const opened = await DuckDBInstance.create(':memory:', {
    threads: '2',
    memory_limit: `${memoryMb}MB`,
    temp_directory: join(dir, 'duckdb-spill'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await opened.connect();
  await connection.run(`
    SET GLOBAL TimeZone = 'UTC';
    -- The parser asks for it: it must be there before the macros.
    SET GLOBAL integer_division = true;
    -- Athena plans over empty stand-ins of its tables; with statistics their emptiness would prune the plan.
    SET GLOBAL disabled_optimizers = 'statistics_propagation'`);
  await connection.run(readFileSync(new URL('./trino/functions.sql', import.meta.url), 'utf8'));
  await connection.run(`
    SET allowed_directories = ['${dir.replaceAll("'", "''")}'];
    SET enable_external_access = false;
    SET lock_configuration = true`);
  connection.closeSync();
  return opened;
}

async function execute({ id, sql, want, maxRows }: Exclude<EngineRequest, { interrupt: true }>): Promise<void> {
  const job: Job = {};
  jobs.set(id, job);
  try {
    const connection = await (await instance).connect();
    job.connection = connection;
    if (job.interrupted) throw new Error('INTERRUPT Error: Interrupted!');
    if (want === 'rows') await sendRows(id, await connection.stream(sql), maxRows);
    else if (want === 'columns') await sendColumns(id, await connection.prepare(sql));
    else await connection.run(sql);
    await send({ id, done: true });
  } catch (error) {
    await send({ id, error: error instanceof Error ? error.message : String(error) });
  } finally {
    clearInterval(job.interrupted);
    job.connection?.closeSync();
    jobs.delete(id);
  }
}

function sendColumns(id: number, source: DuckDBResult | DuckDBPreparedStatement): Promise<void> {
  const columns = Array.from({ length: source.columnCount }, (_, index) => ({
    name: source.columnName(index),
    type: source.columnType(index).alias ?? String(source.columnType(index)),
  }));
  return send({ id, columns });
}

async function sendRows(id: number, result: DuckDBResult, maxRows: number): Promise<void> {
  await sendColumns(id, result);
  let left = maxRows;
  for await (const rows of result.yieldRowsJs()) {
    await send({ id, rows: rows.slice(0, left) });
    left -= rows.length;
    if (left <= 0) return;
  }
}

/** Again and again until the job ends: DuckDB forgets an interrupt that comes just before the statement begins. */
function interrupt(id: number): void {
  const job = jobs.get(id);
  if (!job || job.interrupted) return;
  job.connection?.interrupt();
  job.interrupted = setInterval(() => job.connection?.interrupt(), interruptEveryMs);
}

/** Resolves once the channel has taken the message, so that a large result never queues up here. */
function send(reply: EngineReply): Promise<void> {
  return new Promise(resolve => {
    if (process.connected) process.send?.(reply, () => resolve());
    else resolve();
  });
}
