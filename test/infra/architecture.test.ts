import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const projectDir = join(import.meta.dirname, '../..');

function sources(pattern: string): string[] {
  return globSync(pattern, { cwd: projectDir }).sort();
}

function text(path: string): string {
  return readFileSync(join(projectDir, path), 'utf8');
}

/** Modules a file imports, relative ones as paths from the project's root. */
function importsOf(path: string): string[] {
  const specifiers = [...text(path).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '');
  return specifiers.map(name =>
    name.startsWith('.') ? relative(projectDir, join(projectDir, dirname(path), name)) : name,
  );
}

function typeOnlyImport(path: string, specifierEnd: string): boolean {
  const statements = [...text(path).matchAll(/import\s+(type\s)?[^;]*?from\s*'([^']+)'/g)];
  const found = statements.filter(match => match[2]?.endsWith(specifierEnd));
  return (
    found.length > 0 && found.every(match => match[1] !== undefined || /^import\s*\{\s*type\s[^,]*\}/.test(match[0]))
  );
}

const flows = ['clickstream', 'orders', 'videos', 'analytics'];

/** The room a file lives in, by its path. */
function roomOf(path: string): string {
  const [top = '', second = '', third = ''] = path.split('/');
  if (top === 'src' && second === 'handlers') return 'handlers';
  if (top === 'src' && second === 'lib') return `lib/${third}`;
  return top;
}

/** Which rooms of the house each room may import from; packages and Node's own modules are ruled below. */
function mayImport(from: string, to: string, path: string, target: string): boolean {
  if (from === to) return true;
  const flow = flows.find(name => from === `lib/${name}`);
  if (flow !== undefined) return false;
  if (from === 'handlers') return to.startsWith('lib/');
  if (from === 'lib/aws') {
    if (flows.some(name => to === `lib/${name}`)) return typeOnlyImport(path, target.split('/').at(-1) ?? '');
    return to === 'lib/runtime';
  }
  if (from === 'lib/http') return to === 'lib/runtime';
  if (from === 'ops') return to.startsWith('lib/');
  return from === 'bench' || from === 'test' || from === 'infra';
}

describe('dependencies point one way', () => {
  const files = sources('{src,local,ops,web,bench}/**/*.ts');

  it('finds the files it is about', () => {
    expect(files.length).toBeGreaterThan(20);
  });

  it.each(files)('%s imports only from rooms it may', path => {
    const wrong = importsOf(path)
      .filter(target => target.includes('/') && /^(src|local|ops|web|bench|test|infra)\//.test(target))
      .filter(target => !mayImport(roomOf(path), roomOf(target), path, target));
    expect(wrong).toEqual([]);
  });

  it.each(sources('src/**/*.ts').filter(path => !path.startsWith('src/lib/aws/')))(
    '%s leaves the SDK to lib/aws',
    path => {
      expect(importsOf(path).filter(name => /^@(aws-sdk|smithy)\//.test(name))).toEqual([]);
    },
  );

  it.each(sources(`src/lib/{${flows.join(',')}}/**/*.ts`))(
    '%s knows no clock, chance, environment or network',
    path => {
      expect(text(path)).not.toMatch(
        /process\.env|Date\.now\(|new Date\(\)|Math\.random\(|from 'node:(fs|http|https|net)/,
      );
    },
  );

  it('reads the environment in one place', () => {
    const readers = sources('src/**/*.ts').filter(path => text(path).includes('process.env'));
    expect(readers).toEqual(['src/lib/runtime/config.ts']);
  });
});

describe('style', () => {
  const files = sources('{src,local,ops,web,bench,test}/**/*.ts');

  it.each(files)('%s has no default export, no barrel and no class but an error', path => {
    const source = text(path);
    expect(source).not.toMatch(/^export default /m);
    expect(source).not.toMatch(/^export \* from/m);
    expect(source.match(/^(export )?class (?!\w+ extends \w*Error\b).*$/gm) ?? []).toEqual([]);
  });

  it.each(sources('src/handlers/**/*.ts'))('%s is at most 25 lines', path => {
    expect(lineCount(path)).toBeLessThanOrEqual(25);
  });
});

/** docs/adr/0008: the local cloud stays small enough to be read. Whoever raises a number says there what for. */
const budgets: readonly (readonly [pattern: string, maxLines: number])[] = [
  ['local/**/*.ts', 7500],
  ['local/engines/**/*.ts', 1950],
  ['local/services/s3/**/*.ts', 970],
  ['local/services/{athena,glue}/**/*.ts', 570],
  ['local/event-sources/**/*.ts', 520],
  ['local/services/kinesis/**/*.ts', 400],
  ['local/services/firehose/**/*.ts', 250],
  ['local/lambda*.ts', 460],
  ['local/http-api*.ts', 370],
  ['local/template*.ts', 300],
  ['local/gate/**/*.ts', 1000],
];

describe('line budgets', () => {
  it.each(budgets)('%s stays within %i lines', (pattern, maxLines) => {
    const files = sources(pattern);
    expect(files).not.toEqual([]);
    expect(files.reduce((sum, path) => sum + lineCount(path), 0)).toBeLessThanOrEqual(maxLines);
  });

  it.each(sources('{src,local,ops,bench}/**/*.ts'))('%s is at most 350 lines', path => {
    expect(lineCount(path)).toBeLessThanOrEqual(350);
  });
});

function lineCount(path: string): number {
  return text(path).trimEnd().split('\n').length;
}
