import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import {
  CreateStreamCommand,
  DescribeStreamCommand,
  DescribeStreamSummaryCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ListStreamsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  type ShardIteratorType,
} from '@aws-sdk/client-kinesis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Gate } from '../../local/gate/listen.ts';
import type { AwsRequest } from '../../local/gate/service.ts';
import type { Timer } from '../../local/loop.ts';
import { openKinesalite } from '../../local/services/kinesis/kinesalite.ts';
import { createKinesis, type Kinesis } from '../../local/services/kinesis/kinesis.ts';
import { serve } from './serve.ts';

const arn = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks';
const mebibyte = 1024 * 1024;
let stateDir: string;
let now: number;
let log: string[];
let timers: { delayMs: number; callback: () => void }[];
let kinesis: Kinesis;
let gate: Gate;
let client: KinesisClient;

async function open(): Promise<void> {
  timers = [];
  const timer: Timer = (delayMs, callback) => {
    timers.push({ delayMs, callback });
    return () => {};
  };
  const context = { region: 'us-east-1', accountId: '000000000000', stateDir, now: () => now };
  kinesis = await createKinesis({ ...context, log: line => log.push(line) }, timer);
  gate = await serve(kinesis.services ?? [], { log: line => log.push(line) });
  client = new KinesisClient({
    endpoint: gate.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'me', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
}

async function close(): Promise<void> {
  client.destroy();
  await gate.stop();
  await kinesis.stop?.();
}

beforeEach(async () => {
  stateDir = mkdtempSync(join(tmpdir(), 'kinesis-'));
  now = Date.now();
  log = [];
  await open();
});

afterEach(async () => {
  await close();
  rmSync(stateDir, { recursive: true });
});

async function deploy(properties: Record<string, unknown>) {
  const type = 'AWS::Kinesis::Stream';
  return kinesis.providers[type]?.({ logicalId: 'Clicks', type, properties: { Name: 'clicks', ...properties } });
}

async function fetchAll(type: ShardIteratorType = 'TRIM_HORIZON', timestamp?: Date): Promise<string[]> {
  const request = { StreamARN: arn, ShardId: 'shardId-000000000000', ShardIteratorType: type, Timestamp: timestamp };
  const { ShardIterator } = await client.send(new GetShardIteratorCommand(request));
  const { Records = [] } = await client.send(new GetRecordsCommand({ ShardIterator, StreamARN: arn }));
  return Records.map(record => Buffer.from(record.Data ?? []).toString());
}

function putAll(...texts: string[]) {
  const Records = texts.map(text => ({ Data: Buffer.from(text), PartitionKey: 'guest' }));
  return client.send(new PutRecordsCommand({ StreamName: 'clicks', Records }));
}

describe('a stream', () => {
  it('gives back through the stock SDK what was put, in order, whether it is named by name or ARN', async () => {
    expect(await deploy({ ShardCount: 1 })).toEqual({ ref: 'clicks', attributes: { Arn: arn } });
    const put = await putAll('one', 'two');
    await client.send(new PutRecordCommand({ StreamARN: arn, Data: Buffer.from('three'), PartitionKey: 'guest' }));
    expect(put.FailedRecordCount).toBe(0);
    expect(put.Records?.[0]?.ShardId).toBe('shardId-000000000000');
    expect(await fetchAll()).toEqual(['one', 'two', 'three']);
  });

  it('is described with its account, shards, retention and mode', async () => {
    await deploy({ StreamModeDetails: { StreamMode: 'ON_DEMAND' }, RetentionPeriodHours: 48 });
    const { StreamDescriptionSummary } = await client.send(new DescribeStreamSummaryCommand({ StreamARN: arn }));
    expect(StreamDescriptionSummary).toMatchObject({
      StreamARN: arn,
      StreamStatus: 'ACTIVE',
      OpenShardCount: 4,
      RetentionPeriodHours: 48,
      StreamModeDetails: { StreamMode: 'ON_DEMAND' },
    });
    expect((await client.send(new ListShardsCommand({ StreamARN: arn }))).Shards).toHaveLength(4);
    expect((await client.send(new ListStreamsCommand({}))).StreamNames).toEqual(['clicks']);
  });

  it('can be made and is refused a second time through the API', async () => {
    const create = () => client.send(new CreateStreamCommand({ StreamName: 'other', ShardCount: 2 }));
    await create();
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamName: 'other' }));
    expect(StreamDescription?.Shards).toHaveLength(2);
    await expect(create()).rejects.toMatchObject({ name: 'ResourceInUseException' });
  });

  it('keeps its records when it is deployed again after a restart', async () => {
    await deploy({ ShardCount: 1 });
    await putAll('kept');
    await close();
    await open();
    await deploy({ ShardCount: 2 });
    expect(await fetchAll()).toEqual(['kept']);
    expect(log.join()).toContain('clicks keeps its 1 shards');
  });

  it('is made anew where a crash left it between made and active', async () => {
    await close();
    const store = await openKinesalite(join(stateDir, 'kinesis'), '000000000000', 'us-east-1');
    await store.create('clicks', 1);
    await store.amend('clicks', { StreamStatus: 'CREATING', Shards: [] });
    await store.close();
    await open();
    await deploy({ ShardCount: 1 });
    await putAll('taken');
    expect(await fetchAll()).toEqual(['taken']);
  });

  it('answers AWS’s error for a stream that is not there', async () => {
    await expect(putAll('lost')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('an iterator', () => {
  it('starts at a timestamp, also at one that no record is as young as', async () => {
    await deploy({});
    await putAll('old');
    const between = new Date(Date.now() + 1);
    await expect.poll(() => Date.now()).toBeGreaterThan(between.getTime());
    await putAll('new');
    expect(await fetchAll('AT_TIMESTAMP', between)).toEqual(['new']);
    expect(await fetchAll('AT_TIMESTAMP', new Date())).toEqual([]);
  });
});

describe('the limits of a put', () => {
  beforeEach(() => deploy({}));

  it('are 500 records', async () => {
    await putAll(...Array.from({ length: 500 }, String));
    await expect(putAll(...Array.from({ length: 501 }, String))).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('are 1 MiB a record, its partition key included', async () => {
    const key = 'guest';
    await putAll('x'.repeat(mebibyte - key.length));
    await expect(putAll('fine', 'x'.repeat(mebibyte - key.length + 1))).rejects.toThrow('Record 1 has 1048577 bytes');
    expect(await fetchAll()).toHaveLength(1);
  });

  it('are 10 MiB a request', async () => {
    const large = 'x'.repeat(mebibyte - 100);
    await putAll(...Array.from({ length: 10 }, () => large));
    await expect(putAll(...Array.from({ length: 11 }, () => large))).rejects.toMatchObject({
      name: 'InvalidArgumentException',
    });
  });
});

describe('consumers in the cloud', () => {
  it('read on from a sequence number, up to a limit', async () => {
    await deploy({});
    const { Records } = await putAll('one', 'two', 'three', 'four');
    const [shardId = ''] = await kinesis.shards('clicks');
    const read = async (after: string, limit: number) =>
      (await kinesis.read('clicks', shardId, after, limit)).map(record => record.data.toString());
    expect(await read('TRIM_HORIZON', 2)).toEqual(['one', 'two']);
    expect(await read(Records?.[1]?.SequenceNumber ?? '', 9)).toEqual(['three', 'four']);
    const [record] = await kinesis.read('clicks', shardId, 'TRIM_HORIZON', 1);
    expect(record).toMatchObject({ partitionKey: 'guest', sequenceNumber: Records?.[0]?.SequenceNumber });
    expect(Math.abs((record?.approximateArrivalTimestamp ?? 0) - Date.now())).toBeLessThan(10_000);
  });

  it('can start with what comes from now on', async () => {
    await deploy({ ShardCount: 1 });
    expect(await kinesis.latest('clicks')).toEqual({ 'shardId-000000000000': 'TRIM_HORIZON' });
    await putAll('before');
    const [[shardId = '', position = ''] = []] = Object.entries(await kinesis.latest('clicks'));
    await putAll('after');
    const read = await kinesis.read('clicks', shardId, position, 9);
    expect(read.map(record => record.data.toString())).toEqual(['after']);
  });

  it('are woken by accepted puts only, until they unsubscribe', async () => {
    await deploy({});
    let woken = 0;
    const unsubscribe = kinesis.onRecords('clicks', () => {
      woken += 1;
    });
    await putAll('one');
    await putAll('x'.repeat(2 * mebibyte)).catch(() => {});
    expect(woken).toBe(1);
    unsubscribe();
    await putAll('two');
    expect(woken).toBe(1);
  });
});

describe('retention', () => {
  it('removes what is older, and nothing before consumers had time to catch up', async () => {
    await deploy({ ShardCount: 1, RetentionPeriodHours: 24 });
    await putAll('old', 'old too');
    now += 25 * 3_600_000;
    const [first] = timers.splice(0);
    expect(first?.delayMs).toBe(60_000);
    expect(await fetchAll()).toHaveLength(2);
    first?.callback();
    await expect.poll(() => fetchAll()).toEqual([]);
    now = Date.now();
    await putAll('young');
    timers[0]?.callback();
    await kinesis.stop?.();
    await gate.stop();
    await open();
    expect(await fetchAll()).toEqual(['young']);
  });
});

describe('the wire', () => {
  function request(action: string, input: unknown, type = 'application/x-amz-json-1.1'): AwsRequest {
    const headers = { 'x-amz-target': `Kinesis_20131202.${action}`, 'content-type': type };
    const body = Readable.from([Buffer.from(JSON.stringify(input))]);
    return { id: '1', caller: { kind: 'anonymous' }, method: 'POST', target: '/', headers, body };
  }

  it('names the stream a call needs to be allowed, for GetRecords from its iterator', async () => {
    await deploy({});
    const [service] = kinesis.services ?? [];
    const grantsOf = async (action: string, input: unknown) => (await service?.receive(request(action, input)))?.grants;
    const place = { ShardId: 'shardId-000000000000', ShardIteratorType: 'LATEST' as const };
    const { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamName: 'clicks', ...place }));
    expect(await grantsOf('PutRecords', { StreamName: 'clicks' })).toEqual([
      { action: 'kinesis:PutRecords', resource: arn },
    ]);
    expect(await grantsOf('PutRecord', { StreamARN: arn })).toEqual([{ action: 'kinesis:PutRecord', resource: arn }]);
    expect(await grantsOf('GetRecords', { ShardIterator })).toEqual([{ action: 'kinesis:GetRecords', resource: arn }]);
    expect(await grantsOf('ListStreams', {})).toEqual([{ action: 'kinesis:ListStreams', resource: '*' }]);
  });

  it('refuses CBOR with what to do about it', async () => {
    const response = await fetch(gate.endpoint, {
      method: 'POST',
      headers: {
        'x-amz-target': 'Kinesis_20131202.ListStreams',
        'content-type': 'application/x-amz-cbor-1.1',
        authorization: 'AWS4-HMAC-SHA256 Credential=me/20261121/us-east-1/kinesis/aws4_request',
      },
      body: Buffer.from([0xa0]),
    });
    expect(response.status).toBe(415);
    expect(await response.text()).toContain('AWS_CBOR_DISABLE=true');
  });
});

describe('kill -9', () => {
  it('loses nothing that was answered', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kinesis-killed-'));
    const source = `
      import { createKinesis } from ${JSON.stringify(join(import.meta.dirname, '../../local/services/kinesis/kinesis.ts'))};
      const context = { region: 'us-east-1', accountId: '000000000000', stateDir: process.argv[1], now: Date.now, log() {} };
      const kinesis = await createKinesis(context);
      await kinesis.ensureStream('clicks');
      for (let n = 0; ; n += 1) {
        const [sequenceNumber] = await kinesis.append('clicks', [Buffer.from('record ' + n)]);
        process.stdout.write(sequenceNumber + '\\n');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', source, dir], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const answered: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      answered.push(line);
      if (answered.length === 300) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const context = { region: 'us-east-1', accountId: '000000000000', stateDir: dir, now: Date.now, log: () => {} };
    const revived = await createKinesis(context);
    await revived.ensureStream('clicks');
    const stored = await revived.read('clicks', 'shardId-000000000000', 'TRIM_HORIZON', 100_000);
    await revived.stop?.();
    rmSync(dir, { recursive: true });
    expect(answered.length).toBeGreaterThanOrEqual(300);
    expect(stored.map(record => record.sequenceNumber)).toEqual(expect.arrayContaining(answered));
  });
});
