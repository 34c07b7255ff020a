import { PassThrough, Readable, Writable } from 'node:stream';
import { runCli } from '../../../ops/cli.ts';
import { type CommandLoader, commands } from '../../../ops/commands.ts';
import { createTerminal } from '../../../ops/terminal.ts';

export interface OpsRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OpsOptions {
  readonly stdin?: string;
  /** Columns of the terminal that stdout and stderr are; absent: they are pipes. */
  readonly columns?: number;
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  readonly commands?: Readonly<Record<string, CommandLoader>>;
  /** The reader of stdout goes away after this many writes, as `head` does. */
  readonly closeAfterWrites?: number;
}

/** Runs one command line as main.ts does, with streams of the test's own. */
export async function runOps(args: readonly string[], options: OpsOptions = {}): Promise<OpsRun> {
  const stdout = createScreen(options.columns, options.closeAfterWrites);
  const stderr = createScreen(options.columns);
  const stdin = options.stdin === undefined ? new PassThrough() : Readable.from([Buffer.from(options.stdin)]);
  const terminal = createTerminal({
    stdin: Object.assign(stdin, { isTTY: options.stdin === undefined }),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: options.env ?? {},
    signal: options.signal ?? new AbortController().signal,
  });
  const exitCode = await runCli(args, options.commands ?? commands, terminal);
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}

function createScreen(columns: number | undefined, closeAfterWrites = Infinity) {
  const written: string[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (written.length >= closeAfterWrites) return done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      written.push(chunk.toString());
      done();
    },
  });
  const screen = Object.assign(stream, columns === undefined ? {} : { isTTY: true, columns });
  return { stream: screen, text: () => written.join('') };
}
