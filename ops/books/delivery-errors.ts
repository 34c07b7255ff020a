import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { parseTime } from '../../src/lib/clickstream/clock.ts';
import { isRecord, tryParseJson } from '../../src/lib/clickstream/json.ts';
import type { Stage } from '../stage.ts';
import type { Window } from './window.ts';

/** What Firehose could not deliver, by document: a record holds many. */
export interface DeliveryErrors {
  /** `ingest_id` of what was on its way to `events`. */
  readonly events: ReadonlySet<string>;
  /** `ingest_id` of what was on its way to `failed_events`. */
  readonly failedEvents: ReadonlySet<string>;
  /** Documents that are none of collect's. */
  readonly unreadable: number;
}

interface Found {
  readonly events: Set<string>;
  readonly failedEvents: Set<string>;
  unreadable: number;
}

const prefix = 'delivery-errors/';

/** Reads every object under delivery-errors/ from the window's first day on. */
export async function readDeliveryErrors(
  { aws, explain, isLocal }: Stage,
  bucket: string,
  window: Window,
): Promise<DeliveryErrors> {
  // A local bucket has no host name of its own.
  const client = new S3Client({ ...aws, forcePathStyle: isLocal });
  const found: Found = { events: new Set(), failedEvents: new Set(), unreadable: 0 };
  try {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key = '' } of Contents) {
        if (!isFromDay(Key, window)) continue;
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
        const bytes = Buffer.from((await Body?.transformToByteArray()) ?? []);
        addErrors(found, Key, bytes, window);
      }
    }
  } catch (error) {
    throw explain(error);
  }
  return found;
}

function isFromDay(key: string, { fromMs }: Window): boolean {
  const day = /\/day=(\d{4}-\d\d-\d\d)\//.exec(key)?.[1];
  return day === undefined || day >= new Date(fromMs).toISOString().slice(0, 10);
}

/** https://docs.aws.amazon.com/firehose/latest/dev/record-format-conversion-error-handling.html: a line of JSON a record. */
export function addErrors(found: Found, key: string, bytes: Buffer, { fromMs, toMs }: Window): void {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const lines = (isGzip ? gunzipSync(bytes) : bytes).toString().split('\n');
  const isInWindow = (atMs: unknown) => typeof atMs === 'number' && atMs >= fromMs && atMs < toMs;
  for (const line of lines.filter(text => text !== '')) {
    const error = tryParseJson(line);
    const { rawData, arrivalTimestamp } = isRecord(error) ? error : {};
    const documents = Buffer.from(String(rawData ?? ''), 'base64')
      .toString()
      .split('\n');
    for (const document of documents.filter(text => text.trim() !== '')) {
      const event = tryParseJson(document);
      const { ingest_id: id, received_at: receivedAt } = isRecord(event) ? event : {};
      if (typeof id !== 'string') found.unreadable += isInWindow(arrivalTimestamp) ? 1 : 0;
      else if (isInWindow(parseTime(receivedAt))) ids(found, key).add(id);
    }
  }
}

const ids = (found: Found, key: string): Set<string> =>
  key.startsWith(`${prefix}failed_events/`) ? found.failedEvents : found.events;
