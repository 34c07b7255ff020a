import { randomInt } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type LocalStage, startStage, untilSql } from '../stage.ts';
import { anyRequest, type FuzzRequest } from './fuzz-requests.ts';

/** A minute in CI. */
const fuzzMs = Number(process.env.FUZZ_SECONDS ?? 3) * 1000;
/** FUZZ_SEED repeats a run; a failure tells its own. */
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
/** So many that every status is there, however slow the machine. */
const minRounds = 4;
const answerTimeoutMs = 20_000;

let stage: LocalStage;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });
beforeAll(async () => {
  stage = await startStage();
});
afterAll(async () => {
  agent.destroy();
  await stage?.stop();
});

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Node's own client: fetch would mend paths and headers. */
function send({ method, path, headers, body }: FuzzRequest): Promise<Answer> {
  const { hostname, port } = new URL(stage.url);
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path, agent, timeout: answerTimeoutMs };
    const sent = request({ ...options, headers: { ...headers, 'content-length': body.length } }, response => {
      buffer(response).then(bytes => resolve({ status: response.statusCode ?? 0, text: bytes.toString() }), reject);
    });
    sent.on('error', reject).on('timeout', () => sent.destroy(new Error('There was no answer in time')));
    sent.end(body);
  });
}

/** What is wrong with an answer, whatever the question was. */
function flawOf({ status, text }: Answer): string | undefined {
  // A 503 too: nothing is made to fail here.
  if (status >= 500) return 'it is our own failure';
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return 'it is no JSON';
  }
  if (typeof answer !== 'object' || answer === null) return 'it is no object';
  if (status === 200) return undefined;
  const { detail, message } = answer as Record<string, unknown>;
  const sentence = detail ?? message;
  return typeof sentence === 'string' && sentence.length > 5 ? undefined : 'it says nothing';
}

type Counts = Record<'EventsReceived' | 'EventsRejected', number>;

/** What the function itself counted: its metrics are in its log. */
async function countedByCollect(): Promise<Counts> {
  const log = await readFile(join(stage.stateDir, 'data/logs/tableside-local-collect-events.log'), 'utf8');
  const counts = { EventsReceived: 0, EventsRejected: 0 };
  for (const line of log.split('\n').filter(text => text.includes('"_aws"'))) {
    const { EventsReceived = 0, EventsRejected = 0 }: Partial<Counts> = JSON.parse(line);
    counts.EventsReceived += EventsReceived;
    counts.EventsRejected += EventsRejected;
  }
  return counts;
}

it(
  `whatever is sent is answered with JSON that says why, never with our failure, and the books balance (FUZZ_SEED=${seed})`,
  async () => {
    const statuses = new Map<number, number>();
    const answered = fc.asyncProperty(fc.array(anyRequest, { minLength: 1, maxLength: 8 }), async requests => {
      for (const answer of await Promise.all(requests.map(send))) {
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
        const flaw = flawOf(answer);
        if (flaw !== undefined) throw new Error(`${answer.status} ${answer.text.slice(0, 300)}: ${flaw}`);
      }
    });
    for (let round = 0, until = Date.now() + fuzzMs; round < minRounds || Date.now() < until; round++) {
      // The limit is for shrinking: it takes what is the smallest failure by then.
      await fc.assert(answered, { seed: seed + round, numRuns: 20, interruptAfterTimeLimit: 60_000 });
    }
    // Each kind was there: stored, rejected, and the refusals that can be had.
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 400, 401, 404, 415]));
    const { EventsReceived: received, EventsRejected: rejected } = await countedByCollect();
    expect(Math.min(rejected, received - rejected)).toBeGreaterThan(0);
    const count = 'count(*), count(distinct ingest_id)';
    const [stored, failed] = [String(received - rejected), String(rejected)];
    await untilSql(stage, `select ${count} from events`, [[stored, stored]], 60_000);
    await untilSql(stage, `select ${count} from failed_events`, [[failed, failed]], 60_000);
  },
  fuzzMs + 180_000,
);
