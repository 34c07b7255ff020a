import type { Command } from './command.ts';

/** Loads one command: each brings its own SDK clients along, and only the one that runs should cost their start. */
export type CommandLoader = () => Promise<{ readonly command: Command }>;

/** Every command, in the order the overview shows them. */
export const commands: Readonly<Record<string, CommandLoader>> = {
  sql: () => import('./commands/sql.ts'),
  'import-csv': () => import('./commands/import-csv.ts'),
  replay: () => import('./commands/replay.ts'),
  books: () => import('./commands/books.ts'),
  forget: () => import('./commands/forget.ts'),
};
