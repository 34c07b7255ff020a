import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { inject } from 'vitest';
import { type Cloud, createCloud } from '../../local/cloud.ts';

/** Where a running stage is: all that a black-box flow test knows of it. */
export interface Stage {
  readonly url: string;
  readonly endpoint: string;
}

export interface LocalStage extends Stage {
  readonly cloud: Cloud;
  readonly stateDir: string;
  readonly stop: () => Promise<void>;
}

/** The packaged app on a local cloud of its own, in a folder that goes with it. */
export async function startStage(
  parameters: Record<string, string | number> = {},
  packageDir = inject('packageDir'),
): Promise<LocalStage> {
  const stateDir = await mkdtemp(join(tmpdir(), 'tableside-'));
  const cloud = await createCloud(packageDir, {
    stateDir,
    parameters: { DeliveryBufferSeconds: 0, ...parameters },
  });
  return {
    url: cloud.url,
    endpoint: cloud.endpoint,
    cloud,
    stateDir,
    stop: async () => {
      await cloud.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

export const operator = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Sends a JSON body to the HTTP API with the local write key. */
export function post(
  stage: Stage,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${stage.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: basic('wk_local'), ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  });
}

export function basic(writeKey: string): string {
  return `Basic ${Buffer.from(`${writeKey}:`).toString('base64')}`;
}

/** Asks Athena, through the real SDK; rows without the header line. Rejects with Athena's reason. */
export async function sql(stage: Stage, query: string): Promise<(string | undefined)[][]> {
  const athena = new AthenaClient({ endpoint: stage.endpoint, region: 'us-east-1', credentials: operator });
  try {
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({
        QueryString: query,
        QueryExecutionContext: { Database: 'tableside_local' },
        WorkGroup: 'tableside_local',
      }),
    );
    await succeeded(athena, QueryExecutionId);
    const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
    return (ResultSet?.Rows ?? []).slice(1).map(row => (row.Data ?? []).map(cell => cell.VarCharValue));
  } finally {
    athena.destroy();
  }
}

const queryTimeoutMs = 30_000;

async function succeeded(athena: AthenaClient, QueryExecutionId: string | undefined): Promise<void> {
  const deadline = Date.now() + queryTimeoutMs;
  while (Date.now() < deadline) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
    const { State, StateChangeReason } = QueryExecution?.Status ?? {};
    if (State === 'SUCCEEDED') return;
    if (State === 'FAILED' || State === 'CANCELLED') throw new Error(StateChangeReason ?? State);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error(`The query did not end within ${queryTimeoutMs} ms: ${QueryExecutionId}`);
}

/** Asks again until the answer is the wanted one; the last answer stands in the error. */
export async function untilSql(stage: Stage, query: string, wanted: unknown, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let answer: unknown;
  do {
    answer = await sql(stage, query);
    if (JSON.stringify(answer) === JSON.stringify(wanted)) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  } while (Date.now() < deadline);
  throw new Error(`Still ${JSON.stringify(answer)} and not ${JSON.stringify(wanted)} after ${timeoutMs} ms: ${query}`);
}
