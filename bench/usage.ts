import { roundUp } from './bill.ts';
import { createCountingSink, createHandler, httpEventOf, httpEventOfVisit } from './collect.ts';
import { bodyOfSize, createGuests, createRandom } from './guests.ts';
import prices from './prices.json' with { type: 'json' };
import { checkBooks } from './row.ts';

/** What some requests used, counted at the handler's own edges. */
export interface Usage {
  readonly events: number;
  /** HTTP API requests, a large one as several. */
  readonly httpUnits: number;
  readonly invocations: number;
  readonly putCalls: number;
  /** Bytes of each record on the stream, with its partition key. */
  readonly recordBytes: readonly number[];
  /** Bytes of events alone, as the records hold them. */
  readonly payloadBytes: number;
  /** Bytes of metrics that the function wrote to its log. */
  readonly metricsBytes: number;
}

const httpUnitKb = prices.httpApi.requestUnitKb;

/** Runs the handler over guests' visits of so many events each and counts what would be billed. */
export function countVisits(eventsPerRequest: number, requests: number): Promise<Usage> {
  const { visit } = createGuests();
  const events = Array.from({ length: requests }, () => httpEventOfVisit(visit(eventsPerRequest)));
  return count(events, eventsPerRequest * requests);
}

/** The same over events of exactly `eventBytes` each, as sent. */
export async function countEventsOfSize(
  eventBytes: number,
  eventsPerRequest: number,
  requests: number,
): Promise<Usage> {
  const random = createRandom(472);
  const userAgent = '@segment/analytics-node/3.1.0';
  const bodies = Array.from({ length: requests }, () => bodyOfSize(eventBytes, eventsPerRequest, random));
  return count(
    bodies.map(body => httpEventOf(body, userAgent)),
    eventsPerRequest * requests,
  );
}

async function count(requests: readonly ReturnType<typeof httpEventOf>[], sent: number): Promise<Usage> {
  const [events, failedEvents] = [createCountingSink(), createCountingSink()];
  let metricsBytes = 0;
  const writeMetrics = (line: string) => {
    metricsBytes += Buffer.byteLength(line);
  };
  const now = () => Date.parse('2026-11-20T12:00:00.000Z');
  const handle = createHandler({ events, failedEvents, writeMetrics, now });
  let httpUnits = 0;
  for (const request of requests) {
    httpUnits += roundUp(Buffer.byteLength(request.body ?? ''), httpUnitKb) / (httpUnitKb * 1024);
    await handle(request);
  }
  checkBooks('Counting', sent, events.events());
  return {
    events: sent,
    httpUnits,
    invocations: requests.length,
    putCalls: events.calls() + failedEvents.calls(),
    recordBytes: events.recordBytes(),
    payloadBytes: events.payloadBytes(),
    metricsBytes,
  };
}
