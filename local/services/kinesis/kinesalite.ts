import { createDecipheriv } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { AwsError } from '../../gate/service.ts';
import type { Position, StreamRecord } from './kinesis.ts';

// kinesalite's own HTTP server refuses bodies over 7 MiB and would cost each put a second hop and a second parse, so
// its validations and actions are called directly. It ships no types: these are the members used here.
interface Level<Value> {
  get(key: string): Promise<Value>;
  put(key: string, value: Value): Promise<void>;
  del(key: string): Promise<void>;
  createReadStream(range?: object): AsyncIterable<{ key: string; value: Value }>;
}

interface StoredStream {
  readonly StreamName: string;
  readonly StreamStatus: string;
  readonly RetentionPeriodHours: number;
  readonly Shards: readonly { readonly ShardId: string }[];
  /** Ours: kinesalite knows no capacity modes, but hands out whatever is stored of a stream. */
  readonly StreamModeDetails?: { readonly StreamMode: string };
}

type Callback = (error?: unknown, output?: unknown) => void;

interface Store {
  db: NodeJS.EventEmitter & { close(): Promise<void> };
  metaDb: Level<StoredStream> & { lock(key: string, run: (release: (done?: Callback) => Callback) => void): void };
  getStreamDb(name: string): Level<{ PartitionKey: string; Data: string; ApproximateArrivalTimestamp: number }>;
}

interface Modules {
  'kinesalite/db': { create(options: object): Store; ITERATOR_PWD_KEY: Buffer; ITERATOR_PWD_IV: Buffer };
  'kinesalite/validations': {
    checkTypes(input: object, types: object): object;
    checkValidations(input: object, types: object, custom: unknown, action: string): void;
  };
}

const load = createRequire(import.meta.url);
const database: Modules['kinesalite/db'] = load('kinesalite/db');
const validations: Modules['kinesalite/validations'] = load('kinesalite/validations');
const createTimeoutMs = 5_000;
const shardLimit = 20_000; // AWS's own in us-east-1; kinesalite's default is 10

/** Opens (or makes) the LevelDB in `path`. What a call has answered is there after a `kill -9`. */
export async function openKinesalite(path: string, awsAccountId: string, awsRegion: string) {
  mkdirSync(path, { recursive: true });
  const store = database.create({ path, createStreamMs: 0, deleteStreamMs: 0, updateStreamMs: 0, shardLimit });
  Object.assign(store.metaDb, { awsAccountId, awsRegion });
  await once(store.db, 'open');

  /** Carries out one API action; what kinesalite refuses becomes an AwsError. */
  async function call(action: string, input: object): Promise<unknown> {
    const file = action.charAt(0).toLowerCase() + action.slice(1);
    const rules: { types: object; custom?: unknown } = load(`kinesalite/validations/${file}.js`);
    const perform: (store: Store, input: object, done: Callback) => void = load(`kinesalite/actions/${file}.js`);
    try {
      const checked = validations.checkTypes({ ...input }, rules.types);
      validations.checkValidations(checked, rules.types, rules.custom, action);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      perform(store, checked, (error, output) => (error ? reject(error) : resolve(output)));
      return await promise;
    } catch (error) {
      const { statusCode, body } = error as { statusCode?: number; body?: Record<string, string> };
      throw body?.__type ? new AwsError(body.__type, body.message ?? body.Message ?? '', statusCode) : error;
    }
  }

  async function describe(streamName: string): Promise<StoredStream | undefined> {
    const stream = await store.metaDb.get(streamName).catch((error: { notFound?: boolean }) => {
      if (!error.notFound) throw error;
    });
    // A crash just before it was active leaves a stream that never will be: it has no shard, so it holds nothing.
    return stream && stream.StreamStatus !== 'CREATING' ? stream : undefined;
  }

  /** Resolves once the stream takes records. */
  async function create(StreamName: string, ShardCount: number): Promise<void> {
    await store.metaDb.del(StreamName);
    await call('CreateStream', { StreamName, ShardCount });
    const signal = AbortSignal.timeout(createTimeoutMs);
    while (!(await describe(StreamName))) await delay(1, undefined, { signal });
  }

  /** Changes what is stored of a stream, while no put can update its sequence counters. */
  async function amend(streamName: string, change: Partial<StoredStream>): Promise<void> {
    const { promise: locked, resolve } = Promise.withResolvers<Callback>();
    store.metaDb.lock(streamName, release => resolve(release()));
    const unlock = await locked;
    const stream = await store.metaDb.get(streamName);
    await store.metaDb.put(streamName, { ...stream, ...change }).finally(unlock);
  }

  /** A shard's records after a position, oldest first. */
  async function* records(streamName: string, shardId: string, after: Position, options: object = {}) {
    const prefix = keyPrefix(shardId);
    const range = { gt: prefix + (after === 'TRIM_HORIZON' ? '' : after), lt: `${prefix}~`, ...options };
    for await (const { key, value } of store.getStreamDb(streamName).createReadStream(range)) {
      const record: StreamRecord = {
        sequenceNumber: key.slice(prefix.length),
        partitionKey: value.PartitionKey,
        data: Buffer.from(value.Data, 'base64'),
        approximateArrivalTimestamp: Math.round(value.ApproximateArrivalTimestamp * 1000),
      };
      yield record;
    }
  }

  /** Removes what is older than its stream's retention. */
  async function trim(nowMs: number): Promise<void> {
    for await (const { value: stream } of store.metaDb.createReadStream()) {
      for (const { ShardId } of stream.Shards) {
        for await (const record of records(stream.StreamName, ShardId, 'TRIM_HORIZON')) {
          if (record.approximateArrivalTimestamp > nowMs - stream.RetentionPeriodHours * 3_600_000) break;
          await store.getStreamDb(stream.StreamName).del(keyPrefix(ShardId) + record.sequenceNumber);
        }
      }
    }
  }

  return { call, describe, create, amend, records, trim, close: () => store.db.close() };
}

/** Records are keyed `<shard index in hex>/<sequence number>`. */
function keyPrefix(shardId: string): string {
  return `${Number(shardId.split('-')[1]).toString(16).padStart(8, '0')}/`;
}

/** The stream an iterator was issued for: GetRecords names it nowhere else. */
export function streamOfIterator(iterator: string): string | undefined {
  try {
    const decipher = createDecipheriv('aes-256-cbc', database.ITERATOR_PWD_KEY, database.ITERATOR_PWD_IV);
    const text = decipher.update(Buffer.from(iterator, 'base64').subarray(8));
    return Buffer.concat([text, decipher.final()]).toString().split('/')[1];
  } catch {
    return undefined;
  }
}
