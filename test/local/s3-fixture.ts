import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { createS3, type S3 } from '../../local/services/s3/s3.ts';
import { serve } from './serve.ts';

const secrets: Readonly<Record<string, string>> = { AKFUNCTION: 'function-secret', AKOPERATOR: 'local' };

/** Header signatures are not verified: naming a key is enough to be the operator. */
export const authorization = 'AWS4-HMAC-SHA256 Credential=AKOPERATOR/20260729/us-east-1/s3/aws4_request';

/** A local S3 with one bucket, the SDK's client on it, and a clock that tests may move. */
export interface S3Fixture {
  readonly s3: S3;
  readonly client: S3Client;
  readonly endpoint: string;
  readonly stateDir: string;
  readonly clock: { now: () => number };
  readonly clientWith: (config: S3ClientConfig) => S3Client;
  readonly deploy: (name: string, properties?: Record<string, unknown>) => Promise<void>;
  /** What a crash leaves, then a new process: the part is made again on the same folder. */
  readonly reopen: () => Promise<S3Fixture>;
  readonly stop: () => Promise<void>;
}

export async function startS3(stateDir = mkdtempSync(join(tmpdir(), 's3-'))): Promise<S3Fixture> {
  const clock = { now: Date.now };
  const context = { region: 'us-east-1', accountId: '000000000000', stateDir, now: () => clock.now(), log: () => {} };
  const s3 = createS3(context, { secretOf: key => secrets[key] });
  const server = await serve(s3.services ?? []);
  const clients: S3Client[] = [];
  function clientWith(config: S3ClientConfig): S3Client {
    const credentials = { accessKeyId: 'AKOPERATOR', secretAccessKey: 'local' };
    const { endpoint } = server;
    const client = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials,
      maxAttempts: 1,
      ...config,
    });
    clients.push(client);
    return client;
  }
  async function deploy(name: string, properties: Record<string, unknown> = {}): Promise<void> {
    const type = 'AWS::S3::Bucket';
    await s3.providers[type]?.({ logicalId: 'Bucket', type, properties: { BucketName: name, ...properties } });
  }
  async function halt(): Promise<void> {
    for (const client of clients) client.destroy();
    await server.stop();
    await s3.stop?.();
  }
  await deploy('b');
  return {
    s3,
    client: clientWith({}),
    endpoint: server.endpoint,
    stateDir,
    clock,
    clientWith,
    deploy,
    reopen: async () => {
      await halt();
      return startS3(stateDir);
    },
    stop: async () => {
      await halt();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** The code of the AWS error that a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<{ name: string; status: number | undefined }> {
  try {
    await call;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return { name, status: $metadata?.httpStatusCode };
  }
  throw new Error('The call was accepted');
}
