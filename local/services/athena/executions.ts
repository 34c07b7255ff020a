import { randomUUID } from 'node:crypto';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../engines/duckdb.ts';
import { trinoReason } from '../../engines/trino/errors.ts';
import { ScanLimitError } from '../../engines/trino/query.ts';
import { type ResultColumn, type Statement, statementOf } from '../../engines/trino/statements.ts';
import { TrinoError } from '../../engines/trino/text.ts';
import { AwsError } from '../../gate/service.ts';
import type { CloudContext } from '../../part.ts';
import type { AthenaDependencies } from './athena.ts';

/** A query as GetQueryExecution answers it. */
interface QueryExecution {
  readonly QueryExecutionId: string;
  readonly Query: string;
  readonly StatementType: Statement['type'];
  readonly SubstatementType: string;
  readonly WorkGroup: string;
  readonly ExecutionParameters?: readonly string[] | undefined;
  readonly QueryExecutionContext: { readonly Database: string; readonly Catalog: 'awsdatacatalog' };
  /** `s3://bucket/prefix/id.csv` */
  readonly ResultConfiguration: { readonly OutputLocation: string };
  readonly Status: {
    readonly State: 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';
    readonly StateChangeReason?: string;
    /** Epoch seconds, as on the wire. */
    readonly SubmissionDateTime: number;
    readonly CompletionDateTime?: number;
  };
  readonly Statistics: Readonly<Record<string, number>>;
  readonly EngineVersion: { readonly EffectiveEngineVersion: string };
}

export interface Execution {
  readonly sequence: number;
  readonly token: string | undefined;
  readonly maxBytes: number | undefined;
  readonly columns: readonly ResultColumn[];
  readonly query: QueryExecution;
}

export interface Submission {
  readonly sql: string;
  readonly parameters: readonly string[] | undefined;
  readonly database: string;
  readonly workGroup: string;
  /** `s3://bucket/prefix/` */
  readonly outputLocation: string;
  readonly token: string | undefined;
  readonly maxBytes: number | undefined;
}

/** AWS lets an account run 20 to 200, by region, and queue some more; a laptop has fewer cores. */
const maxRunning = 4;
const maxQueued = 200;
const maxKept = 1000;
/** https://docs.aws.amazon.com/athena/latest/ug/service-limits.html */
const timeoutMs = 30 * 60 * 1000;
const interrupted = 'The local cloud was stopped while the query ran';

/** Queries queued, run four at a time, and remembered: the last thousand outlive a restart. */
export function createExecutions(context: CloudContext, { s3, glue, duckdb, state }: AthenaDependencies) {
  const ports = { duckdb, catalog: glue, objects: s3 };
  const dir = join(context.stateDir, 'athena');
  const kept = new Map<string, Execution>();
  const running = new Map<string, { readonly stop: AbortController; readonly ended: Promise<void> }>();
  const queue: { readonly id: string; readonly statement: Statement }[] = [];
  const seconds = () => context.now() / 1000;
  let sequence = 0;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  recall();

  function recall(): void {
    const slots = Array.from({ length: maxKept }, (_, slot) => state.get('athena', String(slot)));
    const executions = slots.flatMap(json => (json ? [JSON.parse(json) as Execution] : []));
    for (const execution of executions.sort((one, other) => one.sequence - other.sequence)) {
      const { QueryExecutionId: id } = execution.query;
      sequence = execution.sequence;
      kept.set(id, execution);
      end(id, 'FAILED', interrupted);
    }
  }

  function keep(execution: Execution): void {
    kept.set(execution.query.QueryExecutionId, execution);
    state.set('athena', String(execution.sequence % maxKept), JSON.stringify(execution));
    const [oldest] = kept.keys();
    if (oldest && kept.size > maxKept) kept.delete(oldest);
  }

  function find(id: string): Execution {
    const execution = kept.get(id);
    if (execution) return execution;
    throw new AwsError('InvalidRequestException', `QueryExecution ${id} was not found`);
  }

  function change(id: string, status: Partial<QueryExecution['Status']>, statistics: Record<string, number> = {}) {
    const execution = find(id);
    const Status = { ...execution.query.Status, ...status };
    const Statistics = { ...execution.query.Statistics, ...statistics };
    keep({ ...execution, query: { ...execution.query, Status, Statistics } });
  }

  /** The first end counts: a query that was cancelled does not succeed afterwards. */
  function end(id: string, State: 'SUCCEEDED' | 'FAILED' | 'CANCELLED', StateChangeReason?: string): void {
    const { CompletionDateTime, SubmissionDateTime } = find(id).query.Status;
    if (CompletionDateTime) return;
    const TotalExecutionTimeInMillis = Math.round((seconds() - SubmissionDateTime) * 1000);
    const reason = StateChangeReason ? { StateChangeReason } : {};
    change(id, { State, CompletionDateTime: seconds(), ...reason }, { TotalExecutionTimeInMillis });
  }

  /** The same token gives the same execution. Throws InvalidRequestException for what is no statement of Athena's. */
  function submit({ sql, token, maxBytes, outputLocation, ...request }: Submission): string {
    for (const { query, token: other } of token ? kept.values() : [])
      if (other === token) return query.QueryExecutionId;
    if (queue.length >= maxQueued) throw new AwsError('TooManyRequestsException', `${maxQueued} queries wait already`);
    const statement = understood(sql);
    const id = randomUUID();
    const extension = statement.type === 'DML' ? 'csv' : 'txt';
    const query: QueryExecution = {
      ...{ QueryExecutionId: id, Query: sql, WorkGroup: request.workGroup, ExecutionParameters: request.parameters },
      ...{ StatementType: statement.type, SubstatementType: statement.substatement },
      QueryExecutionContext: { Database: request.database, Catalog: 'awsdatacatalog' },
      ResultConfiguration: { OutputLocation: `${outputLocation.replace(/\/?$/, '/')}${id}.${extension}` },
      Status: { State: 'QUEUED', SubmissionDateTime: seconds() },
      Statistics: { DataScannedInBytes: 0 },
      EngineVersion: { EffectiveEngineVersion: 'Athena engine version 3' },
    };
    keep({ sequence: ++sequence, token, maxBytes, columns: [], query });
    queue.push({ id, statement });
    next();
    return id;
  }

  function next(): void {
    while (running.size < maxRunning) {
      const first = queue.shift();
      if (!first) return;
      if (find(first.id).query.Status.CompletionDateTime) continue;
      const stop = new AbortController();
      running.set(first.id, { stop, ended: run(first.id, first.statement, stop.signal) });
    }
  }

  async function run(id: string, statement: Statement, stopped: AbortSignal): Promise<void> {
    const { query, maxBytes } = find(id);
    change(id, { State: 'RUNNING' });
    const file = join(dir, `${id}.csv`);
    try {
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(timeoutMs)]);
      const asked = { database: query.QueryExecutionContext.Database, parameters: query.ExecutionParameters };
      const { columns, scannedBytes, lines } = await statement.run(ports, { ...asked, maxBytes, file, signal });
      const [bucket, key] = s3Address(query.ResultConfiguration.OutputLocation);
      await s3.put(bucket, key, lines ? Buffer.from(lines.map(line => `${line}\n`).join('')) : { file });
      change(id, {}, { DataScannedInBytes: scannedBytes });
      keep({ ...find(id), columns });
      end(id, 'SUCCEEDED');
    } catch (error) {
      end(id, error instanceof ScanLimitError ? 'CANCELLED' : 'FAILED', reasonOf(error));
    } finally {
      rmSync(file, { force: true });
      running.delete(id);
      next();
    }
  }

  function reasonOf(error: unknown): string {
    if (error instanceof TrinoError || error instanceof AwsError) return error.message;
    if (error instanceof EngineError) return trinoReason(error);
    if (error instanceof DOMException) return error.name === 'TimeoutError' ? 'Query timeout' : interrupted;
    context.log(`athena: ${error instanceof Error ? error.stack : error}`);
    return 'GENERIC_INTERNAL_ERROR: The local Athena failed; its log says why';
  }

  return {
    submit,
    find,
    newestFirst: () => [...kept.values()].reverse(),
    cancel: (id: string) => {
      end(id, 'CANCELLED', 'Query cancelled by user');
      running.get(id)?.stop.abort();
    },
    /** Interrupts what runs; what is queued fails at the next start. */
    stop: async () => {
      queue.length = 0;
      for (const { stop } of running.values()) stop.abort();
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

export function s3Address(uri: string): [bucket: string, key: string] {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri) ?? [];
  return [bucket, key];
}

function understood(sql: string): Statement {
  try {
    return statementOf(sql);
  } catch (error) {
    throw new AwsError('InvalidRequestException', error instanceof Error ? error.message : String(error));
  }
}
