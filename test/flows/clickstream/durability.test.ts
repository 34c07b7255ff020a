import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { post, type Stage, sql, startStage, untilSql } from '../stage.ts';
import { end, failToStart, killAll, start } from '../start-process.ts';
import { figures, untilBooks } from './books.ts';

let stateDir: string;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'tableside-'));
});

afterEach(async () => {
  await killAll();
  await rm(stateDir, { recursive: true, force: true });
});

async function send(stage: Stage, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const batch = ids.map(messageId => ({ type: 'track', event: 'kept', anonymousId: 'a', messageId }));
  expect((await post(stage, '/v1/batch', { batch })).status).toBe(200);
  return ids;
}

const storedIds = 'select distinct event_id from events order by 1';

describe('what was answered with 200', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('is still there after %s and a new start', async signal => {
    const before = await start(stateDir);
    const ids = await send(before, 20);
    expect(await end(before, signal)).toBe(0);
    const after = await start(stateDir);
    await untilSql(
      after,
      storedIds,
      ids.sort().map(id => [id]),
    );
    await end(after, 'SIGTERM');
  });

  it('is still there after kill -9, also when the kill comes right after the answer', async () => {
    const ids: string[] = [];
    for (let round = 0; round < 2; round++) {
      const stage = await start(stateDir);
      for (let batch = 0; batch < 5; batch++) ids.push(...(await send(stage, 20)));
      await end(stage, 'SIGKILL');
    }
    const after = await start(stateDir);
    await untilSql(
      after,
      storedIds,
      ids.sort().map(id => [id]),
    );
    await end(after, 'SIGTERM');
  });

  it('is in the books, which may exceed after kill -9 in the middle of a load and never fall short', async () => {
    const before = await start(stateDir);
    const load = Array.from({ length: 10 }, () => send(before, 20).catch(() => []));
    await Promise.race(load);
    await end(before, 'SIGKILL');
    const acknowledged = (await Promise.all(load)).flat();
    expect(acknowledged.length).toBeGreaterThan(0);
    const after = await start(stateDir);
    const wanted = acknowledged.map(id => `'${id}'`).join(', ');
    const stored = `select count(distinct event_id) from events where event_id in (${wanted})`;
    await untilSql(after, stored, [[String(acknowledged.length)]]);
    // Some may have been counted, but killed before they were answered: they are on their way.
    const run = await untilBooks(after, /^Balanced/m);
    expect(run.exitCode).toBe(0);
    expect(figures(run).received).toBeGreaterThanOrEqual(acknowledged.length);
    await end(after, 'SIGTERM');
  });

  it('is gone after --fresh', async () => {
    const before = await start(stateDir);
    await send(before, 1);
    await untilSql(before, 'select count(*) from events', [['1']]);
    await end(before, 'SIGTERM');
    const after = await start(stateDir, '--fresh');
    expect(await sql(after, 'select count(*) from events')).toEqual([['0']]);
    await end(after, 'SIGTERM');
  });
});

describe('a stop', () => {
  it('lets a request under way finish, which still needs the AWS endpoint', async () => {
    const stage = await startStage();
    const { promise: underWay, resolve: begun } = Promise.withResolvers<void>();
    stage.cloud.faults.inject({
      action: 'PutRecords',
      effect: () => {
        begun();
        return { kind: 'slow', delayMs: 300 };
      },
    });
    const answer = post(stage, '/v1/track', { event: 'last', anonymousId: 'a' });
    await underWay;
    await stage.stop();
    expect((await answer).status).toBe(200);
  });
});

describe('a start that cannot be', () => {
  it('says that another one has the folder', async () => {
    const first = await start(stateDir);
    const { code, output } = await failToStart(stateDir, '--port', '0', '--aws-port', '0');
    expect(code).toBe(1);
    expect(output).toContain(`Another Tableside is running on ${stateDir}`);
    expect(output).not.toMatch(/\n\s+at /);
    await end(first, 'SIGTERM');
  });

  it.each(['--port', '--aws-port'])('says which port is taken: %s', async flag => {
    const first = await start(stateDir);
    const taken = new URL(flag === '--port' ? first.url : first.endpoint).port;
    const others = ['--port', '0', '--aws-port', '0'];
    const { code, output } = await failToStart(join(stateDir, 'other'), ...others, flag, taken);
    expect(code).toBe(1);
    expect(output).toContain(`Port ${taken} is taken`);
    expect(output).not.toMatch(/\n\s+at /);
    await end(first, 'SIGTERM');
  });

  it('deletes nothing that is not its own with --fresh', async () => {
    await mkdir(join(stateDir, 'data'));
    await writeFile(join(stateDir, 'data', 'precious'), 'mine');
    const { code, output } = await failToStart(stateDir, '--port', '0', '--aws-port', '0', '--fresh');
    expect([code, output]).toEqual([1, expect.stringContaining("holds files that are not Tableside's")]);
    expect(await readFile(join(stateDir, 'data', 'precious'), 'utf8')).toBe('mine');
  });

  it('names an option it does not know, and a port that is none', async () => {
    expect((await failToStart(stateDir, '--prot', '1')).output).toContain('--prot');
    const { code, output } = await failToStart(stateDir, '--port', 'eighty');
    expect([code, output]).toEqual([2, expect.stringContaining('--port takes a number')]);
    expect((await failToStart(stateDir, '--chaos', 'often')).output).toContain(
      '--chaos takes a percentage from 0 to 100',
    );
  });
});
