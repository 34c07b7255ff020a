import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClickstreamSink } from '../../src/lib/aws/clickstream-sink.ts';
import { createFailedEventsSink } from '../../src/lib/aws/failed-events-sink.ts';
import { createHandler, httpEventOfVisit } from '../collect.ts';
import { bodyOf, createGuests, type Guests, type Visit } from '../guests.ts';
import { figureOf, interleave, quantile, speedOf } from '../measure.ts';
import { atLeast, atMost, type BenchContext, checkBooks, type Result, type Row } from '../row.ts';
import { type BenchStage, bufferSeconds, failedStreamName, streamName } from '../stage.ts';

const eventCount = 10;
const requestsARound = 300;
const inFlight = 8;
const requestsPerSecond = 20;
const deliveryTimeoutMs = 60_000;
const pollMs = 25;

/** Row 9: what the local stack costs over the bare parts, and how soon an answered event can be asked for. */
export const localStack: Row = {
  id: 9,
  run: async context => {
    const stage = await context.stage();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
    const guests = createGuests();
    const post = (visit: Visit) => postTo(agent, stage.cloud.url, visit);
    try {
      const delay = await measureDelay(context, stage, guests, post);
      const throughput = await measureThroughput(context, stage, guests, post);
      return [throughput, delay];
    } finally {
      agent.destroy();
    }
  },
};

type Post = (visit: Visit) => Promise<void>;

/**
 * The peer is the same handler called directly, in one process with the gate and the engines: no HTTP API, no event
 * translation, no worker threads, no check of its role. Both have as many requests under way, and both feed the same
 * stream, which Firehose delivers meanwhile. The load generator runs in that process too, at the stack's expense.
 */
async function measureThroughput(
  { amount }: BenchContext,
  stage: BenchStage,
  guests: Guests,
  post: Post,
): Promise<Result> {
  const before = await storedEvents(stage);
  const handle = createHandler({
    events: createClickstreamSink(streamName),
    failedEvents: createFailedEventsSink(failedStreamName),
    writeMetrics: () => {},
    now: Date.now,
  });
  const visits = Array.from({ length: requestsARound }, () => guests.visit(eventCount));
  const stack = () => allOf(visits, post);
  const direct = () => allOf(visits, visit => handle(httpEventOfVisit(visit)));
  const rounds = amount(15, 3);
  await interleave(stack, direct, 2);
  const timed = await interleave(stack, direct, rounds);
  const sent = 2 * (rounds + 2) * requestsARound * eventCount;
  checkBooks('Row 9, events in SQL', sent, (await settledEvents(stage, before + sent)) - before);
  const perSecond = Math.round(
    (requestsARound * eventCount * 1000) /
      quantile(
        timed.map(({ oursMs }) => oursMs),
        0.5,
      ),
  );
  const name = `local stack ÷ handler called in one process with the same SDK, gate and engines (${perSecond} events/s)`;
  return { id: '9a', name, ...speedOf(timed), target: atLeast(0.5) };
}

/** Carries out `work` for each, `inFlight` at a time. */
async function allOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lanes = Array.from({ length: inFlight }, async () => {
    for (const item of queue) await work(item);
  });
  await Promise.all(lanes);
}

/**
 * From an answer to its row in SQL, less the buffer window that the delivery stream is set to. Requests come at their
 * times whether or not earlier ones were answered. A row counts as there when a query that shows it has answered, so the
 * query's own time is in the figure.
 */
async function measureDelay({ amount }: BenchContext, stage: BenchStage, guests: Guests, post: Post): Promise<Result> {
  const total = amount(400, 60);
  const answeredAt = new Map<string, number>();
  const delaysMs = new Map<string, number>();
  await post(guests.visit(1)); // the first request starts an instance, which is row 6's business
  await settledEvents(stage, 1);

  const startedAt = performance.now();
  const sending = Array.from({ length: total }, async (_, number) => {
    await sleep(number * (1000 / requestsPerSecond));
    const id = `probe-${number}`;
    const visit = guests.visit(eventCount);
    const [first = {}, ...others] = visit.events;
    await post({ ...visit, events: [{ ...first, messageId: id }, ...others] });
    answeredAt.set(id, performance.now());
  });
  const sent = Promise.all(sending);
  const lastMs = (total / requestsPerSecond) * 1000 + deliveryTimeoutMs;
  while (delaysMs.size < total && performance.now() - startedAt < lastMs) {
    for (const [id] of await stage.sql("SELECT event_id FROM events WHERE event_id LIKE 'probe-%'")) {
      const answered = answeredAt.get(id ?? '');
      if (id && answered !== undefined && !delaysMs.has(id)) delaysMs.set(id, performance.now() - answered);
    }
    await sleep(pollMs);
  }
  await sent;
  checkBooks('Row 9, requests seen in SQL', total, delaysMs.size);
  const overheads = [...delaysMs.values()].map(delay => delay - bufferSeconds * 1000);
  const name = `p99 from response to row in SQL less the buffer window, ${requestsPerSecond} requests/s`;
  // Told by the p99s of five stretches: the spread of single requests is the buffer window's.
  const stretch = Math.ceil(total / 5);
  const p99s = Array.from({ length: 5 }, (_, at) => quantile(overheads.slice(at * stretch, (at + 1) * stretch), 0.99));
  const { spread } = figureOf(p99s);
  return { id: '9b', name, median: quantile(overheads, 0.99), spread, unit: 'ms', target: atMost(250) };
}

async function storedEvents(stage: BenchStage): Promise<number> {
  const [row] = await stage.sql('SELECT count(*) FROM events');
  return Number(row?.[0]);
}

/** Waits until the lake holds so many events, and answers how many it holds then, or after a while. */
async function settledEvents(stage: BenchStage, wanted: number): Promise<number> {
  const deadline = performance.now() + deliveryTimeoutMs;
  let stored = await storedEvents(stage);
  while (stored < wanted && performance.now() < deadline) {
    await sleep(100);
    stored = await storedEvents(stage);
  }
  return stored;
}

/** Sends a visit as a browser does. Rejects unless the answer is 200. */
function postTo(agent: http.Agent, url: string, visit: Visit): Promise<void> {
  const body = bodyOf(visit);
  const headers = {
    'content-type': 'text/plain',
    'content-length': Buffer.byteLength(body),
    'user-agent': visit.userAgent,
  };
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}/v1/batch`, { agent, method: 'POST', headers, timeout: 30_000 }, response => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`The API answered ${response.statusCode}.`));
      });
    });
    request.once('timeout', () => request.destroy(new Error('The API did not answer within 30 s.')));
    request.once('error', reject);
    request.end(body);
  });
}
