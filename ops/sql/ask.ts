import type { CommandContext, OptionTable } from '../command.ts';
import { createAthena } from './athena.ts';
import type { ResultPage, ResultRow } from './result.ts';
import { runQuery } from './run-query.ts';

/** The option of every command that asks Athena. */
export const timeoutOption = {
  'timeout-seconds': { kind: 'count', placeholder: 'N', default: 300, help: 'stop a query that takes longer' },
} as const satisfies OptionTable;

export interface Asker {
  /** The answer in pages, for what may be long. */
  readonly pages: (sql: string) => AsyncGenerator<ResultPage>;
  readonly rows: (sql: string) => Promise<ResultRow[]>;
}

/** Asks the stage's Athena, with `doing` as progress. Throws CommandError with Athena's reason. */
export function createAsker(
  context: Pick<CommandContext<typeof timeoutOption>, 'values' | 'stage' | 'terminal'>,
  doing: string,
): Asker {
  const { values, stage, terminal } = context;
  const athena = createAthena(stage);

  async function* pages(sql: string): AsyncGenerator<ResultPage> {
    const { queryId, status } = await runQuery(athena, sql, {
      timeoutSeconds: values['timeout-seconds'],
      signal: terminal.signal,
      onStatus: ({ state }) => terminal.progress(`${doing}: ${state.toLowerCase()}`),
    });
    yield* athena.results(queryId, status);
  }

  async function rows(sql: string): Promise<ResultRow[]> {
    const all: ResultRow[] = [];
    for await (const page of pages(sql)) all.push(...page.rows);
    return all;
  }

  return { pages, rows };
}
