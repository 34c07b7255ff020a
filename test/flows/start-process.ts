import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Stage } from './stage.ts';

const projectDir = join(import.meta.dirname, '../..');

export interface Start extends Stage {
  readonly process: ChildProcess;
  /** What it said until it was ready. */
  readonly said: readonly string[];
}

export interface Failure {
  readonly code: number | null;
  readonly output: string;
}

const running = new Set<ChildProcess>();

function spawnStart(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [join(projectDir, 'local/main.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** `npm start` on free ports, in a process of its own, until it says ready. */
export async function start(stateDir: string, ...args: string[]): Promise<Start> {
  const child = spawnStart(['--state', stateDir, '--port', '0', '--aws-port', '0', ...args]);
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
      return { url, endpoint, process: child, said };
    }
  }
  throw new Error(`npm start ended without being ready:\n${said.join('\n')}`);
}

/** A start that must not come up: its exit code and everything it said. */
export async function failToStart(stateDir: string, ...args: string[]): Promise<Failure> {
  const child = spawnStart(['--state', stateDir, ...args]);
  let output = '';
  child.stdout?.on('data', chunk => (output += chunk));
  child.stderr?.on('data', chunk => (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

/** Ends it, and waits until it is gone. @returns its exit code; null where a signal ended it */
export async function end(started: Start, signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL'): Promise<number | null> {
  const exited = once(started.process, 'exit');
  started.process.kill(signal);
  return (await exited)[0];
}

/** For the end of a test, however it ended. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...running].map(child => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      return exited;
    }),
  );
}
