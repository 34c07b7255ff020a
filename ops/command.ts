import type { Stage } from './stage.ts';
import type { Terminal } from './terminal.ts';

/** One option of a command. `placeholder` names its value in the help. */
export type OptionSpec =
  | { readonly kind: 'flag'; readonly help: string }
  | { readonly kind: 'count'; readonly placeholder: string; readonly help: string; readonly default?: number }
  | {
      readonly kind: 'text';
      readonly placeholder: string;
      readonly help: string;
      readonly default?: string;
      readonly choices?: readonly string[];
      readonly multiple?: boolean;
    };

export type OptionTable = Readonly<Record<string, OptionSpec>>;

/** Where the work is done: every command takes these. */
export const commonOptions = {
  stage: { kind: 'text', placeholder: 'NAME', default: 'local', help: 'local, or a stage that was deployed' },
  region: {
    kind: 'text',
    placeholder: 'REGION',
    help: 'AWS region of a deployed stage; else the one your profile names',
  },
  port: { kind: 'count', placeholder: 'N', default: 3000, help: 'local stage: port of the HTTP API' },
  'aws-port': { kind: 'count', placeholder: 'N', default: 4566, help: 'local stage: port of the AWS endpoint' },
  debug: { kind: 'flag', help: 'show the stack trace of an error' },
  help: { kind: 'flag', help: 'show this help' },
} as const satisfies OptionTable;

type ValueOf<Spec> = Spec extends { kind: 'flag' }
  ? boolean
  : Spec extends { kind: 'count' }
    ? number | (Spec extends { default: number } ? never : undefined)
    : Spec extends { multiple: true }
      ? readonly string[]
      :
          | (Spec extends { choices: readonly (infer Choice)[] } ? Choice : string)
          | (Spec extends { default: string } ? never : undefined);

export type ValuesOf<Options extends OptionTable> = { readonly [Name in keyof Options]: ValueOf<Options[Name]> };

export interface CommandContext<Options extends OptionTable> {
  readonly values: ValuesOf<Options & typeof commonOptions>;
  readonly positionals: readonly string[];
  readonly stage: Stage;
  readonly terminal: Terminal;
}

/** One command of `npm run ops`. A file in commands/ exports one as `command`. */
export interface Command {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** Below the summary in the command's own help: how it is called, with examples. */
  readonly usage: string;
  readonly options: OptionTable;
  /** Answers the exit code. Throws UsageError or CommandError with a sentence for the person. */
  readonly run: (context: CommandContext<OptionTable>) => Promise<number>;
}

/** Gives `run` the types of its own options; `parseArguments` vouches for the values. */
export function defineCommand<const Options extends OptionTable>(
  command: Omit<Command, 'options' | 'run'> & {
    readonly options: Options;
    readonly run: (context: CommandContext<Options>) => Promise<number>;
  },
): Command {
  return { ...command, run: context => command.run(context as CommandContext<Options>) };
}
