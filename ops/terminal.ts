import type { Readable, Writable } from 'node:stream';
import { printable, printableLines } from './display-text.ts';

/** What the outside world is to a command; the tests put streams of their own here. */
export interface Terminal {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** The result. Resolves once the reader has taken it, so a slow pipe slows the command; rejects with OutputClosed. */
  readonly write: (text: string) => Promise<void>;
  /** A sentence to the person, on stderr. */
  readonly say: (line: string) => void;
  /** Redraws the one line of progress on stderr. Does nothing where stderr is no terminal. */
  readonly progress: (line: string) => void;
  /** Columns of the terminal that shows the result; undefined where the result goes to a pipe or file. */
  readonly width: number | undefined;
  /** Bold and dim are wanted in the result. */
  readonly isStyled: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The reader went away, as `head` does when it has seen enough. That is no failure. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

type Screen = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface TerminalOptions {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Screen;
  readonly stderr: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const clearLine = '\r\x1b[K';
const maxRedrawsPerSecond = 10;
// A terminal may claim to have no columns at all, as one made by `script` does.
const columnsOf = (screen: Screen): number => screen.columns || 80;

export function createTerminal({ stdin, stdout, stderr, env, signal }: TerminalOptions): Terminal {
  let isProgressShown = false;
  let drawnAt = 0;
  // Write callbacks tell of errors; without a listener Node would crash on the same error first.
  stdout.on('error', () => {});
  stderr.on('error', () => {});

  function clearProgress(): void {
    if (isProgressShown) stderr.write(clearLine);
    isProgressShown = false;
  }

  function write(text: string): Promise<void> {
    clearProgress();
    return new Promise((resolve, reject) => {
      stdout.write(text, error => (error ? reject(new OutputClosed(error.message, { cause: error })) : resolve()));
    });
  }

  function say(line: string): void {
    clearProgress();
    stderr.write(`${printableLines(line)}\n`);
  }

  function progress(line: string): void {
    const now = Date.now();
    if (!stderr.isTTY || now - drawnAt < 1000 / maxRedrawsPerSecond) return;
    drawnAt = now;
    isProgressShown = true;
    stderr.write(clearLine + printable(line).slice(0, columnsOf(stderr) - 1));
  }

  return {
    stdin,
    write,
    say,
    progress,
    width: stdout.isTTY ? columnsOf(stdout) : undefined,
    // https://no-color.org: any value that is not empty
    isStyled: stdout.isTTY === true && !env.NO_COLOR,
    signal,
  };
}
