import { gunzipSync } from 'node:zlib';
import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { AppError } from '../runtime/errors.ts';

// Some trackers compress what their HTTP client then compresses again.
const maxGzipLayers = 2;

export interface BodyRule {
  /** Inflated. */
  readonly maxBytes: number;
  /** Hears of each body that is refused before the handler could refuse it. */
  readonly onRefused?: (why: 'too-large' | 'malformed') => void;
}

/** Middleware that leaves the body as text: base64 and gzip undone, at most `maxBytes` of it. */
export function textBody({ maxBytes, onRefused }: BodyRule): MiddlewareObj<APIGatewayProxyEventV2> {
  return {
    before: ({ event }) => {
      try {
        event.body = decodeBody(event.body ?? '', event.isBase64Encoded, maxBytes);
      } catch (error) {
        if (error instanceof AppError) onRefused?.(error.status === 413 ? 'too-large' : 'malformed');
        throw error;
      }
      event.isBase64Encoded = false;
    },
  };
}

/**
 * Text of a body as API Gateway hands it over. Gzip is recognised by its first bytes, whatever the headers say: trackers
 * mislabel it both ways. Throws AppError 400, 413 or 415.
 */
export function decodeBody(body: string, isBase64: boolean, maxBytes: number): string {
  if (!isBase64) return checkText(body, maxBytes);
  const bytes = inflate(Buffer.from(body, 'base64'), maxBytes);
  if (bytes.length > maxBytes) throw tooLarge(maxBytes);
  return withoutByteOrderMark(bytes.toString('utf8'));
}

function checkText(body: string, maxBytes: number): string {
  // API Gateway reads text/* and application/json as UTF-8: gzip's 1F 8B arrives as U+001F U+FFFD, the rest is lost.
  if (body.startsWith('\u001f\ufffd')) {
    throw new AppError(415, 'This is gzip labelled as text: send it as application/gzip or application/octet-stream.');
  }
  if (body.length * 3 > maxBytes && Buffer.byteLength(body) > maxBytes) throw tooLarge(maxBytes);
  return withoutByteOrderMark(body.isWellFormed() ? body : body.toWellFormed());
}

function inflate(body: Buffer, maxBytes: number): Buffer {
  let bytes = body;
  for (let layer = 0; layer < maxGzipLayers && bytes[0] === 0x1f && bytes[1] === 0x8b; layer++) {
    try {
      bytes = gunzipSync(bytes, { maxOutputLength: maxBytes });
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge(maxBytes);
      throw new AppError(400, 'The body begins like gzip but cannot be inflated.', { cause: error });
    }
  }
  return bytes;
}

function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function tooLarge(maxBytes: number): AppError {
  return new AppError(413, `The body may be ${Math.floor(maxBytes / 1024)} KB, inflated: send less at a time.`);
}
