import { gunzipSync, gzipSync } from 'node:zlib';
import { isRecord, tryParseJson } from '../../src/lib/clickstream/json.ts';

/** A row that was removed, as far as the books must know it. */
export interface RemovedRow {
  readonly ingest_id: string;
  /** UTC, to the minute. */
  readonly received_at: string;
}

/** An object without the person's rows, how many those were, and which, where they can be read. */
export interface Rewritten {
  readonly bytes: Buffer;
  readonly removed: number;
  readonly rows: readonly RemovedRow[];
}

/** What the books keep of a row. */
export function removedRow(ingestId: unknown, receivedAt: unknown): RemovedRow[] {
  if (typeof ingestId !== 'string' || typeof receivedAt !== 'string') return [];
  return [{ ingest_id: ingestId, received_at: receivedAt.slice(0, 'yyyy-mm-dd hh:mm'.length) }];
}

function rowOf(line: string): RemovedRow[] {
  const row = tryParseJson(line);
  return isRecord(row) ? removedRow(row.ingest_id, row.received_at) : [];
}

type Mentions = (line: string) => boolean;

/** An object of `failed_events`: a row a line, gzipped as Firehose writes it. */
export function withoutLines(bytes: Buffer, mentions: Mentions): Rewritten {
  return rewriteLines(bytes, line =>
    mentions(line) ? { text: undefined, removed: [line] } : { text: line, removed: [] },
  );
}

/** An object under delivery-errors/: a record a line, its documents in `rawData`. A record without any left goes. */
export function withoutDocuments(bytes: Buffer, mentions: Mentions): Rewritten {
  return rewriteLines(bytes, line => {
    const error = tryParseJson(line);
    if (!isRecord(error) || typeof error.rawData !== 'string') return { text: line, removed: [] };
    const documents = Buffer.from(error.rawData, 'base64').toString().split('\n');
    const removed = documents.filter(document => document.trim() !== '' && mentions(document));
    if (removed.length === 0) return { text: line, removed };
    const kept = documents.filter(document => !removed.includes(document));
    if (kept.every(document => document.trim() === '')) return { text: undefined, removed };
    return { text: JSON.stringify({ ...error, rawData: Buffer.from(kept.join('\n')).toString('base64') }), removed };
  });
}

type LineRewriter = (line: string) => { readonly text: string | undefined; readonly removed: readonly string[] };

function rewriteLines(bytes: Buffer, rewrite: LineRewriter): Rewritten {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const lines = (isGzip ? gunzipSync(bytes) : bytes).toString().split('\n');
  const results = lines.filter(line => line !== '').map(rewrite);
  const text = results.flatMap(result => (result.text === undefined ? [] : [`${result.text}\n`])).join('');
  const removed = results.flatMap(result => result.removed);
  return { bytes: isGzip ? gzipSync(text) : Buffer.from(text), removed: removed.length, rows: removed.flatMap(rowOf) };
}
