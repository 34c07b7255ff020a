import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { createCollect } from '../src/lib/clickstream/collect.ts';
import { maxBatchBytes } from '../src/lib/clickstream/limits.ts';
import type { PackedRecord } from '../src/lib/clickstream/pack.ts';
import type { RecordSink } from '../src/lib/clickstream/put-all.ts';
import { httpHandler, ok } from '../src/lib/http/handler.ts';
import { AppError } from '../src/lib/runtime/errors.ts';
import { createCounter } from '../src/lib/runtime/metrics.ts';
import { bodyOf, createRandom, type Visit, writeKey } from './guests.ts';

export interface HandlerPorts {
  readonly events: RecordSink;
  readonly failedEvents: RecordSink;
  /** Takes each line of metrics in place of stdout. */
  readonly writeMetrics: (line: string) => void;
  readonly now: () => number;
}

export const sources: ReadonlyMap<string, string> = new Map([[writeKey, 'local']]);

/** The function collect-events as src/handlers puts it together, but for its sinks, its clock and where metrics go. */
export function createHandler({ events, failedEvents, writeMetrics, now }: HandlerPorts) {
  const random = createRandom(1);
  const sleep = () => Promise.reject(new Error('Nothing refuses here, so nothing should wait.'));
  const count = createCounter('local', writeMetrics);
  const newId = () => crypto.randomUUID();
  const collect = createCollect({ now, random, sleep, newId, sources, events, failedEvents, count });
  const handler = httpHandler(
    async ({ rawPath: path, rawQueryString: query, headers, body = '', requestContext: { http } }) => {
      const outcome = await collect({ path, query, headers, body, sourceIp: http.sourceIp });
      if ('refused' in outcome) throw new AppError(500, outcome.detail, outcome);
      return ok({ success: true, ...outcome });
    },
    { body: { maxBytes: maxBatchBytes } },
  );
  return async (event: APIGatewayProxyEventV2): Promise<void> => {
    const answer = await handler(event, lambdaContext);
    if (answer.statusCode !== 200) throw new Error(`collect answered ${answer.statusCode}: ${answer.body}`);
  };
}

const lambdaContext = { getRemainingTimeInMillis: () => 10_000 } as Context;

export interface CountingSink extends RecordSink {
  readonly calls: () => number;
  /** Bytes of each record with its partition key. */
  readonly recordBytes: () => readonly number[];
  readonly payloadBytes: () => number;
  /** How many lines the records hold: one is an event. */
  readonly events: () => number;
}

/** Takes everything and counts it: what would be put, in as many calls and records as would be. */
export function createCountingSink(): CountingSink {
  const recordBytes: number[] = [];
  const seen = { calls: 0, payloadBytes: 0, events: 0 };
  return {
    put: async records => {
      seen.calls++;
      for (const { partitionKey, data } of records) {
        recordBytes.push(data.byteLength + Buffer.byteLength(partitionKey));
        seen.payloadBytes += data.byteLength;
        seen.events += linesOf(data);
      }
      return { refused: [] };
    },
    calls: () => seen.calls,
    recordBytes: () => recordBytes,
    payloadBytes: () => seen.payloadBytes,
    events: () => seen.events,
  };
}

/** A sink that takes everything and does nothing else. */
export const idleSink: RecordSink = { put: async () => ({ refused: [] }) };

export function linesOf(data: Uint8Array): number {
  let lines = 0;
  for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) lines++;
  return lines;
}

export const eventsIn = (records: readonly PackedRecord[]): number =>
  records.reduce((sum, { data }) => sum + linesOf(data), 0);

export const bytesIn = (records: readonly PackedRecord[]): number =>
  records.reduce((sum, { data }) => sum + data.byteLength, 0);

/** A request as the HTTP API hands it to the function (payload 2.0), with the headers a browser sends. */
export function httpEventOf(body: string, userAgent: string): APIGatewayProxyEventV2 {
  const http = { method: 'POST', path: '/v1/batch', protocol: 'HTTP/1.1', sourceIp: '203.0.113.9', userAgent };
  return {
    version: '2.0',
    routeKey: 'POST /v1/batch',
    rawPath: http.path,
    rawQueryString: '',
    headers: {
      accept: '*/*',
      'accept-encoding': 'gzip, deflate, br, zstd',
      'accept-language': 'en-US,en;q=0.9',
      'content-length': String(Buffer.byteLength(body)),
      'content-type': 'text/plain',
      host: 'api.tableside.example',
      origin: 'https://tableside.example',
      'user-agent': userAgent,
    },
    isBase64Encoded: false,
    body,
    requestContext: {
      ...{ accountId: '000000000000', apiId: 'api', domainName: 'api.example', domainPrefix: 'api', http },
      ...{ requestId: 'request-1', routeKey: 'POST /v1/batch', stage: '$default', time: '', timeEpoch: 0 },
    },
  };
}

export const httpEventOfVisit = (visit: Visit): APIGatewayProxyEventV2 => httpEventOf(bodyOf(visit), visit.userAgent);
