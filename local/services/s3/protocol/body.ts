import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { AwsError } from '../../../gate/service.ts';
import type { SizeRange } from '../../../gate/sigv4.ts';
import { dechunk } from './reader.ts';

export type Body = Readable | AsyncIterable<Buffer>;
const anySize: SizeRange = { minBytes: 0, maxBytes: Number.POSITIVE_INFINITY };
const codes: Readonly<Record<string, string>> = {
  'x-amz-content-sha256': 'XAmzContentSHA256Mismatch',
  'x-amz-decoded-content-length': 'IncompleteBody',
};

/** The bytes of a body, aws-chunked or plain. They end with an error where they are not what headers, trailers or `range` say. */
export function verified(body: Body, headers: IncomingHttpHeaders, { minBytes, maxBytes }: SizeRange = anySize) {
  const said: IncomingHttpHeaders = { ...headers };
  const chunked = /aws-chunked|STREAMING-/.test(`${said['content-encoding']} ${said['x-amz-content-sha256']}`);
  // A refused body is drained by the gate, not destroyed: the client must live to read why.
  const raw: AsyncIterable<Buffer> = body instanceof Readable ? body.iterator({ destroyOnReturn: false }) : body;
  const sums = { size: 0, etag: '', crc32: '' };

  async function* bytes(): AsyncGenerator<Buffer> {
    const [md5, sha256] = [createHash('md5'), createHash('sha256')];
    let crc = 0;
    for await (const chunk of chunked ? dechunk(raw, said) : raw) {
      sums.size += chunk.length;
      if (sums.size > maxBytes) throw new AwsError('EntityTooLarge', `The file is larger than ${maxBytes} bytes`);
      md5.update(chunk);
      sha256.update(chunk);
      crc = crc32(chunk, crc);
      yield chunk;
    }
    if (sums.size < minBytes) throw new AwsError('EntityTooSmall', `The file is smaller than ${minBytes} bytes`);
    const [etag, hash] = [md5.digest(), sha256.digest()];
    sums.etag = etag.toString('hex');
    sums.crc32 = Buffer.from(crc.toString(16).padStart(8, '0'), 'hex').toString('base64');
    compare({
      'content-md5': etag.toString('base64'),
      'x-amz-checksum-crc32': sums.crc32,
      'x-amz-checksum-sha256': hash.toString('base64'),
      'x-amz-content-sha256': hash.toString('hex'),
      'x-amz-decoded-content-length': String(sums.size),
    });
  }

  function compare(actual: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(actual)) {
      const claim = String(said[name] ?? value);
      if (claim === value || /^(UNSIGNED|STREAMING)-/.test(claim)) continue;
      throw new AwsError(codes[name] ?? 'BadDigest', `The body's ${name} is ${value}, not ${claim} as you specified`);
    }
  }

  /** `sums` are whole once `bytes` has ended: ETag in hex, CRC-32 in base64. */
  return { bytes, sums };
}
