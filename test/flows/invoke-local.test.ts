import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStage, startStage } from './stage.ts';

const projectDir = join(import.meta.dirname, '../..');
const samples = readdirSync(join(projectDir, 'events')).filter(name => name.endsWith('.json'));
const run = promisify(execFile);

let stage: LocalStage;
/** osls unpacks a function for each call, and leaves it there. */
let unpackDir: string;
beforeAll(async () => {
  unpackDir = await mkdtemp(join(tmpdir(), 'tableside-'));
  stage = await startStage();
});
afterAll(async () => {
  await stage?.stop();
  await rm(unpackDir, { recursive: true, force: true });
});

/** `npx sls invoke local`, as a person types it. */
async function invoke(functionName: string, sample: string, endpoint: string) {
  const args = ['invoke', 'local', '-f', functionName, '--stage', 'local', '-p', join('events', sample)];
  return run(process.execPath, [join(projectDir, 'node_modules/serverless/bin/serverless.js'), ...args], {
    cwd: projectDir,
    timeout: 60_000,
    env: { ...process.env, AWS_ENDPOINT_URL: endpoint, TMPDIR: unpackDir },
  });
}

describe('sls invoke local', () => {
  it.each(samples)('runs the function of events/%s', async sample => {
    const { stdout } = await invoke(basename(sample, '.json'), sample, stage.endpoint);
    const result = JSON.parse(stdout.slice(stdout.indexOf('{\n')));
    expect(result.statusCode).toBe(sample === 'not-found.json' ? 404 : 200);
  });

  it('says to start Tableside where it is not running', async () => {
    const failure = invoke('not-found', 'not-found.json', 'http://127.0.0.1:1').catch(error => error);
    const { stdout, stderr } = await failure;
    expect(stdout + stderr).toMatch(/npm start/);
  });
});
