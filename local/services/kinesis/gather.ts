import type { Kinesis, Positions, StreamRecord } from './kinesis.ts';

/** Records taken from all shards of a stream and not let go of yet. */
export interface Gathering {
  /** Takes what has come, until `maxBytes` are held. */
  readonly fill: (maxBytes: number) => Promise<void>;
  readonly held: () => Held;
  readonly release: () => void;
}

interface Held {
  readonly records: readonly StreamRecord[];
  readonly bytes: number;
  readonly oldest: StreamRecord | undefined;
  /** Where to go on once these are dealt with. */
  readonly positions: Positions;
}

const readLimit = 100;

/** Gathers what comes after the given positions; shards without one are read from their beginning. */
export function gather(kinesis: Kinesis, streamName: string, after: Positions): Gathering {
  const positions: Record<string, string> = { ...after };
  let records: StreamRecord[] = [];
  let bytes = 0;
  let oldest: StreamRecord | undefined;

  async function fill(maxBytes: number): Promise<void> {
    for (const shardId of await kinesis.shards(streamName)) {
      while (bytes < maxBytes) {
        const read = await kinesis.read(streamName, shardId, positions[shardId] ?? 'TRIM_HORIZON', readLimit);
        for (const record of read) {
          bytes += record.data.length;
          positions[shardId] = record.sequenceNumber;
          const age = record.approximateArrivalTimestamp;
          if (age < (oldest?.approximateArrivalTimestamp ?? Number.POSITIVE_INFINITY)) oldest = record;
        }
        records.push(...read);
        if (read.length < readLimit) break;
      }
    }
  }

  function release(): void {
    records = [];
    bytes = 0;
    oldest = undefined;
  }

  return { fill, held: () => ({ records, bytes, oldest, positions }), release };
}
