import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Everything a package is made from: a change in any of these files packages anew. */
const inputs = ['serverless.yml', 'package.json', 'package-lock.json', 'tsconfig.json', 'infra/**/*', 'src/**/*'];
/** Old packages are kept so that going back to a branch is as quick as staying on one. */
const keptPackages = 4;
const packagingTimeoutSeconds = 180;
/** serverless-esbuild leaves the esbuild of a failed build running, and with it osls, which has said why long before. */
const lastWordsMs = 500;

export interface PackageOptions {
  readonly projectDir: string;
  readonly stage: string;
  readonly log: (line: string) => void;
}

/**
 * Packages the app with `sls package`, exactly as a deploy would, or finds the package that was made from the same files.
 * @returns the folder with `cloudformation-template-update-stack.json` and one zip a function
 */
export async function packageApp({ projectDir, stage, log }: PackageOptions): Promise<string> {
  const packagesDir = join(projectDir, '.build');
  const packageDir = join(packagesDir, `${stage}-${contentHash(projectDir)}`);
  if (existsSync(packageDir)) return packageDir;
  log('packaging (only when something in src/ or infra/ changed) …');
  await mkdir(packagesDir, { recursive: true });
  const unfinished = `${packageDir}.${process.pid}`;
  try {
    await runServerless(projectDir, stage, unfinished);
    await rename(unfinished, packageDir).catch(error => {
      // Somebody else finished the same package first: theirs is as good.
      if (!existsSync(packageDir)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  await removeOldPackages(packagesDir, stage);
  return packageDir;
}

function contentHash(projectDir: string): string {
  const hash = createHash('sha256');
  // Stage files read their settings from these.
  const settings = Object.entries(process.env).filter(([name]) => name.startsWith('TABLESIDE_'));
  hash.update(JSON.stringify(settings.sort()));
  const files = globSync(inputs, { cwd: projectDir, withFileTypes: true }).filter(entry => entry.isFile());
  for (const path of files.map(file => join(file.parentPath, file.name)).sort()) {
    hash.update(`${path}\0`).update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function runServerless(projectDir: string, stage: string, into: string): Promise<void> {
  const cli = join(projectDir, 'node_modules/serverless/bin/serverless.js');
  const child = spawn(process.execPath, [cli, 'package', '--stage', stage, '--package', into], {
    cwd: projectDir,
    env: {
      ...process.env,
      SLS_TELEMETRY_DISABLED: '1',
      AWS_REGION: 'us-east-1',
      NODE_NO_WARNINGS: '1',
      TABLESIDE_BUNDLE_DIR: `.esbuild/${process.pid}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: packagingTimeoutSeconds * 1000,
  });
  let output = '';
  function hear(chunk: Buffer): void {
    output += chunk;
    if (/^Error:/m.test(output)) setTimeout(() => child.kill(), lastWordsMs).unref();
  }
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', code => {
      if (code === 0) resolve();
      else reject(new Error(`sls package failed:\n${output.trim()}`));
    });
  });
}

async function removeOldPackages(packagesDir: string, stage: string): Promise<void> {
  const names = (await readdir(packagesDir)).filter(name => name.startsWith(`${stage}-`) && !name.includes('.'));
  const dated = await Promise.all(
    names.map(async name => ({ name, madeAt: (await stat(join(packagesDir, name))).mtimeMs })),
  );
  dated.sort((a, b) => b.madeAt - a.madeAt);
  for (const { name } of dated.slice(keptPackages)) await rm(join(packagesDir, name), { recursive: true, force: true });
}
