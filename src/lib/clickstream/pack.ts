import { maxRecordBytes } from './limits.ts';

/** One record for Kinesis or Firehose: lines of JSON, each ended by a newline. */
export interface PackedRecord {
  readonly partitionKey: string;
  readonly data: Uint8Array;
}

const newline = 10;

/**
 * Cuts newline-ended lines into as few records as their size allows, in order. Kinesis and Firehose bill by the record
 * (rounded up to 1 KB, 25 KB or 5 KB): one event a record would pay that rounding for each. All records of a request
 * share its partition key, so they stay in order on one shard; the next request has another. A single line beyond
 * `maxBytes` becomes a record of its own: the caller judges it.
 */
export function packLines(text: string, partitionKey: string, maxBytes = maxRecordBytes): PackedRecord[] {
  if (text === '') return [];
  const bytes = Buffer.from(text);
  const records: PackedRecord[] = [];
  let start = 0;
  while (bytes.length - start > maxBytes) {
    const lastThatFits = bytes.lastIndexOf(newline, start + maxBytes - 1);
    const end = 1 + (lastThatFits >= start ? lastThatFits : bytes.indexOf(newline, start));
    records.push({ partitionKey, data: bytes.subarray(start, end) });
    start = end;
  }
  if (start < bytes.length) records.push({ partitionKey, data: bytes.subarray(start) });
  return records;
}
