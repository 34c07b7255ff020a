import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { post, type Stage, sql, untilSql } from '../stage.ts';

const projectDir = join(import.meta.dirname, '../../..');

interface Start extends Stage {
  readonly process: ChildProcess;
}

interface Failure {
  readonly code: number | null;
  readonly output: string;
}

let stateDir: string;
const running = new Set<ChildProcess>();

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'tableside-'));
});

afterEach(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(stateDir, { recursive: true, force: true });
});

function spawnStart(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(projectDir, 'local/main.ts'), '--state', stateDir, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** `npm start`, until it says ready. */
async function start(...args: string[]): Promise<Start> {
  const child = spawnStart(['--port', '0', '--aws-port', '0', ...args]);
  if (!child.stdout || !child.stderr) throw new Error('no output to read');
  const said: string[] = [];
  child.stderr.on('data', chunk => said.push(String(chunk)));
  let endpoint = '';
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    endpoint = /^AWS\s+(http:\S+)/.exec(line)?.[1] ?? endpoint;
    const url = /^ready\s+(http:\S+)/.exec(line)?.[1];
    if (url) {
      child.stdout.resume();
      return { url, endpoint, process: child };
    }
  }
  throw new Error(`npm start ended without being ready:\n${said.join('\n')}`);
}

/** A start that must not come up: its exit code and everything it said. */
async function failToStart(...args: string[]): Promise<Failure> {
  const child = spawnStart(args);
  let output = '';
  child.stdout?.on('data', chunk => (output += chunk));
  child.stderr?.on('data', chunk => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

async function end(started: Start, signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
  const exited = once(started.process, 'exit');
  started.process.kill(signal);
  return (await exited)[0];
}

async function send(stage: Stage, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, () => randomUUID());
  const batch = ids.map(messageId => ({ type: 'track', event: 'kept', anonymousId: 'a', messageId }));
  expect((await post(stage, '/v1/batch', { batch })).status).toBe(200);
  return ids;
}

const storedIds = 'select distinct event_id from events order by 1';

describe('what was answered with 200', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('is still there after %s and a new start', async signal => {
    const before = await start();
    const ids = await send(before, 20);
    expect(await end(before, signal)).toBe(0);
    const after = await start();
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
      const stage = await start();
      for (let batch = 0; batch < 5; batch++) ids.push(...(await send(stage, 20)));
      await end(stage, 'SIGKILL');
    }
    const after = await start();
    await untilSql(
      after,
      storedIds,
      ids.sort().map(id => [id]),
    );
    await end(after, 'SIGTERM');
  });

  it('is gone after --fresh', async () => {
    const before = await start();
    await send(before, 1);
    await untilSql(before, 'select count(*) from events', [['1']]);
    await end(before, 'SIGTERM');
    const after = await start('--fresh');
    expect(await sql(after, 'select count(*) from events')).toEqual([['0']]);
    await end(after, 'SIGTERM');
  });
});

describe('a start that cannot be', () => {
  it('says that another one has the folder', async () => {
    const first = await start();
    const { code, output } = await failToStart('--port', '0', '--aws-port', '0');
    expect(code).toBe(1);
    expect(output).toContain(`Another Tableside is running on ${stateDir}`);
    expect(output).not.toMatch(/\n\s+at /);
    await end(first, 'SIGTERM');
  });

  it.each(['--port', '--aws-port'])('says which port is taken: %s', async flag => {
    const first = await start();
    const taken = new URL(flag === '--port' ? first.url : first.endpoint).port;
    const others = ['--port', '0', '--aws-port', '0', '--state', join(stateDir, 'other')];
    const { code, output } = await failToStart(...others, flag, taken);
    expect(code).toBe(1);
    expect(output).toContain(`Port ${taken} is taken`);
    expect(output).not.toMatch(/\n\s+at /);
    await end(first, 'SIGTERM');
  });

  it('names an option it does not know, and a port that is none', async () => {
    expect((await failToStart('--prot', '1')).output).toContain('--prot');
    const { code, output } = await failToStart('--port', 'eighty');
    expect([code, output]).toEqual([2, expect.stringContaining('--port takes a number')]);
    expect((await failToStart('--chaos', 'often')).output).toContain('--chaos takes a percentage from 0 to 100');
  });
});
