import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test, vi } from 'vitest';
import { context, httpEvent } from './event.ts';

let handler: typeof import('../../../src/handlers/clickstream/collect-events.ts').handler;

beforeAll(async () => {
  vi.stubEnv('STREAM_NAME', 'stream');
  vi.stubEnv('FAILED_STREAM_NAME', 'failed');
  vi.stubEnv('WRITE_KEYS', 'wk_test=website');
  vi.stubEnv('STAGE', 'test');
  vi.stubEnv('AWS_REGION', 'us-east-1');
  ({ handler } = await import('../../../src/handlers/clickstream/collect-events.ts'));
  return () => vi.unstubAllEnvs();
});

const cutGzip = gzipSync('{}').subarray(0, 12).toString('base64');

test.each([
  ['malformed', 400, 'gzip that is cut', { body: cutGzip, isBase64Encoded: true }],
  ['too-large', 413, 'what is too large', { body: 'x'.repeat(500 * 1024 + 1) }],
  ['malformed', 415, 'gzip labelled as text', { body: '\u001f\ufffd' }],
  ['malformed', 400, 'what only the use case can refuse', { body: '{' }],
])('a body refused as %s, with %i, is counted once: %s', async (refused, statusCode, _, event) => {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation(line => lines.push(String(line)) > 0);
  const answer = await handler(httpEvent({ rawPath: '/v1/batch', ...event }), context);
  write.mockRestore();
  expect(answer).toMatchObject({ statusCode });
  const counted = lines.filter(line => line.includes('RequestsRefused')).map(line => JSON.parse(line));
  expect(counted).toMatchObject([{ RequestsRefused: 1, refused }]);
});
