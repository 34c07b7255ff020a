import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { parseTime } from '../../src/lib/clickstream/clock.ts';
import { isRecord, tryParseJson } from '../../src/lib/clickstream/json.ts';
import type { Stage } from '../stage.ts';
import type { Window } from './window.ts';

/** Events that are somewhere else than in the lake's tables, by the table they belong to. */
export interface Elsewhere {
  /** `ingest_id`s. */
  readonly events: Set<string>;
  readonly failedEvents: Set<string>;
}

/** Visits the lines of every object under a prefix from the window's first day on: nothing is delivered before it is received. */
export async function visitObjects(
  { aws, explain, isLocal }: Stage,
  { bucket: Bucket, prefix: Prefix, window }: { bucket: string; prefix: string; window: Window },
  visit: (key: string, lines: readonly string[]) => void,
): Promise<void> {
  // A local bucket has no host name of its own.
  const client = new S3Client({ ...aws, forcePathStyle: isLocal });
  try {
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket, Prefix })) {
      for (const { Key = '' } of Contents) {
        if (!isFromDay(Key, window)) continue;
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
        visit(Key, linesOf(Buffer.from((await Body?.transformToByteArray()) ?? [])));
      }
    }
  } catch (error) {
    throw explain(error);
  }
}

function isFromDay(key: string, { fromMs }: Window): boolean {
  const day = /\/day=(\d{4}-\d\d-\d\d)\//.exec(key)?.[1];
  return day === undefined || day >= new Date(fromMs).toISOString().slice(0, 10);
}

/** The lines of an object, gzipped or not, that are not empty. */
export function linesOf(bytes: Buffer): string[] {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  return (isGzip ? gunzipSync(bytes) : bytes)
    .toString()
    .split('\n')
    .filter(line => line.trim() !== '');
}

/** Notes the event that a line of JSON tells of. Answers false where it tells of none. */
export function noteEvent(elsewhere: Elsewhere, key: string, line: string, { fromMs, toMs }: Window): boolean {
  const event = tryParseJson(line);
  const { ingest_id: id, received_at: receivedAt } = isRecord(event) ? event : {};
  if (typeof id !== 'string') return false;
  const receivedAtMs = parseTime(receivedAt) ?? Number.NaN;
  const ids = /(?:^|\/)failed_events\//.test(key) ? elsewhere.failedEvents : elsewhere.events;
  if (receivedAtMs >= fromMs && receivedAtMs < toMs) ids.add(id);
  return true;
}
