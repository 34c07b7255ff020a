import { maxRecordBytes } from './limits.ts';

/** One record for Kinesis or Firehose: lines of JSON, each ended by a newline. */
export interface PackedRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

const newline = 10;

/**
 * Cuts newline-ended lines into as few records as their size allows, in order. Kinesis and Firehose bill by the record
 * (rounded up to 1 KB, 25 KB or 5 KB): one event a record would pay that rounding for each. Each record has a partition
 * key of its own, because two full ones are more than a shard takes in a second: `ingest_seq` tells their order. A single
 * line beyond `maxBytes` becomes a record of its own: the caller judges it.
 */
export function packLines(text: string, requestId: string, maxBytes = maxRecordBytes): PackedRecord[] {
  if (text === '') return [];
  const bytes = Buffer.from(text);
  const records: PackedRecord[] = [];
  const add = (from: number, to: number) =>
    records.push({ partitionKey: `${requestId}-${records.length}`, data: bytes.subarray(from, to) });
  let start = 0;
  while (bytes.length - start > maxBytes) {
    const lastThatFits = bytes.lastIndexOf(newline, start + maxBytes - 1);
    const end = 1 + (lastThatFits >= start ? lastThatFits : bytes.indexOf(newline, start));
    add(start, end);
    start = end;
  }
  if (start < bytes.length) add(start, bytes.length);
  return records;
}
