import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type OpsRun, runOps } from '../../unit/ops/run-ops.ts';
import { type LocalStage, post, sql, startStage, untilSql } from '../stage.ts';

let stage: LocalStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const forget = (args: readonly string[]): Promise<OpsRun> =>
  runOps(['forget', '--aws-port', new URL(stage.endpoint).port, ...args]);

const track = (ids: object, event: string) => ({ type: 'track', event, ...ids });
const left = 'select name from events order by name';

describe('a person who is to be forgotten', () => {
  beforeAll(async () => {
    const batch = [
      track({ anonymousId: 'phone' }, 'before sign-in'),
      { type: 'identify', anonymousId: 'phone', userId: 'guest-42', traits: { email: 'ann@example.com' } },
      track({ anonymousId: 'laptop', userId: 'guest-42' }, 'elsewhere'),
      { type: 'alias', previousId: 'old-phone', userId: 'guest-42' },
      track({ anonymousId: 'old-phone' }, 'long before'),
      track({ anonymousId: 'laptop', userId: 'guest-7' }, 'kept: their partner'),
      track({ anonymousId: 'stranger' }, 'kept: a stranger'),
      track({ userId: 'guest-421' }, 'kept: a longer id'),
      { type: 'dance', userId: 'guest-42' },
      { type: 'dance', userId: 'guest-7' },
    ];
    expect((await post(stage, '/v1/batch', { batch })).status).toBe(200);
    await untilSql(stage, 'select (select count(*) from events), (select count(*) from failed_events)', [['8', '2']]);
  });

  it('is counted by a dry run, which removes nothing', async () => {
    const { exitCode, stdout, stderr } = await forget(['--user', 'guest-42', '--dry-run']);
    expect([exitCode, stdout]).toEqual([
      0,
      'events           5 rows would be removed from 1 of 1 object read\n' +
        'failed_events    1 row would be removed from 1 of 1 object read\n' +
        'delivery-errors  0 rows would be removed from 0 of 0 objects read\n',
    ]);
    expect(stderr).toBe(
      'Forgetting --user guest-42 --anonymous-id laptop --anonymous-id old-phone --anonymous-id phone\n',
    );
    expect(await sql(stage, 'select count(*) from events')).toEqual([['8']]);
  });

  it('is gone from every query, and nobody else is', async () => {
    const kept =
      "select ingest_id, received_at, name, user_id, is_bot, ingest_seq from events where name like 'kept%' order by 3";
    const before = await sql(stage, kept);
    const { exitCode, stdout } = await forget(['--user', 'guest-42']);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('5 rows removed from 1 of 1 object read')]);
    expect(await sql(stage, left)).toEqual([['kept: a longer id'], ['kept: a stranger'], ['kept: their partner']]);
    expect(await sql(stage, kept)).toEqual(before);
    expect(await sql(stage, 'select count(*) from events_unique')).toEqual([['3']]);
    const raw = await sql(stage, 'select raw from failed_events');
    expect(raw).toEqual([[expect.stringContaining('guest-7')]]);
    expect((await forget(['--user', 'guest-42'])).stdout).toContain(
      'events           0 rows removed from 0 of 0 objects read',
    );
  });

  it('is forgotten in what arrives later as well, by the anonymous ids that the report repeats', async () => {
    expect((await post(stage, '/v1/batch', { batch: [track({ anonymousId: 'phone' }, 'late')] })).status).toBe(200);
    await untilSql(stage, "select name from events where name = 'late'", [['late']]);
    expect((await forget(['--user', 'guest-42', '--anonymous-id', 'phone'])).exitCode).toBe(0);
    expect(await sql(stage, "select name from events where name = 'late'")).toEqual([]);
  });

  it('is one that can be forgotten with all of their rows', async () => {
    for (const user of ['guest-7', 'guest-421']) expect((await forget(['--user', user])).exitCode).toBe(0);
    expect(await sql(stage, left)).toEqual([['kept: a stranger']]);
  });
});

it('leaves books that balance', async () => {
  const { exitCode, stdout } = await runOps(['books', '--last-hour', '--aws-port', new URL(stage.endpoint).port]);
  expect([exitCode, stdout]).toEqual([
    0,
    expect.stringMatching(/^received +11 [\s\S]*^forgotten +10 [\s\S]*^Balanced: /m),
  ]);
});

it('without a user, says so', async () => {
  expect(await forget([])).toMatchObject({ exitCode: 2, stderr: 'Say whom to forget: forget --user ID.\n' });
});
