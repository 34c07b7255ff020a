import { join } from 'node:path';
import { createJsonService, type JsonAction, type JsonInput } from '../../gate/json-protocol.ts';
import { AwsError, type Service } from '../../gate/service.ts';
import { systemTimer, type Timer } from '../../loop.ts';
import { type CloudContext, type CloudPart, provider } from '../../part.ts';
import { openKinesalite, streamOfIterator } from './kinesalite.ts';

export interface StreamRecord {
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly data: Buffer;
  /** Milliseconds since the epoch. */
  readonly approximateArrivalTimestamp: number;
}

/** A record's sequence number, or the place before all of them. */
export type Position = string | 'TRIM_HORIZON';

/** By shard id. */
export type Positions = Readonly<Record<string, Position>>;

export interface Kinesis extends CloudPart {
  /** Makes the stream unless it is there. */
  readonly ensureStream: (streamName: string, properties?: StreamProperties) => Promise<void>;
  /** Ids of all its shards, closed ones too, oldest first. */
  readonly shards: (streamName: string) => Promise<string[]>;
  /** Up to `limit` records after that position (exclusive), oldest first. */
  readonly read: (streamName: string, shardId: string, after: Position, limit: number) => Promise<StreamRecord[]>;
  /** The positions that only records put from now on come after. */
  readonly latest: (streamName: string) => Promise<Positions>;
  /** Puts up to 500 records, all or none, and answers their sequence numbers. */
  readonly append: (streamName: string, records: readonly Buffer[]) => Promise<string[]>;
  /** Calls `wake` after each accepted put; returns how to stop that. */
  readonly onRecords: (streamName: string, wake: () => void) => () => void;
}

interface StreamProperties {
  readonly Name?: string;
  readonly ShardCount?: number;
  readonly RetentionPeriodHours?: number;
  readonly StreamModeDetails?: { readonly StreamMode?: string };
}

const onDemandShards = 4; // https://docs.aws.amazon.com/streams/latest/dev/how-do-i-size-a-stream.html
// https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html. A stream can be allowed records of
// 10 MiB since October 2025; 1 MiB is the default and what the application packs for.
const maxRecordBytes = 1024 * 1024;
const maxRequestBytes = 10 * 1024 * 1024;
const firstTrimMs = 60_000; // consumers catch up first: a laptop that slept for days must not lose what it took in
const trimEveryMs = 3_600_000;
const forwarded = [
  ...['AddTagsToStream', 'DecreaseStreamRetentionPeriod', 'DeleteStream', 'DescribeStream', 'DescribeStreamSummary'],
  ...['GetRecords', 'IncreaseStreamRetentionPeriod', 'ListShards', 'ListStreams', 'ListTagsForStream', 'MergeShards'],
  ...['RemoveTagsFromStream', 'SplitShard'],
];

/** Kinesis Data Streams over kinesalite, in this process. Throttling is the gate's to inject. */
export async function createKinesis(context: CloudContext, timer: Timer = systemTimer): Promise<Kinesis> {
  const { accountId, region } = context;
  const store = await openKinesalite(join(context.stateDir, 'kinesis'), accountId, region);
  const wakers = new Map<string, Set<() => void>>();
  const arnOf = (streamName: string) => `arn:aws:kinesis:${region}:${accountId}:stream/${streamName}`;
  let trimming: Promise<void> = Promise.resolve();
  let cancelTrim = timer(firstTrimMs, trim);

  async function put(action: string, input: JsonInput): Promise<unknown> {
    checkSizes(Array.isArray(input.Records) ? input.Records : [input]);
    const output = await store.call(action, input);
    for (const wake of wakers.get(String(input.StreamName)) ?? []) wake();
    return output;
  }

  async function append(streamName: string, records: readonly Buffer[]): Promise<string[]> {
    const Records = records.map(data => ({ Data: data.toString('base64'), PartitionKey: '-' }));
    const output = await put('PutRecords', { StreamName: streamName, Records });
    return (output as { Records: { SequenceNumber: string }[] }).Records.map(record => record.SequenceNumber);
  }

  async function ensureStream(streamName: string, properties: StreamProperties = {}): Promise<void> {
    const StreamMode = properties.StreamModeDetails?.StreamMode ?? 'PROVISIONED';
    const shards = StreamMode === 'ON_DEMAND' ? onDemandShards : Number(properties.ShardCount ?? 1);
    const existing = await store.describe(streamName);
    if (!existing) await store.create(streamName, shards);
    else if (StreamMode === 'PROVISIONED' && existing.Shards.length !== shards) {
      context.log(`${streamName} keeps its ${existing.Shards.length} shards: here a new ShardCount needs --fresh`);
    }
    const RetentionPeriodHours = Number(properties.RetentionPeriodHours ?? 24);
    await store.amend(streamName, { RetentionPeriodHours, StreamModeDetails: { StreamMode } });
  }

  async function createStream(input: JsonInput): Promise<void> {
    const name = String(input.StreamName);
    if (await store.describe(name)) throw new AwsError('ResourceInUseException', `Stream ${name} already exists.`);
    await ensureStream(name, input);
  }

  /** kinesalite never answers where no record is as young as the timestamp, so the place is found here. */
  async function getShardIterator(input: JsonInput): Promise<unknown> {
    const { Timestamp, ...request } = input;
    if (request.ShardIteratorType !== 'AT_TIMESTAMP') return store.call('GetShardIterator', input);
    const latest = await store.call('GetShardIterator', { ...request, ShardIteratorType: 'LATEST' });
    for await (const record of store.records(String(request.StreamName), String(request.ShardId), 'TRIM_HORIZON')) {
      if (record.approximateArrivalTimestamp < Number(Timestamp) * 1000) continue;
      const place = { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: record.sequenceNumber };
      return store.call('GetShardIterator', { ...request, ...place });
    }
    return latest;
  }

  async function shards(streamName: string): Promise<string[]> {
    return ((await store.describe(streamName))?.Shards ?? []).map(({ ShardId }) => ShardId);
  }

  async function read(streamName: string, shardId: string, after: Position, limit: number): Promise<StreamRecord[]> {
    const found: StreamRecord[] = [];
    for await (const record of store.records(streamName, shardId, after, { limit })) found.push(record);
    return found;
  }

  async function latest(streamName: string): Promise<Positions> {
    const positions: Record<string, Position> = {};
    for (const shardId of await shards(streamName)) {
      positions[shardId] = 'TRIM_HORIZON';
      const newest = store.records(streamName, shardId, 'TRIM_HORIZON', { reverse: true, limit: 1 });
      for await (const { sequenceNumber } of newest) positions[shardId] = sequenceNumber;
    }
    return positions;
  }

  /** kinesalite forgets old records only as someone reads them; without this the disk would fill. */
  function trim(): void {
    trimming = store.trim(context.now()).catch(error => context.log(`Kinesis could not trim old records: ${error}`));
    cancelTrim = timer(trimEveryMs, trim);
  }

  const action = (perform: (input: JsonInput) => unknown): JsonAction => ({
    resources({ ShardIterator, ...input }) {
      const name = ShardIterator === undefined ? named(input).StreamName : streamOfIterator(String(ShardIterator));
      return [typeof name === 'string' ? arnOf(name) : '*'];
    },
    perform: input => perform(named(input)),
  });
  const actions: Record<string, JsonAction> = {
    ...Object.fromEntries(forwarded.map(name => [name, action(input => store.call(name, input))])),
    CreateStream: action(createStream),
    GetShardIterator: action(getShardIterator),
    PutRecord: action(input => put('PutRecord', input)),
    PutRecords: action(input => put('PutRecords', input)),
  };

  const stream = provider<StreamProperties>(async ({ logicalId, properties }) => {
    const name = properties.Name ?? logicalId;
    await ensureStream(name, properties);
    return { ref: name, attributes: { Arn: arnOf(name) } };
  });

  function onRecords(streamName: string, wake: () => void): () => void {
    const listeners = wakers.get(streamName) ?? new Set();
    wakers.set(streamName, listeners.add(wake));
    return () => void listeners.delete(wake);
  }

  async function stop(): Promise<void> {
    cancelTrim();
    await trimming;
    await store.close();
  }

  const service = withoutCbor(createJsonService({ name: 'kinesis', targetPrefix: 'Kinesis_20131202', actions }));
  const providers = { 'AWS::Kinesis::Stream': stream };
  return { services: [service], providers, ensureStream, shards, read, latest, append, onRecords, stop };
}

/** Newer SDKs name a stream by its ARN, which kinesalite does not know. */
function named(input: JsonInput): JsonInput {
  const { StreamARN, ...rest } = input;
  return typeof StreamARN === 'string' ? { StreamName: StreamARN.split(':stream/')[1], ...rest } : input;
}

/** Refuses what kinesalite lets through: it counts neither partition keys nor the whole request. */
function checkSizes(entries: readonly JsonInput[]): void {
  const bytes = (value: unknown, encoding: BufferEncoding) => Buffer.byteLength(String(value ?? ''), encoding);
  const sizes = entries.map(entry => bytes(entry?.Data, 'base64') + bytes(entry?.PartitionKey, 'utf8'));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const index = sizes.findIndex(size => size > maxRecordBytes);
  if (index >= 0) {
    const message = `Record ${index} has ${sizes[index]} bytes with its partition key; at most ${maxRecordBytes}`;
    throw new AwsError('InvalidArgumentException', message);
  }
  if (total > maxRequestBytes) {
    throw new AwsError(
      'InvalidArgumentException',
      `The records have ${total} bytes in all; at most ${maxRequestBytes}`,
    );
  }
}

function withoutCbor(service: Service): Service {
  return {
    ...service,
    receive(request) {
      if (!request.headers['content-type']?.includes('cbor')) return service.receive(request);
      const advice = 'The local Kinesis speaks JSON only: start the client with AWS_CBOR_DISABLE=true';
      throw new AwsError('UnsupportedMediaTypeException', advice, 415);
    },
  };
}
