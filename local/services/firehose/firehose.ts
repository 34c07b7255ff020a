import { join } from 'node:path';
import type { Duckdb } from '../../engines/duckdb.ts';
import { createJsonService, type JsonInput } from '../../gate/json-protocol.ts';
import { AwsError } from '../../gate/service.ts';
import { type Loop, type LoopControl, startLoop, systemTimer } from '../../loop.ts';
import { type CloudContext, type CloudPart, provider } from '../../part.ts';
import type { State } from '../../state.ts';
import type { Glue } from '../glue/glue.ts';
import { gather } from '../kinesis/gather.ts';
import { createKinesis, type Kinesis, type Positions } from '../kinesis/kinesis.ts';
import type { S3 } from '../s3/s3.ts';
import { createWriter, type Destination } from './destination.ts';

export interface FirehoseDependencies {
  readonly s3: Pick<S3, 'put'>;
  readonly kinesis: Kinesis;
  readonly glue: Pick<Glue, 'table'>;
  readonly duckdb: Pick<Duckdb, 'run'>;
  readonly state: State;
}

interface DeliveryStream {
  readonly DeliveryStreamName: string;
  readonly KinesisStreamSourceConfiguration?: { readonly KinesisStreamARN: string };
  readonly ExtendedS3DestinationConfiguration: Destination;
}

const limits = { records: 500, recordBytes: 1000 * 1024, bytes: 4 * 1024 * 1024 };
const restMs = 75; // a rush of puts becomes one read and one object
const maxBufferMb = 32; // to AWS too the size is but a hint; here what is gathered is held in memory

/** Amazon Data Firehose, from a Kinesis stream or direct puts to S3: at least once, woken by new data. */
export function createFirehose(context: CloudContext, deps: FirehoseDependencies, timer = systemTimer): CloudPart {
  let direct: Promise<Kinesis> | undefined; // keeps direct puts, so that there is one way to deliver and recover
  const streams = new Map<string, DeliveryStream>();
  const deliveries: Loop[] = [];
  const arnOf = (name: unknown) => `arn:aws:firehose:${context.region}:${context.accountId}:deliverystream/${name}`;
  const stored = (name: string) => deps.state.get(`firehose/${name}`, 'delivered');
  const store = (name: string, to: Positions) => deps.state.set(`firehose/${name}`, 'delivered', JSON.stringify(to));

  function find({ DeliveryStreamName: name }: JsonInput): DeliveryStream {
    const stream = streams.get(String(name));
    if (stream) return stream;
    throw new AwsError('ResourceNotFoundException', `Firehose ${name} under account ${context.accountId} not found.`);
  }

  async function sourceOf(stream: DeliveryStream): Promise<[Kinesis, streamName: string]> {
    const streamName = stream.KinesisStreamSourceConfiguration?.KinesisStreamARN.split('/')[1];
    if (streamName) return [deps.kinesis, streamName];
    direct ??= createKinesis({ ...context, stateDir: join(context.stateDir, 'firehose') }, timer);
    return [await direct, stream.DeliveryStreamName];
  }

  async function put(input: JsonInput, entries: unknown): Promise<{ RecordId: string }[]> {
    const [kinesis, streamName] = await sourceOf(find(input));
    if (kinesis === deps.kinesis)
      throw new AwsError('InvalidArgumentException', `${streamName} is the source to put to`);
    return (await kinesis.append(streamName, decode(entries))).map(RecordId => ({ RecordId }));
  }

  function describe(input: JsonInput): object {
    const { DeliveryStreamName, KinesisStreamSourceConfiguration: source, ...stream } = find(input);
    const ExtendedS3DestinationDescription = stream.ExtendedS3DestinationConfiguration;
    return {
      DeliveryStreamDescription: {
        DeliveryStreamName,
        DeliveryStreamARN: arnOf(DeliveryStreamName),
        DeliveryStreamStatus: 'ACTIVE',
        DeliveryStreamType: source ? 'KinesisStreamAsSource' : 'DirectPut',
        VersionId: '1',
        Source: { KinesisStreamSourceDescription: source },
        Destinations: [{ DestinationId: 'destinationId-000000000001', ExtendedS3DestinationDescription }],
        HasMoreDestinations: false,
      },
    };
  }

  const list = () => ({ DeliveryStreamNames: [...streams.keys()], HasMoreDeliveryStreams: false });
  const resources = (input: JsonInput) => [arnOf(input.DeliveryStreamName)];
  const action = (perform: (input: JsonInput) => unknown) => ({ resources, perform });
  const actions = {
    PutRecord: action(async input => (await put(input, [input.Record]))[0]),
    PutRecordBatch: action(async input => ({ FailedPutCount: 0, RequestResponses: await put(input, input.Records) })),
    DescribeDeliveryStream: action(describe),
    ListDeliveryStreams: { perform: list },
  };

  const deploy = provider<Partial<DeliveryStream>>(async ({ logicalId, properties }) => {
    const { DeliveryStreamName: name = logicalId, ExtendedS3DestinationConfiguration } = properties;
    if (!ExtendedS3DestinationConfiguration) throw new Error(`${logicalId}: the local Firehose delivers to S3 only`);
    const stream = { ...properties, DeliveryStreamName: name, ExtendedS3DestinationConfiguration };
    const [kinesis, streamName] = await sourceOf(stream);
    if (kinesis !== deps.kinesis) await kinesis.ensureStream(streamName);
    if (!stored(name)) store(name, await kinesis.latest(streamName)); // as on AWS: what comes from now on
    streams.set(name, stream);
    return { ref: name, attributes: { Arn: arnOf(name) } };
  });

  /** Delivers full buffer by full buffer or as records come of age, and the rest at a stop. */
  async function deliver(stream: DeliveryStream): Promise<Loop> {
    const { DeliveryStreamName: name, ExtendedS3DestinationConfiguration: destination } = stream;
    const { SizeInMBs = 5, IntervalInSeconds = 300 } = destination.BufferingHints ?? {};
    const maxBytes = Math.min(SizeInMBs, maxBufferMb) * 1024 * 1024;
    const [kinesis, streamName] = await sourceOf(stream);
    const write = createWriter(name, join(context.stateDir, `firehose-${name}.parquet`), destination, deps);
    const buffer = gather(kinesis, streamName, JSON.parse(stored(name) ?? '{}'));

    async function step({ stopping, rest }: LoopControl): Promise<number> {
      await rest(restMs);
      await buffer.fill(maxBytes);
      const { records, bytes, oldest, positions } = buffer.held();
      if (!oldest) return Number.POSITIVE_INFINITY;
      const dueInMs = oldest.approximateArrivalTimestamp + IntervalInSeconds * 1000 - context.now();
      if (dueInMs > 0 && bytes < maxBytes && !stopping()) return dueInMs;
      await write(records, oldest);
      store(name, positions);
      buffer.release();
      return 0;
    }

    const loop = startLoop(timer, line => context.log(`Firehose ${name}: ${line}`), step);
    kinesis.onRecords(streamName, loop.notify);
    return loop;
  }

  async function start(): Promise<void> {
    for (const stream of streams.values()) deliveries.push(await deliver(stream));
  }

  async function stop(): Promise<void> {
    await Promise.all(deliveries.splice(0).map(delivery => delivery.stop()));
    await (await direct)?.stop?.();
  }

  const services = [createJsonService({ name: 'firehose', targetPrefix: 'Firehose_20150804', actions })];
  return { services, providers: { 'AWS::KinesisFirehose::DeliveryStream': deploy }, start, stop };
}

/** The records of a put, within https://docs.aws.amazon.com/firehose/latest/dev/limits.html. */
function decode(entries: unknown): Buffer[] {
  const list: readonly { Data?: string }[] = Array.isArray(entries) ? entries : [];
  const records = list.map(entry => Buffer.from(entry?.Data ?? '', 'base64'));
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  const fits = records.every(({ length }) => length <= limits.recordBytes) && bytes <= limits.bytes;
  if (fits && records.length >= 1 && records.length <= limits.records) return records;
  throw new AwsError('InvalidArgumentException', 'A put holds 1 to 500 records of 1000 KiB at most, 4 MiB in all');
}
