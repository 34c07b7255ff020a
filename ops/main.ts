import { exitCodes, runCli } from './cli.ts';
import { commands } from './commands.ts';
import { createTerminal } from './terminal.ts';

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first lets the command stop what it began on AWS; a second does not wait for that.
    if (interrupt.signal.aborted) process.exit(exitCodes.interrupted);
    interrupt.abort();
  });
}

const { stdin, stdout, stderr, env, argv } = process;
const terminal = createTerminal({ stdin, stdout, stderr, env, signal: interrupt.signal });
const exitCode = await runCli(argv.slice(2), commands, terminal);
// Not left to an empty event loop: an SDK that is still backing off would hold the prompt. The empty write comes back
// after everything before it has gone out.
stdout.write('', () => stderr.write('', () => process.exit(exitCode)));
