import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly license?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const projectDir = join(import.meta.dirname, '../..');
const read = (name: string) => JSON.parse(readFileSync(join(projectDir, name), 'utf8'));
const locked: Readonly<Record<string, LockedPackage>> = read('package-lock.json').packages;

/** npm leaves out of a lockfile what its registry did not have that day: then `npm ci` lacks it on that platform for ever. */
describe('the lockfile', () => {
  it('holds every platform’s build of each package', () => {
    const names = new Set(Object.keys(locked).map(path => path.split('node_modules/').at(-1)));
    const missing = Object.values(locked)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter(name => !names.has(name));
    expect(missing).toEqual([]);
  });

  it('names no registry but the public one', () => {
    const elsewhere = Object.values(locked).filter(
      ({ resolved }) => resolved !== undefined && !resolved.startsWith('https://registry.npmjs.org/'),
    );
    expect(elsewhere).toEqual([]);
  });

  it('holds nothing under the AGPL', () => {
    const copyleft = Object.entries(locked).filter(([, { license }]) => /AGPL/i.test(license ?? ''));
    expect(copyleft.map(([path]) => path)).toEqual([]);
  });

  it('has exact versions only in package.json', () => {
    const { dependencies, devDependencies, optionalDependencies } = read('package.json');
    const versions = Object.values({ ...dependencies, ...devDependencies, ...optionalDependencies });
    expect(versions.filter(version => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(String(version)))).toEqual([]);
  });
});
