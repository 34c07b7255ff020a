import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type OpsOptions, type OpsRun, runOps } from '../../unit/ops/run-ops.ts';
import { type LocalStage, post, sql, startStage, untilSql } from '../stage.ts';
import { failByMistake } from './failed-by-mistake.ts';

let stage: LocalStage;
beforeAll(async () => {
  stage = await startStage();
});
afterEach(() => stage.cloud.faults.clear());
afterAll(() => stage?.stop());

const replay = (args: readonly string[], options?: OpsOptions): Promise<OpsRun> =>
  runOps(['replay', 'failed-events', '--aws-port', new URL(stage.endpoint).port, ...args], options);

const storedOf = (source: string) =>
  `select count(*), count(distinct ingest_id), count(distinct event_id) from events where source = '${source}'`;

describe('F3: a batch with bad events', () => {
  it('stores the good ones, keeps the bad ones with their reasons, and a replay leaves those that are still bad', async () => {
    const visitor = randomUUID();
    const track = { type: 'track', event: 'seen', anonymousId: visitor };
    const batch = [track, { ...track, type: 'dance' }, track, { ...track, event: '' }];
    expect((await post(stage, '/v1/batch', { batch })).status).toBe(200);
    await untilSql(stage, `select ingest_seq from events where anonymous_id = '${visitor}' order by 1`, [['0'], ['2']]);
    await untilSql(stage, `select ingest_seq, code from failed_events where raw like '%${visitor}%' order by 1`, [
      ['1', 'unknown-type'],
      ['3', 'missing-name'],
    ]);
    const { exitCode, stdout } = await replay(['--reason', 'unknown-type', '--reason', 'missing-name']);
    expect([exitCode, stdout]).toEqual([0, expect.stringMatching(/^2 failed events: 0 stored, 2 failed again\.\n/)]);
    expect(stdout).toContain('1 unknown-type: "type" must be one of track');
  });
});

describe('failed events that pass today', () => {
  it('are stored once, as they were received, also when the replay is run twice', async () => {
    await failByMistake(stage, 'web-1', 3);
    const dryRun = await replay(['--source', 'web-1', '--dry-run']);
    expect(dryRun).toMatchObject({ exitCode: 0, stdout: '3 failed events: 3 would pass, 0 would fail again.\n' });
    expect(await sql(stage, storedOf('web-1'))).toEqual([['0', '0', '0']]);
    const first = await replay(['--source', 'web-1']);
    expect(first).toMatchObject({ exitCode: 0, stdout: '3 failed events: 3 stored, 0 failed again.\n' });
    await untilSql(stage, storedOf('web-1'), [['3', '3', '3']]);
    const second = await replay(['--source', 'web-1']);
    expect(second.stdout).toMatch(/^Nothing to replay/);
    const kept = 'select ingest_id, ingest_seq, received_at, ip from';
    expect(await sql(stage, `${kept} events where source = 'web-1' order by 2`)).toEqual(
      await sql(stage, `${kept} failed_events where source = 'web-1' order by 2`),
    );
  });

  it('count once in events_unique although a second replay did not wait for the first to arrive', async () => {
    await failByMistake(stage, 'web-2', 2);
    // So that both have looked before either has put.
    const effect = { kind: 'slow', delayMs: 700 } as const;
    stage.cloud.faults.inject({ service: 'kinesis', action: 'PutRecords', callers: 'everyone', effect });
    const both = await Promise.all([replay(['--source', 'web-2']), replay(['--source', 'web-2'])]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    await untilSql(stage, storedOf('web-2'), [['4', '2', '2']]);
    expect(await sql(stage, "select count(*) from events_unique where source = 'web-2'")).toEqual([['2']]);
  });

  it('are finished by a second run where the stream broke off the first', async () => {
    await failByMistake(stage, 'web-3', 2);
    const effect = { kind: 'error', code: 'ProvisionedThroughputExceededException', status: 400 } as const;
    stage.cloud.faults.inject({ service: 'kinesis', action: 'PutRecords', callers: 'everyone', effect });
    const broken = await replay(['--source', 'web-3']);
    expect(broken).toMatchObject({ exitCode: 1 });
    expect(broken.stdout).toMatch(/0 stored.*\nStopped before the end: .*\nRun the same command again/);
    stage.cloud.faults.clear();
    expect((await replay(['--source', 'web-3', '--limit', '1'])).stdout).toMatch(/^1 failed event: 1 stored/);
    await untilSql(stage, storedOf('web-3'), [['1', '1', '1']]);
    expect((await replay(['--source', 'web-3', '--since', '1h'])).stdout).toMatch(/^1 failed event: 1 stored/);
    await untilSql(stage, storedOf('web-3'), [['2', '2', '2']]);
  });

  it('are left alone where their tracker has sent them again, put right', async () => {
    const messageId = randomUUID();
    await failByMistake(stage, 'web-4', 1, messageId);
    const mended = { type: 'track', event: 'mended', anonymousId: 'a', messageId };
    expect((await post(stage, '/v1/batch', { batch: [mended] })).status).toBe(200);
    await untilSql(stage, `select count(*) from events where event_id = '${messageId}'`, [['1']]);
    expect((await replay(['--source', 'web-4'])).stdout).toMatch(/^Nothing to replay/);
  });
});

describe('a replay that is called wrongly', () => {
  it.each([
    [['--since', 'soon'], '--since takes a time like'],
    [
      ['--reason', 'unknown-typ'],
      'No failed event has the reason "unknown-typ". Did you mean "unknown-type"? There are ',
    ],
    [['--source', 'nobody'], 'No failed event has the source "nobody".'],
    [['and-more'], 'Say what to replay: replay failed-events. Not "failed-events and-more".'],
  ])('with %j says so and exits 2', async (args, sentence) => {
    const { exitCode, stderr } = await replay(args);
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining(sentence)]);
  });
});
