import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Effect } from '../../../local/gate/faults.ts';
import { type LocalStage, post, sql, startStage, untilSql } from '../stage.ts';

let stage: LocalStage;
beforeAll(async () => {
  stage = await startStage();
});
afterEach(() => stage.cloud.faults.clear());
afterAll(() => stage?.stop());

const throttled = 'ProvisionedThroughputExceededException';
const faults: readonly (readonly [string, Effect])[] = [
  ['a throttled call', { kind: 'error', code: throttled, status: 400 }],
  ['a 500', { kind: 'error', code: 'InternalFailure', status: 500 }],
  ['refused records', { kind: 'refuse-records', share: 1, code: throttled }],
  ['a connection that breaks', { kind: 'reset', carriedOut: false }],
];

const batchOf = (visitor: string, count = 5) => ({
  batch: Array.from({ length: count }, (_, index) => ({
    type: 'track',
    event: `e${index}`,
    anonymousId: visitor,
    messageId: `${visitor}-${index}`,
  })),
});

const namesOf = (visitor: string) =>
  `select name from events where anonymous_id = '${visitor}' order by received_at, ingest_seq`;
const inOrder = ['e0', 'e1', 'e2', 'e3', 'e4'].map(name => [name]);

describe('F1: a put that is refused', () => {
  it.each(faults)('for a moment (%s) is tried again: stored once, in order', async (_, effect) => {
    const visitor = randomUUID();
    stage.cloud.faults.inject({ service: 'kinesis', action: 'PutRecords', times: 2, effect });
    expect((await post(stage, '/v1/batch', batchOf(visitor))).status).toBe(200);
    await untilSql(stage, namesOf(visitor), inOrder);
  });

  it('in part is tried again for the refused records alone', async () => {
    // Over 900 KB of lines make two records. Escapes count once in the request and twice in its JSON text.
    const visitor = randomUUID();
    const line = '"'.repeat(9000);
    const batch = batchOf(visitor, 27).batch.map(event => ({ ...event, properties: { line } }));
    const sent: number[] = [];
    const unlisten = stage.cloud.meter.listen(({ action, input }) => {
      if (action === 'PutRecords') sent.push((input as { Records: unknown[] }).Records.length);
    });
    let refuseFirst = true;
    stage.cloud.faults.inject({
      service: 'kinesis',
      action: 'PutRecords',
      times: 1,
      effect: { kind: 'refuse-records', share: 0.5, code: throttled },
      choose: () => {
        const refused = refuseFirst;
        refuseFirst = false;
        return refused;
      },
    });
    expect((await post(stage, '/v1/batch', { batch })).status).toBe(200);
    unlisten();
    expect(sent).toEqual([2, 1]);
    await untilSql(stage, `select count(*), count(distinct event_id) from events where anonymous_id = '${visitor}'`, [
      ['27', '27'],
    ]);
  });

  it.each(faults)('for long (%s) is answered 503, which tells when to come back', async (_, effect) => {
    const visitor = randomUUID();
    stage.cloud.faults.inject({ service: 'kinesis', effect });
    const response = await post(stage, '/v1/batch', batchOf(visitor));
    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'application/problem+json']);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    stage.cloud.faults.clear();
    expect((await post(stage, '/v1/batch', batchOf(visitor))).status).toBe(200);
    await untilSql(stage, namesOf(visitor), inOrder);
  });

  it('of failed events is a 503 as well, although the good ones are stored', async () => {
    const visitor = randomUUID();
    stage.cloud.faults.inject({
      service: 'firehose',
      effect: { kind: 'refuse-records', share: 1, code: 'ServiceUnavailableException' },
    });
    const batch = [...batchOf(visitor).batch, { type: 'track', anonymousId: visitor }];
    expect((await post(stage, '/v1/batch', { batch })).status).toBe(503);
    stage.cloud.faults.clear();
    expect((await post(stage, '/v1/batch', { batch })).status).toBe(200);
    await untilSql(stage, `select count(*) from failed_events where raw like '%${visitor}%'`, [['1']]);
    expect(await sql(stage, `select count(*) from events_unique where anonymous_id = '${visitor}'`)).toEqual([['5']]);
  });

  it('although it was carried out, is stored twice and counted once', async () => {
    const visitor = randomUUID();
    stage.cloud.faults.inject({ service: 'kinesis', times: 1, effect: { kind: 'reset', carriedOut: true } });
    expect((await post(stage, '/v1/batch', batchOf(visitor))).status).toBe(200);
    const counts = `count(*), count(distinct ingest_id)`;
    await untilSql(stage, `select ${counts} from events where anonymous_id = '${visitor}'`, [['10', '5']]);
    expect(await sql(stage, `select ${counts} from events_unique where anonymous_id = '${visitor}'`)).toEqual([
      ['5', '5'],
    ]);
  });
});

describe('F2: an outage of Kinesis', () => {
  /** The full length runs in CI; here as long as shows the same. */
  const outageMs = Number(process.env.OUTAGE_SECONDS ?? 5) * 1000;

  it(
    'is answered with 503s, and nothing that was acknowledged is missing afterwards',
    async () => {
      const acknowledged: string[] = [];
      const refused: string[] = [];
      const send = async (): Promise<void> => {
        const id = randomUUID();
        const event = { event: 'outage', anonymousId: 'outage', messageId: id };
        ((await post(stage, '/v1/track', event)).status === 200 ? acknowledged : refused).push(id);
      };
      await Promise.all([send(), send(), send()]);
      stage.cloud.faults.inject({ service: 'kinesis', effect: { kind: 'reset', carriedOut: false } });
      for (const end = Date.now() + outageMs; Date.now() < end; ) await Promise.all([send(), send(), send()]);
      stage.cloud.faults.clear();
      await Promise.all([send(), send(), send()]);
      expect(refused.length).toBeGreaterThan(0);
      expect(acknowledged).toHaveLength(6);
      await untilSql(
        stage,
        `select event_id from events_unique where anonymous_id = 'outage' order by 1`,
        acknowledged.sort().map(id => [id]),
      );
    },
    outageMs + 60_000,
  );
});
