import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createClickstreamSink } from '../../../src/lib/aws/clickstream-sink.ts';
import { createFailedEventsSink } from '../../../src/lib/aws/failed-events-sink.ts';

// Answers with headers and half a body, then says nothing more.
let server: Server;

beforeAll(async () => {
  server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/x-amz-json-1.1', 'content-length': 100 });
    response.write('{"FailedRecordCount":0,');
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAIOSFODNN7EXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});

afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

test.each([
  ['Kinesis', () => createClickstreamSink('stream')],
  ['Firehose', () => createFailedEventsSink('delivery')],
])(
  'an answer of %s that stalls half way leaves the records to be tried again',
  { timeout: 4000 },
  async (_, create) => {
    const records = [{ partitionKey: 'request-0', data: Buffer.from('{}\n') }];
    expect(await create().put(records)).toMatchObject({ refused: records, cause: expect.any(Error) });
  },
);
