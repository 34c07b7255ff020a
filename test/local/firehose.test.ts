import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import {
  DescribeDeliveryStreamCommand,
  FirehoseClient,
  ListDeliveryStreamsCommand,
  PutRecordBatchCommand,
  PutRecordCommand,
} from '@aws-sdk/client-firehose';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDuckdb, type Duckdb } from '../../local/engines/duckdb.ts';
import { systemTimer } from '../../local/loop.ts';
import type { CloudPart } from '../../local/part.ts';
import { createFirehose } from '../../local/services/firehose/firehose.ts';
import { createKinesis, type Kinesis } from '../../local/services/kinesis/kinesis.ts';
import { openState, type State } from '../../local/state.ts';
import { putKeyed } from './kinesis-call.ts';
import { serve } from './serve.ts';

const columns = [
  { name: 'name', type: 'string' },
  { name: 'amount', type: 'bigint' },
  { name: 'score', type: 'double' },
  { name: 'is_bot', type: 'boolean' },
  { name: 'received_at', type: 'timestamp' },
  { name: 'seq', type: 'int' },
  { name: 'born', type: 'date' },
];
const parquet = {
  Enabled: true,
  InputFormatConfiguration: { Deserializer: { OpenXJsonSerDe: {} } },
  OutputFormatConfiguration: { Serializer: { ParquetSerDe: { Compression: 'GZIP' } } },
  SchemaConfiguration: { DatabaseName: 'tableside', TableName: 'events', RoleARN: 'arn:role' },
};
const stamped = /-1-\d{4}(-\d\d){5}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

let root: string;
let duckdb: Duckdb;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'firehose-'));
  duckdb = createDuckdb({ dir: root, log: () => {} });
});
afterAll(async () => {
  await duckdb.stop();
  rmSync(root, { recursive: true });
});

let stateDir: string;
let objects: Map<string, string>;
let log: string[];
let now: () => number;
let s3Fails: number;
let afterPut: () => void;
let state: State;
let kinesis: Kinesis;
let firehose: CloudPart;
let timers: { delayMs: number; callback: () => void }[];

async function open(): Promise<void> {
  timers = [];
  const context = {
    region: 'us-east-1',
    accountId: '000000000000',
    stateDir,
    now: () => now(),
    log: (line: string) => void log.push(line),
  };
  state = openState(stateDir);
  kinesis = await createKinesis(context);
  const s3 = { put };
  const glue = {
    table: (database: string, name: string) => ({ database, name, columns, partitionKeys: [], parameters: {} }),
  };
  firehose = createFirehose(context, { s3, kinesis, glue, duckdb, state }, (delayMs, callback) => {
    if (delayMs < 100) return systemTimer(delayMs, callback); // the short rest before each read
    timers.push({ delayMs, callback });
    return () => {};
  });
}

/** S3 as far as Firehose sees it: files in a folder. */
async function put(bucket: string, key: string, body: unknown) {
  if (s3Fails > 0) {
    s3Fails -= 1;
    throw new Error('S3 is down');
  }
  const path = join(stateDir, 'objects', key.replaceAll('/', '+'));
  if (Buffer.isBuffer(body)) writeFileSync(path, body);
  else renameSync((body as { file: string }).file, path);
  objects.set(key, path);
  afterPut();
  return { bucket, key, size: 0, etag: '', lastModified: 0, contentType: '', path };
}

async function close(): Promise<void> {
  await firehose.stop?.();
  await kinesis.stop?.();
  state.close();
}

beforeEach(async () => {
  stateDir = mkdtempSync(join(root, 'state-'));
  mkdirSync(join(stateDir, 'objects'));
  objects = new Map();
  log = [];
  now = Date.now;
  s3Fails = 0;
  afterPut = () => {};
  await open();
});
afterEach(close);

/** Deploys a delivery stream, by default one that delivers at once. */
async function deploy(destination: object, source: object = {}) {
  const type = 'AWS::KinesisFirehose::DeliveryStream';
  const ExtendedS3DestinationConfiguration = {
    BucketARN: 'arn:aws:s3:::lake',
    BufferingHints: { SizeInMBs: 128, IntervalInSeconds: 0 },
    ...destination,
  };
  const properties = { DeliveryStreamName: 'events', ExtendedS3DestinationConfiguration, ...source };
  return firehose.providers[type]?.({ logicalId: 'Delivery', type, properties });
}

async function deployFromStream(destination: object) {
  await kinesis.ensureStream('clicks');
  const KinesisStreamARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks';
  return deploy(destination, {
    DeliveryStreamType: 'KinesisStreamAsSource',
    KinesisStreamSourceConfiguration: { KinesisStreamARN },
  });
}

const append = (...texts: string[]) =>
  kinesis.append(
    'clicks',
    texts.map(text => Buffer.from(text)),
  );
const keys = () => [...objects.keys()].sort();
const contents = () => [...objects.values()].map(path => readFileSync(path, 'utf8')).join('');

async function rows(): Promise<unknown[]> {
  const files = [...objects].filter(([key]) => key.endsWith('.parquet')).map(([, path]) => `'${path}'`);
  if (files.length === 0) return [];
  const result = await duckdb.query(`SELECT name FROM read_parquet([${files}]) ORDER BY ALL`);
  return result.rows.flat();
}

describe('a delivery of a Kinesis stream as Parquet', () => {
  const destination = {
    Prefix: 'events/day=!{timestamp:yyyy-MM-dd}/',
    ErrorOutputPrefix: 'errors/!{firehose:error-output-type}/day=!{timestamp:yyyy-MM-dd}/',
    DataFormatConversionConfiguration: parquet,
  };

  it('converts each document of each record to the types of the Glue table', async () => {
    await deployFromStream(destination);
    await firehose.start?.();
    const full = {
      name: 'Menu',
      amount: 9007199254740993n,
      score: 1.5,
      is_bot: false,
      received_at: '2026-11-20T10:00:00.250Z',
      seq: 3,
      born: '2026-11-20',
    };
    const json = JSON.stringify(full, (_, value) => (typeof value === 'bigint' ? Number(value) : value)).replace(
      '9007199254740992',
      '9007199254740993',
    );
    await append(`${json}\n{"name":"Order","unknown":{"a":1}}\n`, '{"name":"Side"}{"name":"by side"}');
    await expect.poll(rows).toEqual(['Menu', 'Order', 'Side', 'by side']);
    const [key = ''] = keys();
    expect(key).toMatch(new RegExp(`^events/day=\\d{4}-\\d\\d-\\d\\d/events${stamped.source}\\.parquet$`));
    const read = await duckdb.query(`SELECT * FROM read_parquet('${objects.get(key)}') WHERE name = 'Menu'`);
    expect(read.columns.map(column => column.type)).toEqual([
      'VARCHAR',
      'BIGINT',
      'DOUBLE',
      'BOOLEAN',
      'TIMESTAMP',
      'INTEGER',
      'DATE',
    ]);
    expect(read.rows[0]).toEqual([
      full.name,
      full.amount,
      1.5,
      false,
      new Date(full.received_at),
      3,
      new Date(full.born),
    ]);
    const codecs = await duckdb.query(`SELECT DISTINCT compression FROM parquet_metadata('${objects.get(key)}')`);
    expect(codecs.rows).toEqual([['GZIP']]);
  });

  it('sends records that do not convert to the error prefix, whole, and delivers the others', async () => {
    now = () => 0; // nothing is due: all of them are in one buffer
    await deployFromStream({ ...destination, BufferingHints: { SizeInMBs: 128, IntervalInSeconds: 60 } });
    await firehose.start?.();
    const ids = await append(
      '{"name":"a"}',
      '{"name":',
      '{"name":"b"}\n{"amount":"many"}',
      '{"name":"c"}',
      '[{"name":"d"}]',
      'null',
    );
    await firehose.stop?.();
    expect(await rows()).toEqual(['a', 'c']);
    const [errorKey = ''] = keys().filter(key => key.startsWith('errors/'));
    expect(errorKey).toMatch(
      new RegExp(`^errors/format-conversion-failed/day=\\d{4}-\\d\\d-\\d\\d/events${stamped.source}$`),
    );
    const lines = readFileSync(objects.get(errorKey) ?? '', 'utf8')
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(lines.map(line => line.sequenceNumber).sort()).toEqual([ids[1], ids[2], ids[4], ids[5]]);
    expect(lines.find(line => line.sequenceNumber === ids[2])).toMatchObject({
      attemptsMade: 1,
      arrivalTimestamp: expect.any(Number),
      lastErrorCode: 'DataFormatConversion.MalformedData',
      lastErrorMessage: expect.stringContaining('many'),
      rawData: Buffer.from('{"name":"b"}\n{"amount":"many"}').toString('base64'),
      dataCatalogTable: { databaseName: 'tableside', tableName: 'events' },
    });
    expect(lines.find(line => line.sequenceNumber === ids[1]).lastErrorCode).toBe('DataFormatConversion.ParseError');
  });

  it('writes no Parquet file where nothing converts', async () => {
    await deployFromStream(destination);
    await firehose.start?.();
    await append('nonsense');
    await expect.poll(() => keys().length).toBe(1);
    await firehose.stop?.();
    expect(keys()).toEqual([expect.stringMatching(/^errors\//)]);
    expect(log).toEqual([]);
  });

  it('waits while the query engine is away and takes no record for malformed', async () => {
    await deployFromStream(destination);
    await firehose.start?.();
    const run = duckdb.run;
    const broken = { ...duckdb, run: () => Promise.reject(new Error('The query engine stopped')) };
    Object.assign(duckdb, broken);
    await append('{"name":"late"}');
    await expect.poll(() => timers.length).toBe(1);
    Object.assign(duckdb, { run });
    timers[0]?.callback();
    await expect.poll(rows).toEqual(['late']);
    expect(keys()).toHaveLength(1);
  });
});

describe('a buffer', () => {
  it('is delivered when its oldest record is as old as the interval, into that record’s day', async () => {
    await deployFromStream({
      Prefix: 'raw/!{timestamp:yyyy/MM/dd}/',
      BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 60 },
    });
    await firehose.start?.();
    await append('one');
    await expect.poll(() => timers.length).toBe(1);
    expect(timers[0]?.delayMs).toBeGreaterThan(50_000);
    expect(timers[0]?.delayMs).toBeLessThanOrEqual(60_000);
    await append('two');
    await expect.poll(() => timers.length).toBe(2);
    expect(keys()).toEqual([]);
    const day = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
    now = () => Date.now() + 60_000;
    timers[1]?.callback();
    await expect.poll(contents).toBe('onetwo');
    expect(keys()[0]).toMatch(new RegExp(`^raw/${day}/events${stamped.source}$`));
  });

  it('is delivered when it is full', async () => {
    await deployFromStream({ BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 } });
    await firehose.start?.();
    await append('x'.repeat(600_000), 'y'.repeat(600_000));
    await expect.poll(() => contents().length).toBe(1_200_000);
  });

  it('holds what came in by every shard, each in its order', async () => {
    await kinesis.ensureStream('clicks', { ShardCount: 3 });
    await deployFromStream({ BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 } });
    await firehose.start?.();
    for (const round of [1, 2])
      await putKeyed(
        kinesis,
        'clicks',
        ['a', 'b', 'c', 'd'].map(key => [key, `${key}${round}`]),
      );
    await firehose.stop?.();
    expect(keys()).toHaveLength(1);
    const texts = contents().match(/../g) ?? [];
    for (const key of ['a', 'b', 'c', 'd'])
      expect(texts.filter(text => text.startsWith(key))).toEqual([`${key}1`, `${key}2`]);
  });

  it('is delivered at a stop', async () => {
    await deployFromStream({ BufferingHints: { SizeInMBs: 1, IntervalInSeconds: 900 } });
    await firehose.start?.();
    await append('unfinished');
    await firehose.stop?.();
    expect(contents()).toBe('unfinished');
  });
});

describe('nothing is lost or doubled', () => {
  it('when S3 fails: it is tried again, ever more patiently', async () => {
    await deployFromStream({});
    await firehose.start?.();
    s3Fails = 2;
    await append('patient');
    await expect.poll(() => timers.length).toBe(1);
    timers[0]?.callback();
    await expect.poll(() => timers.length).toBe(2);
    timers[1]?.callback();
    await expect.poll(contents).toBe('patient');
    expect(timers.map(timer => timer.delayMs)).toEqual([100, 200]);
    expect(log.join()).toContain('S3 is down');
  });

  it('when the process dies between an object and its checkpoint: the same key is written again', async () => {
    await deployFromStream({});
    await append('first');
    afterPut = () =>
      Object.assign(state, {
        set: () => {
          throw new Error('killed here');
        },
      });
    await firehose.start?.();
    await expect.poll(() => timers.length).toBe(1);
    const before = keys();
    await append('second');
    await close();
    afterPut = () => {};
    await open();
    await deployFromStream({});
    await firehose.start?.();
    await expect.poll(contents).toBe('firstsecond');
    expect(keys()).toEqual(before);
  });

  it('when it starts again: what was delivered is not delivered again, what came meanwhile is', async () => {
    await deployFromStream({});
    await firehose.start?.();
    await append('before');
    await expect.poll(contents).toBe('before');
    await firehose.stop?.();
    await append('meanwhile');
    await close().catch(() => {});
    await open();
    await deployFromStream({});
    await firehose.start?.();
    await expect.poll(contents).toBe('beforemeanwhile');
  });

  it('though a new delivery stream begins with what comes from then on', async () => {
    await kinesis.ensureStream('clicks');
    await append('history');
    await deployFromStream({});
    await append('news');
    await firehose.start?.();
    await expect.poll(contents).toBe('news');
  });
});

describe('direct puts through the SDK', () => {
  let endpoint: Awaited<ReturnType<typeof serve>>;
  let client: FirehoseClient;
  beforeEach(async () => {
    endpoint = await serve(firehose.services ?? []);
    const credentials = { accessKeyId: 'me', secretAccessKey: 'local' };
    client = new FirehoseClient({ endpoint: endpoint.endpoint, region: 'us-east-1', credentials, maxAttempts: 1 });
  });
  afterEach(async () => {
    client.destroy();
    await endpoint.stop();
  });

  function batch(...texts: string[]) {
    const Records = texts.map(text => ({ Data: Buffer.from(text) }));
    return client.send(new PutRecordBatchCommand({ DeliveryStreamName: 'events', Records }));
  }

  it('arrive as one gzipped object, in order, under AWS’s own folders where the template names none', async () => {
    await deploy({
      Prefix: 'failed/',
      CompressionFormat: 'GZIP',
      BufferingHints: { IntervalInSeconds: 900, SizeInMBs: 1 },
    });
    await firehose.start?.();
    const { RecordId } = await client.send(
      new PutRecordCommand({ DeliveryStreamName: 'events', Record: { Data: Buffer.from('one\n') } }),
    );
    const output = await batch('two\n', 'three\n');
    expect(output.FailedPutCount).toBe(0);
    expect(new Set([RecordId, ...(output.RequestResponses ?? []).map(response => response.RecordId)]).size).toBe(3);
    await firehose.stop?.();
    expect(keys()[0]).toMatch(new RegExp(`^failed/\\d{4}(/\\d\\d){3}/events${stamped.source}\\.gz$`));
    expect(gunzipSync(readFileSync([...objects.values()][0] ?? '')).toString()).toBe('one\ntwo\nthree\n');
  });

  it('are on disk before they are answered', async () => {
    await deploy({});
    await batch('durable'); // not started: nothing can have delivered it
    await close();
    await open();
    await deploy({});
    await firehose.start?.();
    await expect.poll(contents).toBe('durable');
  });

  it('get a delimiter and an extension where the template asks for them', async () => {
    const Processors = [{ Type: 'AppendDelimiterToRecord' }];
    await deploy({ FileExtension: '.jsonl', ProcessingConfiguration: { Enabled: true, Processors } });
    await firehose.start?.();
    await batch('{"a":1}', '{"a":2}');
    await expect.poll(contents).toBe('{"a":1}\n{"a":2}\n');
    expect(keys()[0]).toMatch(/\.jsonl$/);
  });

  it('keep to AWS’s limits', async () => {
    await deploy({});
    const kibibytes = (count: number) => 'x'.repeat(count * 1024);
    await expect(batch(...Array.from({ length: 501 }, String))).rejects.toMatchObject({
      name: 'InvalidArgumentException',
    });
    await expect(batch(`${kibibytes(1000)}!`)).rejects.toMatchObject({ name: 'InvalidArgumentException' });
    await expect(batch(...Array.from({ length: 5 }, () => kibibytes(900)))).rejects.toMatchObject({
      name: 'InvalidArgumentException',
    });
    await batch(...Array.from({ length: 4 }, () => kibibytes(1000)));
  });

  it('are refused by a stream that has another source, and by one that is not there', async () => {
    await expect(batch('x')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    await deployFromStream({});
    await expect(batch('x')).rejects.toMatchObject({ name: 'InvalidArgumentException' });
  });

  it('can be asked about', async () => {
    expect(await deploy({})).toEqual({
      ref: 'events',
      attributes: { Arn: 'arn:aws:firehose:us-east-1:000000000000:deliverystream/events' },
    });
    const { DeliveryStreamDescription } = await client.send(
      new DescribeDeliveryStreamCommand({ DeliveryStreamName: 'events' }),
    );
    expect(DeliveryStreamDescription).toMatchObject({
      DeliveryStreamStatus: 'ACTIVE',
      DeliveryStreamType: 'DirectPut',
      VersionId: '1',
    });
    expect(DeliveryStreamDescription?.Destinations?.[0]?.ExtendedS3DestinationDescription?.BucketARN).toBe(
      'arn:aws:s3:::lake',
    );
    expect((await client.send(new ListDeliveryStreamsCommand({}))).DeliveryStreamNames).toEqual(['events']);
  });
});
