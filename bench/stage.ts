import { setTimeout as sleep } from 'node:timers/promises';
import { type Cloud, createCloud } from '../local/cloud.ts';
import { type Athena, createAthena } from '../ops/sql/athena.ts';
import { createStage } from '../ops/stage.ts';

/** The local cloud with the app deployed to it, in this process. */
export interface BenchStage {
  readonly cloud: Cloud;
  /** Rows of a query, without the header line. */
  readonly sql: (query: string) => Promise<readonly (readonly (string | null)[])[]>;
  readonly stop: () => Promise<void>;
}

/** How long Firehose gathers before it writes: the local stage's own setting. */
export const bufferSeconds = 1;

export const streamName = 'tableside-local-clickstream';
export const failedStreamName = 'tableside-local-failed-events';

const queryTimeoutMs = 60_000;
const pollMs = 5;

/** Starts it, and points every SDK client that this process makes from now on at it. */
export async function startStage(packageDir: string, stateDir: string): Promise<BenchStage> {
  const cloud = await createCloud(packageDir, { stateDir, parameters: { DeliveryBufferSeconds: bufferSeconds } });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: cloud.endpoint,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const awsPort = Number(new URL(cloud.endpoint).port);
  const athena = createAthena(createStage({ stage: 'local', port: 0, 'aws-port': awsPort }));

  async function sql(query: string): Promise<(string | null)[][]> {
    const deadline = performance.now() + queryTimeoutMs;
    const queryId = await athena.start(query);
    while (performance.now() < deadline) {
      const status = await athena.status(queryId);
      if (status.state === 'SUCCEEDED') return rowsOf(athena.results(queryId, status));
      if (status.state === 'FAILED') throw new Error(`${status.reason}: ${query}`);
      await sleep(pollMs);
    }
    throw new Error(`No answer within ${queryTimeoutMs / 1000} s: ${query}`);
  }

  return { cloud, sql, stop: cloud.stop };
}

async function rowsOf(pages: ReturnType<Athena['results']>): Promise<(string | null)[][]> {
  const all: (string | null)[][] = [];
  for await (const { rows } of pages) for (const row of rows) all.push([...row]);
  return all;
}
