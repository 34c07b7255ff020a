import { join } from 'node:path';
import { packageApp } from '../local/package.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** What `sls package --stage local` made of this tree. */
    readonly packageDir: string;
  }
}

interface Project {
  readonly provide: (key: 'packageDir', value: string) => void;
}

/** Vitest's global set-up: packages the app once (or finds its package), for every test of a project. */
export async function setup(project: Project): Promise<void> {
  const projectDir = join(import.meta.dirname, '..');
  project.provide('packageDir', await packageApp({ projectDir, stage: 'local', log: () => {} }));
}
