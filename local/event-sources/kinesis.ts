import { createHash } from 'node:crypto';
import type { Lambda } from '../lambda.ts';
import { type Loop, systemTimer, type Timer } from '../loop.ts';
import { type CloudContext, type CloudPart, provider } from '../part.ts';
import type { Kinesis, Positions, StreamRecord } from '../services/kinesis/kinesis.ts';
import type { State } from '../state.ts';
import { compilePattern } from './filter.ts';
import { type Checkpoint, type Discard, startLane } from './kinesis-lane.ts';

export interface KinesisEventSourceDependencies {
  readonly kinesis: Kinesis;
  readonly lambda: Pick<Lambda, 'invoke'>;
  readonly state: State;
  /** Sends a JSON document to an SQS queue or an SNS topic. */
  readonly sendToDestination: (arn: string, body: string) => Promise<void>;
  /** The function's execution role, which every event names. */
  readonly roleArnOf?: (functionName: string) => string | undefined;
}

export interface KinesisEventSource extends CloudPart {
  /** Whether a mapping with this EventSourceArn is for this part. */
  readonly accepts: (eventSourceArn: string) => boolean;
}

interface Mapping {
  readonly EventSourceArn: string;
  readonly FunctionName: string;
  readonly Enabled?: boolean;
  readonly BatchSize?: number;
  readonly MaximumBatchingWindowInSeconds?: number;
  readonly TumblingWindowInSeconds?: number;
  readonly ParallelizationFactor?: number;
  readonly StartingPosition?: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP';
  /** Seconds since the epoch. */
  readonly StartingPositionTimestamp?: number;
  readonly BisectBatchOnFunctionError?: boolean;
  readonly MaximumRetryAttempts?: number;
  readonly MaximumRecordAgeInSeconds?: number;
  readonly FunctionResponseTypes?: readonly string[];
  readonly FilterCriteria?: { readonly Filters?: readonly { readonly Pattern: string }[] };
  readonly DestinationConfig?: { readonly OnFailure?: { readonly Destination?: string } };
}

/** Lambda's own poller of Kinesis streams: batches in order by shard, with AWS's retries, and woken by new records. */
export function createKinesisEventSource(
  context: CloudContext,
  dependencies: KinesisEventSourceDependencies,
  timer: Timer = systemTimer,
): KinesisEventSource {
  const { kinesis, state } = dependencies;
  const mappings = new Map<string, Mapping>();
  const pollers: Pick<Loop, 'stop'>[] = [];
  const accepts = (arn: string) => arn.startsWith('arn:aws:kinesis:');

  const deploy = provider<Mapping>(async ({ logicalId, properties }) => {
    const { EventSourceArn, FunctionName } = properties;
    if (!accepts(EventSourceArn)) throw new Error(`${logicalId}: no local event source polls ${EventSourceArn}`);
    recordFilter(properties);
    const hash = createHash('sha256').update(`${FunctionName} ${EventSourceArn}`).digest('hex');
    const uuid = hash.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
    const fromNowOn = properties.StartingPosition === 'LATEST';
    const start: Positions = fromNowOn ? await kinesis.latest(streamOf(properties)) : {};
    if (!state.get(`event-source/${uuid}`, 'start')) state.set(`event-source/${uuid}`, 'start', JSON.stringify(start));
    mappings.set(uuid, properties);
    const arn = `arn:aws:lambda:${context.region}:${context.accountId}:event-source-mapping:${uuid}`;
    return { ref: uuid, attributes: { Id: uuid, EventSourceMappingArn: arn } };
  });

  async function start(): Promise<void> {
    for (const [uuid, mapping] of mappings) {
      if (mapping.Enabled !== false) pollers.push(await poll(uuid, mapping, context, dependencies, timer));
    }
  }

  async function stop(): Promise<void> {
    await Promise.all(pollers.splice(0).map(poller => poller.stop()));
  }

  return { accepts, providers: { 'AWS::Lambda::EventSourceMapping': deploy }, start, stop };
}

/** Runs one mapping: a lane for each shard, or several where it asks for parallel batches. */
async function poll(
  uuid: string,
  mapping: Mapping,
  context: CloudContext,
  { kinesis, lambda, state, sendToDestination, roleArnOf }: KinesisEventSourceDependencies,
  timer: Timer,
): Promise<Pick<Loop, 'stop'>> {
  const { FunctionName, EventSourceArn: eventSourceARN } = mapping;
  const { region, accountId, now } = context;
  const area = `event-source/${uuid}`;
  const streamName = streamOf(mapping);
  const factor = Number(mapping.ParallelizationFactor ?? 1);
  const matches = recordFilter(mapping);
  const firstPositions: Positions = JSON.parse(state.get(area, 'start') ?? '{}');
  const lanes = new Map<string, Loop>();
  let stopped = false;
  const log = (line: string) => context.log(`${FunctionName} on ${streamName}: ${line}`);

  /** Sees to it that each shard has its lanes; a stream can be given new ones. */
  async function cover(): Promise<void> {
    for (const shardId of await kinesis.shards(streamName)) {
      for (let lane = 0; lane < factor && !stopped; lane += 1) {
        const name = factor === 1 ? shardId : `${shardId} lane ${lane} of ${factor}`;
        if (!lanes.has(name)) lanes.set(name, open(name, shardId, lane));
      }
    }
  }

  function open(name: string, shardId: string, lane: number): Loop {
    const stored = state.get(area, name);
    const checkpoint: Checkpoint = stored
      ? JSON.parse(stored)
      : { position: firstPositions[shardId] ?? 'TRIM_HORIZON' };
    const ms = (seconds = 0) => Number(seconds) * 1000;
    return startLane({
      batchSize: Number(mapping.BatchSize ?? 100),
      batchingWindowMs: ms(mapping.MaximumBatchingWindowInSeconds),
      tumblingWindowMs: ms(mapping.TumblingWindowInSeconds),
      bisects: mapping.BisectBatchOnFunctionError === true,
      reportsFailures: mapping.FunctionResponseTypes?.includes('ReportBatchItemFailures') === true,
      maxRetries: Number(mapping.MaximumRetryAttempts ?? -1),
      maxAgeMs: ms(mapping.MaximumRecordAgeInSeconds ?? -1),
      accepts: record => laneOf(record.partitionKey, factor) === lane && matches(record),
      read: (after, limit) => kinesis.read(streamName, shardId, after, limit),
      invoke(records, fields) {
        const Records = records.map(record => eventRecord(record, shardId));
        return lambda.invoke(FunctionName, { Records, ...(fields && { ...fields, shardId, eventSourceARN }) });
      },
      discard: (records, why) => discard(records, shardId, why),
      checkpoint,
      save: saved => state.set(area, name, JSON.stringify(saved)),
      now,
      timer,
      log,
    });
  }

  function eventRecord({ data, approximateArrivalTimestamp, ...record }: StreamRecord, shardId: string): object {
    return {
      kinesis: {
        kinesisSchemaVersion: '1.0',
        ...record,
        data: data.toString('base64'),
        approximateArrivalTimestamp: approximateArrivalTimestamp / 1000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${shardId}:${record.sequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: roleArnOf?.(FunctionName) ?? '',
      awsRegion: region,
      eventSourceARN,
    };
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html */
  async function discard(records: readonly StreamRecord[], shardId: string, why: Discard): Promise<void> {
    const [first, last] = [records[0], records.at(-1)];
    const iso = (epochMs = 0) => new Date(epochMs).toISOString();
    const functionArn = `arn:aws:lambda:${region}:${accountId}:function:${FunctionName.split(':function:').at(-1)}`;
    const body = {
      requestContext: { functionArn, ...why },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: iso(now()),
      KinesisBatchInfo: {
        shardId,
        startSequenceNumber: first?.sequenceNumber,
        endSequenceNumber: last?.sequenceNumber,
        approximateArrivalOfFirstRecord: iso(first?.approximateArrivalTimestamp),
        approximateArrivalOfLastRecord: iso(last?.approximateArrivalTimestamp),
        batchSize: records.length,
        streamArn: eventSourceARN,
      },
    };
    const destination = mapping.DestinationConfig?.OnFailure?.Destination;
    log(`gives up ${records.length} records of ${shardId}: ${why.condition}`);
    // As on AWS: where the destination fails, the shard goes on.
    if (destination) await sendToDestination(destination, JSON.stringify(body)).catch(error => log(String(error)));
  }

  function wake(): void {
    for (const lane of lanes.values()) lane.notify();
    cover().catch(error => log(`cannot list shards: ${error}`));
  }

  const unsubscribe = kinesis.onRecords(streamName, wake);
  await cover();
  return {
    async stop() {
      stopped = true;
      unsubscribe();
      await Promise.all([...lanes.values()].map(lane => lane.stop()));
    },
  };
}

const streamOf = ({ EventSourceArn }: Mapping) => EventSourceArn.split(':stream/')[1] ?? '';

/** A partition key is always in the same lane, so its records stay in order. */
function laneOf(partitionKey: string, lanes: number): number {
  return lanes === 1 ? 0 : createHash('md5').update(partitionKey).digest().readUInt32BE() % lanes;
}

/** Whether a record is for the function: by its time, where the mapping starts at one, and by its filters. */
function recordFilter(mapping: Mapping): (record: StreamRecord) => boolean {
  const sinceMs = mapping.StartingPosition === 'AT_TIMESTAMP' ? Number(mapping.StartingPositionTimestamp) * 1000 : 0;
  const patterns = (mapping.FilterCriteria?.Filters ?? []).map(({ Pattern }) => compilePattern(JSON.parse(Pattern)));
  return record => {
    if (record.approximateArrivalTimestamp < sinceMs) return false;
    if (patterns.length === 0) return true;
    const event = { partitionKey: record.partitionKey, data: decoded(record.data) };
    return patterns.some(matches => matches(event));
  };
}

function decoded(data: Buffer): unknown {
  const text = data.toString('utf8');
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
