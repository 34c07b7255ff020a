import { type OpsRun, runOps } from '../../unit/ops/run-ops.ts';
import type { Stage } from '../stage.ts';

/** Draws the books up once. */
export const books = ({ endpoint }: Stage, args: readonly string[] = ['--last-hour']): Promise<OpsRun> =>
  runOps(['books', '--aws-port', new URL(endpoint).port, ...args]);

/** Draws the books up until what is on its way has arrived. */
export async function untilBooks(stage: Stage, wanted: RegExp, timeoutMs = 20_000): Promise<OpsRun> {
  const deadline = Date.now() + timeoutMs;
  let run: OpsRun;
  do {
    run = await books(stage);
    if (wanted.test(run.stdout)) return run;
    await new Promise(resolve => setTimeout(resolve, 50));
  } while (Date.now() < deadline);
  throw new Error(`Still not ${wanted} after ${timeoutMs} ms:\n${run.stdout}${run.stderr}`);
}

/** Figures of the books by their names. */
export function figures({ stdout }: OpsRun): Record<string, number> {
  const lines = [...stdout.matchAll(/^([a-z ]+?) {2,}([\d,]+) {2}/gm)];
  return Object.fromEntries(lines.map(([, name = '', count = '']) => [name, Number(count.replaceAll(',', ''))]));
}
