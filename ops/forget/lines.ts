import { gunzipSync, gzipSync } from 'node:zlib';
import { isRecord, tryParseJson } from '../../src/lib/clickstream/json.ts';

/** An object without the person's rows, and how many those were. */
export interface Rewritten {
  readonly bytes: Buffer;
  readonly removed: number;
}

type Mentions = (line: string) => boolean;

/** An object of `failed_events`: a row a line, gzipped as Firehose writes it. */
export function withoutLines(bytes: Buffer, mentions: Mentions): Rewritten {
  return rewriteLines(bytes, line => (mentions(line) ? { text: undefined, removed: 1 } : { text: line, removed: 0 }));
}

/** An object under delivery-errors/: a record a line, its documents in `rawData`. A record without any left goes. */
export function withoutDocuments(bytes: Buffer, mentions: Mentions): Rewritten {
  return rewriteLines(bytes, line => {
    const error = tryParseJson(line);
    if (!isRecord(error) || typeof error.rawData !== 'string') return { text: line, removed: 0 };
    const documents = Buffer.from(error.rawData, 'base64').toString().split('\n');
    const kept = documents.filter(document => document.trim() === '' || !mentions(document));
    const removed = documents.length - kept.length;
    if (removed === 0) return { text: line, removed };
    if (kept.every(document => document.trim() === '')) return { text: undefined, removed };
    return { text: JSON.stringify({ ...error, rawData: Buffer.from(kept.join('\n')).toString('base64') }), removed };
  });
}

type LineRewriter = (line: string) => { readonly text: string | undefined; readonly removed: number };

function rewriteLines(bytes: Buffer, rewrite: LineRewriter): Rewritten {
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const lines = (isGzip ? gunzipSync(bytes) : bytes).toString().split('\n');
  const results = lines.filter(line => line !== '').map(rewrite);
  const text = results.flatMap(result => (result.text === undefined ? [] : [`${result.text}\n`])).join('');
  const removed = results.reduce((sum, result) => sum + result.removed, 0);
  return { bytes: isGzip ? gzipSync(text) : Buffer.from(text), removed };
}
