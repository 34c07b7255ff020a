import { inspect } from 'node:util';
import { parseArguments } from './arguments.ts';
import type { Command } from './command.ts';
import type { CommandLoader } from './commands.ts';
import { CommandError, UsageError } from './errors.ts';
import { commandHelp, overview } from './help.ts';
import { suggestion } from './nearest.ts';
import { createStage } from './stage.ts';
import { OutputClosed, type Terminal } from './terminal.ts';

export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

type Commands = Readonly<Record<string, CommandLoader>>;

/** Runs one command line and answers its exit code. Never rejects: an error becomes a sentence on stderr. */
export async function runCli(args: readonly string[], commands: Commands, terminal: Terminal): Promise<number> {
  try {
    const exitCode = await dispatch(args, commands, terminal);
    return terminal.signal.aborted ? exitCodes.interrupted : exitCode;
  } catch (error) {
    return explain(error, args, terminal);
  }
}

async function dispatch(args: readonly string[], commands: Commands, terminal: Terminal): Promise<number> {
  const [first, ...rest] = args[0] === 'help' ? [...args.slice(1, 2), '--help'] : args;
  if (first === undefined || first === '--help' || first === '-h') {
    const isAsked = args.length > 0;
    const text = overview(await Promise.all(Object.values(commands).map(async load => (await load()).command)));
    if (isAsked) await terminal.write(text);
    else terminal.say(text);
    return isAsked ? exitCodes.ok : exitCodes.usage;
  }
  const command = await findCommand(first, commands);
  const { values, positionals } = parseArguments(rest, command.options);
  if (values.help) {
    await terminal.write(commandHelp(command));
    return exitCodes.ok;
  }
  return command.run({ values, positionals, terminal, stage: createStage(values) });
}

async function findCommand(name: string, commands: Commands): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return (await load()).command;
  const names = Object.keys(commands);
  if (name.startsWith('-')) throw new UsageError(`The command comes first: one of ${names.join(', ')}.`);
  throw new UsageError(`There is no command "${name}".${suggestion(name, names)} There are ${names.join(', ')}.`);
}

function explain(error: unknown, args: readonly string[], terminal: Terminal): number {
  if (error instanceof OutputClosed) return exitCodes.ok;
  if (terminal.signal.aborted) return exitCodes.interrupted;
  const isForeseen = error instanceof UsageError || error instanceof CommandError;
  const message = error instanceof Error ? error.message : String(error);
  terminal.say(isForeseen ? message : `That failed unexpectedly: ${message} (--debug shows where.)`);
  if (args.includes('--debug')) terminal.say(inspect(error));
  return error instanceof UsageError ? exitCodes.usage : exitCodes.failed;
}
