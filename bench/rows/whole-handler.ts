import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { createDeviceReader } from '../../src/lib/clickstream/device.ts';
import { takeIn } from '../../src/lib/clickstream/intake.ts';
import type { RecordSink } from '../../src/lib/clickstream/put-all.ts';
import { bytesIn, createCountingSink, createHandler, httpEventOfVisit, idleSink, sources } from '../collect.ts';
import { createGuests } from '../guests.ts';
import { interleave, processorMs, speedOf } from '../measure.ts';
import { atLeast, checkBooks, type Row } from '../row.ts';

const visits = 200;
const eventCount = 10;
const receivedAtMs = Date.parse('2026-11-20T12:00:00.000Z');

/** Row 2: what Middy, the error boundary, body decoding, retries and metrics cost on top of the same intake. */
export const wholeHandler: Row = {
  id: 2,
  run: async ({ amount }) => {
    const { visit } = createGuests();
    const requests = Array.from({ length: visits }, () => httpEventOfVisit(visit(eventCount)));
    const [oursOut, bareOut] = [createTally(), createTally()];
    let metricsBytes = 0;
    const whole = createHandler({
      events: oursOut.sink,
      failedEvents: idleSink,
      writeMetrics: line => {
        metricsBytes += line.length;
      },
      now: () => receivedAtMs,
    });
    const bare = createBareFunction(bareOut.sink);

    const rounds = amount(201, 41);
    const run = (handle: (event: APIGatewayProxyEventV2) => Promise<unknown>) => async () => {
      // A copy each time: Middy's middleware writes into the event.
      for (const request of requests) await handle({ ...request });
    };
    await interleave(run(whole), run(bare), 20);
    const before = { ours: oursOut.bytes(), bare: bareOut.bytes() };
    const timed = await interleave(run(whole), run(bare), rounds, processorMs);
    const sent = rounds * (await bytesOf(requests));
    checkBooks('Row 2, bytes of the handler', sent, oursOut.bytes() - before.ours);
    checkBooks('Row 2, bytes of the bare function', sent, bareOut.bytes() - before.bare);
    if (metricsBytes === 0) throw new Error('The handler wrote no metrics: it is not the one that is deployed.');
    const name = 'whole collect handler, sink stubbed ÷ bare function';
    return [{ id: '2', name, ...speedOf(timed), target: atLeast(0.93) }];
  },
};

/**
 * The peer: a handler as one would write it without any framework, around the same intake. It trusts its body to be
 * text, catches nothing, retries nothing and counts nothing.
 */
function createBareFunction(sink: RecordSink) {
  const settings = { sources, deviceOf: createDeviceReader() };
  return async ({
    rawPath: path,
    rawQueryString: query,
    headers,
    body = '',
    requestContext,
  }: APIGatewayProxyEventV2) => {
    const request = { path, query, headers, body, sourceIp: requestContext.http.sourceIp };
    const intake = takeIn(request, { requestId: crypto.randomUUID(), receivedAtMs }, settings);
    if ('refused' in intake) return { statusCode: 400 };
    await sink.put(intake.eventRecords);
    const answer = JSON.stringify({ success: true });
    return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: answer };
  };
}

/** What the records of these requests weigh, every event of them found. */
async function bytesOf(requests: readonly APIGatewayProxyEventV2[]): Promise<number> {
  const sink = createCountingSink();
  const handle = createBareFunction(sink);
  for (const request of requests) await handle(request);
  checkBooks('Row 2, events', visits * eventCount, sink.events());
  return sink.payloadBytes();
}

/** Counts bytes only: it is on the clock. */
function createTally(): { readonly sink: RecordSink; readonly bytes: () => number } {
  let bytes = 0;
  const put: RecordSink['put'] = async records => {
    bytes += bytesIn(records);
    return { refused: [] };
  };
  return { sink: { put }, bytes: () => bytes };
}
