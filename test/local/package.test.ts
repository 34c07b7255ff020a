import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { packageApp } from '../../local/package.ts';

const serverlessYml = `
service: broken
provider: { name: aws, runtime: nodejs24.x }
plugins: [serverless-esbuild]
functions: { hello: { handler: src/hello.handler } }
`;

let projectDir: string;
beforeEach(async () => {
  projectDir = await mkdtemp(join(tmpdir(), 'tableside-'));
  await symlink(join(import.meta.dirname, '../../node_modules'), join(projectDir, 'node_modules'));
  await mkdir(join(projectDir, 'src'));
  await writeFile(join(projectDir, 'serverless.yml'), serverlessYml);
  await writeFile(join(projectDir, 'package.json'), '{"name":"broken","version":"1.0.0"}');
});
afterEach(() => rm(projectDir, { recursive: true, force: true }));

it('says at once where the source does not compile', async () => {
  await writeFile(join(projectDir, 'src/hello.ts'), 'export const handler = = 1;\n');
  const packaging = packageApp({ projectDir, stage: 'local', log: () => {} });
  await expect(packaging).rejects.toThrow(/src\/hello\.ts:1:23: ERROR: Unexpected "="/);
});
