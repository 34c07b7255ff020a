import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageApp } from '../local/package.ts';
import { costsMarkdown } from './costs.ts';
import { jsonOf, tableOf } from './report.ts';
import type { BenchContext, Result, Row } from './row.ts';
import { billedBytes } from './rows/billed-bytes.ts';
import { dollars } from './rows/dollars.ts';
import { lakeFile } from './rows/lake-file.ts';
import { localStack } from './rows/local-stack.ts';
import { parseAndPack } from './rows/parse-and-pack.ts';
import { payloadUnits } from './rows/payload-units.ts';
import { processStart } from './rows/process-start.ts';
import { putCalls } from './rows/put-calls.ts';
import { wholeHandler } from './rows/whole-handler.ts';
import { type BenchStage, startStage } from './stage.ts';

const usage = `Measures the app against floors and naive peers, side by side in one run.

  npm run bench -- [options]

  --only 1,2   these rows of the table only
  --quick      a tenth of the work: to see that it runs, not to be quoted
  --json       [{id, name, ratio, target, met, spread}] instead of a table
  --costs      print docs/costs.md and measure nothing
  --help       this text

It exits with 1 where a row lost or doubled events, with 0 otherwise: a missed target is shown and fails nothing.
`;

const rows: readonly Row[] = [
  parseAndPack,
  wholeHandler,
  putCalls,
  payloadUnits,
  billedBytes,
  processStart,
  lakeFile,
  dollars,
  localStack,
];

const say = (text: string): void => void process.stdout.write(text);
const complain = (text: string): void => void process.stderr.write(text);

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: rows.map(row => row.id).join() },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      costs: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const wanted = values.only.split(',').map(id => rows.find(row => String(row.id) === id.trim()));
  if (wanted.includes(undefined)) throw new Error(`--only takes rows from 1 to ${rows.length}, like 1,2.`);
  return { ...values, rows: rows.filter(row => wanted.includes(row)) };
}

/** Makes the package and starts the local cloud for the first row that asks, and stops what was started. */
function createContext(quick: boolean, workDir: string): BenchContext & { readonly stop: () => Promise<void> } {
  const projectDir = join(import.meta.dirname, '..');
  let packaged: Promise<string> | undefined;
  let started: Promise<BenchStage> | undefined;
  const packageDir = () => {
    packaged ??= packageApp({ projectDir, stage: 'local', log: line => complain(`${line}\n`) });
    return packaged;
  };
  return {
    workDir,
    packageDir,
    amount: (full, least = 1) => (quick ? Math.max(least, Math.ceil(full / 10)) : full),
    stage: () => {
      started ??= packageDir().then(from => startStage(from, join(workDir, 'cloud')));
      return started;
    },
    stop: async () => (await started)?.stop(),
  };
}

/** Runs the rows one after the other. What fails is told at once; the others still run. */
async function measure(wanted: readonly Row[], context: BenchContext): Promise<{ results: Result[]; failed: boolean }> {
  const results: Result[] = [];
  let failed = false;
  for (const row of wanted) {
    complain(`row ${row.id} …\n`);
    try {
      results.push(...(await row.run(context)));
    } catch (error) {
      failed = true;
      complain(`row ${row.id} failed: ${error instanceof Error ? error.stack : String(error)}\n`);
    }
  }
  return { results, failed };
}

async function main(args: readonly string[]): Promise<number> {
  let options: ReturnType<typeof readOptions>;
  try {
    options = readOptions(args);
  } catch (error) {
    complain(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  if (options.help) say(usage);
  if (options.costs) say(await costsMarkdown());
  if (options.help || options.costs) return 0;
  const workDir = await mkdtemp(join(tmpdir(), 'tableside-bench-'));
  const context = createContext(options.quick, workDir);
  try {
    const { results, failed } = await measure(options.rows, context);
    say(options.json ? `${jsonOf(results)}\n` : tableOf(results));
    return failed ? 1 : 0;
  } finally {
    await context.stop();
    await rm(workDir, { recursive: true, force: true });
  }
}

process.exitCode = await main(process.argv.slice(2));
