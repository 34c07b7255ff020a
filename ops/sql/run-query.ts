import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from '../errors.ts';
import type { Athena, QueryStatus } from './athena.ts';

export interface RunQueryOptions {
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onStatus: (status: QueryStatus, elapsedMs: number) => void;
}

export interface FinishedQuery {
  readonly queryId: string;
  readonly status: QueryStatus;
}

// A laptop answers in tens of milliseconds and Athena rarely under 500: ask soon, then less and less often, as every
// question counts against GetQueryExecution's quota for the account.
const firstPollMs = 40;
const maxPollMs = 1_000;
const pollGrowth = 1.4;

/**
 * Starts a query and waits until it has succeeded. Throws CommandError with Athena's reason where it failed. A query
 * that is not waited for any more, by Ctrl-C or timeout, is stopped: it would go on scanning, and costing.
 */
export async function runQuery(athena: Athena, sql: string, options: RunQueryOptions): Promise<FinishedQuery> {
  const startedAt = performance.now();
  const queryId = await athena.start(sql);
  try {
    for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * pollGrowth, maxPollMs)) {
      options.signal.throwIfAborted();
      const status = await athena.status(queryId);
      const elapsedMs = performance.now() - startedAt;
      options.onStatus(status, elapsedMs);
      if (status.state === 'SUCCEEDED') return { queryId, status };
      if (status.state === 'FAILED')
        throw new CommandError(status.reason ?? 'The query failed; Athena gives no reason.');
      if (status.state === 'CANCELLED') throw new CommandError('The query was cancelled by somebody else.');
      if (elapsedMs > options.timeoutSeconds * 1000) {
        throw new QueryAbandoned(
          `No answer within ${options.timeoutSeconds} s; the query was stopped. --timeout-seconds waits longer.`,
        );
      }
      await sleep(pollMs, undefined, { signal: options.signal });
    }
  } catch (error) {
    if (options.signal.aborted || error instanceof QueryAbandoned) await stopQuietly(athena, queryId);
    throw error;
  }
}

/** Ours to stop, because nobody will read its answer. */
class QueryAbandoned extends CommandError {}

/** It may have ended meanwhile, and there is nobody to tell anyway. */
async function stopQuietly(athena: Athena, queryId: string): Promise<void> {
  await athena.stop(queryId).catch(() => {});
}
