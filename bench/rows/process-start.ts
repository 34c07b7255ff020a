import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { counted, interleave, timesOf } from '../measure.ts';
import { atMost, type Row } from '../row.ts';

const bundle = 'collect-events.cjs';
const startTimeoutMs = 20_000;

/** The least a function can be. */
const emptyHandler = 'exports.handler = async () => ({ statusCode: 200 });\n';

/** What the function is deployed with (infra/platform/environment.yml and its own), Lambda's own variables included. */
const functionEnvironment = {
  NODE_OPTIONS: '--enable-source-maps',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  STAGE: 'local',
  POWERTOOLS_SERVICE_NAME: 'tableside',
  POWERTOOLS_LOG_LEVEL: 'INFO',
  STREAM_NAME: 'clickstream',
  FAILED_STREAM_NAME: 'failed-events',
  WRITE_KEYS: 'wk_local=local',
};

/** Row 6: a cold start's part that is ours, from nothing to a loaded handler, and the size that decides it. */
export const processStart: Row = {
  id: 6,
  run: async ({ amount, packageDir, workDir }) => {
    const files = unzipSync(await readFile(join(await packageDir(), 'collect-events.zip')));
    for (const [path, content] of Object.entries(files)) {
      await writeFile(join(workDir, path.split('/').at(-1) ?? path), content);
    }
    await writeFile(join(workDir, 'empty.cjs'), emptyHandler);
    const ours = () => start(join(workDir, bundle));
    const empty = () => start(join(workDir, 'empty.cjs'));
    await interleave(ours, empty, 2); // the file system's cache
    const rounds = await interleave(ours, empty, amount(41, 7));
    const bundleBytes = Object.entries(files).find(([path]) => path.endsWith(bundle))?.[1].length;
    if (bundleBytes === undefined) throw new Error(`The package has no ${bundle}.`);
    return [
      {
        id: '6a',
        name: 'process start with collect’s bundle ÷ with an empty handler',
        ...timesOf(rounds),
        target: atMost(3.5),
      },
      { id: '6b', name: 'size of collect’s bundle', ...counted(bundleBytes / 1024), unit: 'KB', target: atMost(350) },
    ];
  },
};

/** A whole process: Node itself, then the module with everything that happens before its first invocation. */
function start(file: string): void {
  const program = `if (typeof require(${JSON.stringify(file)}).handler !== 'function') process.exit(9)`;
  const options = { env: functionEnvironment, timeout: startTimeoutMs, encoding: 'utf8' } as const;
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], options);
  if (status !== 0) throw new Error(`${file} did not load (${status}): ${stderr}`);
}
