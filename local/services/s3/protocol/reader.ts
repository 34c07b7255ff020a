import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { AwsError } from '../../../gate/service.ts';

/** The most that is held while looking for a mark: a POST form's fields may have 20 KB (S3 developer guide). */
const maxHeldBytes = 20 * 1024;
const incomplete = () => new AwsError('IncompleteBody', 'The body is not as long as its headers or its marks say');

/** Takes a byte stream apart, holding little more than a chunk of it. */
function createReader(source: AsyncIterable<Buffer>) {
  const chunks = source[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);

  async function more(): Promise<void> {
    const { done, value } = await chunks.next();
    if (done) throw incomplete();
    held = held.length > 0 ? Buffer.concat([held, value]) : value;
  }

  function shift(count: number): Buffer {
    const piece = held.subarray(0, count);
    held = held.subarray(count);
    return piece;
  }

  /** The text before a mark, which is skipped. */
  async function until(mark: string): Promise<string> {
    for (; !held.includes(mark); await more()) {
      if (held.length > maxHeldBytes) throw new AwsError('MaxPostPreDataLengthExceeded', 'The form is too long');
    }
    const text = shift(held.indexOf(mark)).toString();
    shift(mark.length);
    return text;
  }

  async function* take(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      if (held.length === 0) await more();
      const piece = shift(left);
      left -= piece.length;
      yield piece;
    }
  }

  async function* takeUntil(mark: string): AsyncGenerator<Buffer> {
    for (; !held.includes(mark); await more()) yield shift(Math.max(0, held.length - mark.length));
    yield shift(held.indexOf(mark));
  }

  return { until, take, takeUntil };
}

/** Undoes aws-chunked (`size;signature CRLF data CRLF … 0 CRLF trailers CRLF`); the trailers are added to `headers`. */
export async function* dechunk(source: AsyncIterable<Buffer>, headers: IncomingHttpHeaders): AsyncGenerator<Buffer> {
  const { until, take } = createReader(source);
  for (let left = 1; left > 0; ) {
    left = Number.parseInt(await until('\r\n'), 16);
    if (!(left >= 0)) throw incomplete();
    yield* take(left);
    if (left > 0) await until('\r\n');
  }
  for (let line = await until('\r\n'); line; line = await until('\r\n')) {
    const [name = '', value = ''] = line.split(/:\s*/);
    headers[name.toLowerCase()] = value;
  }
}

/** The fields of a browser's form, names in lower case, up to its file, which has yet to be read. */
export async function readForm(body: Readable, contentType = '') {
  const delimiter = `--${/boundary="?([^";]+)/.exec(contentType)?.[1]}`;
  const { until, takeUntil } = createReader(body);
  const fields = new Map<string, string>();
  await until(delimiter);
  for (;;) {
    const head = await until('\r\n\r\n');
    const name = / name="([^"]*)"/.exec(head)?.[1]?.toLowerCase() ?? '';
    const fileName = / filename="([^"]*)"/.exec(head)?.[1] ?? '';
    if (name === 'file') return { fields, fileName, file: takeUntil(`\r\n${delimiter}`) };
    fields.set(name, await until(`\r\n${delimiter}`));
  }
}
