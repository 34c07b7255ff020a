import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis';
import { createClickstreamSink } from '../../src/lib/aws/clickstream-sink.ts';
import { createKinesisClient } from '../../src/lib/aws/clients.ts';
import { createDeviceReader } from '../../src/lib/clickstream/device.ts';
import { takeIn } from '../../src/lib/clickstream/intake.ts';
import type { PackedRecord } from '../../src/lib/clickstream/pack.ts';
import { httpEventOfVisit, linesOf, sources } from '../collect.ts';
import { createGuests } from '../guests.ts';
import { interleave, speedOf } from '../measure.ts';
import { atLeast, checkBooks, type Row } from '../row.ts';

const eventCount = 10;
const batches = 10;
const streams = { packed: 'bench-packed', single: 'bench-single', unpacked: 'bench-unpacked' };

/** One HTTP request's events, packed and one by one: the same bytes. */
interface Batch {
  readonly packed: readonly PackedRecord[];
  readonly lines: readonly PackedRecord[];
}

/** Row 3: how long a request's events take to be durable, each variant over the same client, gate and stream engine. */
export const putCalls: Row = {
  id: 3,
  run: async ({ amount, stage }) => {
    await stage();
    const client = createKinesisClient();
    try {
      for (const StreamName of Object.values(streams)) {
        await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }));
      }
      const prepared = prepareBatches();
      const packedSink = createClickstreamSink(streams.packed);
      const each = (put: (batch: Batch) => Promise<unknown>) => async () => {
        for (const batch of prepared) await put(batch);
      };
      const packed = each(batch => packedSink.put(batch.packed));
      const single = each(batch => putOneByOne(client, batch.lines));
      const unpacked = each(batch => putUnpacked(client, batch.lines));

      const rounds = amount(51, 9);
      await interleave(packed, single, 2);
      const againstSingle = await interleave(packed, single, rounds);
      await interleave(packed, unpacked, 2);
      const againstUnpacked = await interleave(packed, unpacked, rounds);

      const sentARound = batches * eventCount;
      checkBooks('Row 3, packed', (2 * rounds + 4) * sentARound, await storedIn(client, streams.packed));
      checkBooks('Row 3, one by one', (rounds + 2) * sentARound, await storedIn(client, streams.single));
      checkBooks('Row 3, unpacked', (rounds + 2) * sentARound, await storedIn(client, streams.unpacked));
      return [
        {
          id: '3a',
          name: `packed put of ${eventCount} events ÷ one PutRecord an event, 10 in parallel`,
          ...speedOf(againstSingle),
          target: atLeast(4.5),
        },
        {
          id: '3b',
          name: `packed put of ${eventCount} events ÷ PutRecords, one record an event`,
          ...speedOf(againstUnpacked),
          target: atLeast(1.3),
        },
      ];
    } finally {
      client.destroy();
    }
  },
};

function prepareBatches(): Batch[] {
  const { visit } = createGuests();
  const settings = { sources, deviceOf: createDeviceReader() };
  return Array.from({ length: batches }, () => {
    const next = visit(eventCount);
    const { rawPath: path, headers, body = '' } = httpEventOfVisit(next);
    const receipt = { requestId: crypto.randomUUID(), receivedAtMs: next.sentAtMs };
    const intake = takeIn({ path, headers, body }, receipt, settings);
    if ('refused' in intake) throw new Error(`The request was refused: ${intake.detail}`);
    const text = Buffer.concat(intake.eventRecords.map(record => record.data)).toString('utf8');
    const lines = text.trimEnd().split('\n');
    const single = lines.map(line => ({ partitionKey: receipt.requestId, data: Buffer.from(`${line}\n`) }));
    return { packed: intake.eventRecords, lines: single };
  });
}

/** The naive peer at its best: one call an event as most examples have it, but ten at a time over kept-alive sockets. */
async function putOneByOne(client: KinesisClient, records: readonly PackedRecord[]): Promise<void> {
  const put = ({ partitionKey, data }: PackedRecord) =>
    client.send(new PutRecordCommand({ StreamName: streams.single, PartitionKey: partitionKey, Data: data }));
  await Promise.all(records.map(put)); // a batch is ten events
}

/** The better peer: one call for all, one record an event, refused ones told apart as our sink does. */
async function putUnpacked(client: KinesisClient, records: readonly PackedRecord[]): Promise<void> {
  const Records = records.map(({ partitionKey, data }) => ({ PartitionKey: partitionKey, Data: data }));
  const answer = await client.send(new PutRecordsCommand({ StreamName: streams.unpacked, Records }));
  if (answer.Records?.some(record => record.SequenceNumber === undefined)) throw new Error('A record was refused.');
}

/** How many events the stream holds, as a consumer reads them. */
async function storedIn(client: KinesisClient, StreamName: string): Promise<number> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }));
  let events = 0;
  for (const { ShardId } of Shards) {
    const from = new GetShardIteratorCommand({ StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' });
    let { ShardIterator } = await client.send(from);
    for (let isMore = true; isMore; ) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator, Limit: 1000 }));
      for (const { Data } of page.Records ?? []) events += Data === undefined ? 0 : linesOf(Data);
      isMore = (page.Records ?? []).length > 0;
      ShardIterator = page.NextShardIterator;
    }
  }
  return events;
}
