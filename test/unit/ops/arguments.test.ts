import { expect, test } from 'vitest';
import { parseArguments } from '../../../ops/arguments.ts';
import { UsageError } from '../../../ops/errors.ts';
import { nearest } from '../../../ops/nearest.ts';

const options = {
  format: { kind: 'text', placeholder: 'table|csv', choices: ['table', 'csv'], default: 'table', help: '' },
  property: { kind: 'text', placeholder: 'NAME=COLUMN', multiple: true, help: '' },
  name: { kind: 'text', placeholder: 'NAME', help: '' },
  limit: { kind: 'count', placeholder: 'N', help: '' },
  'dry-run': { kind: 'flag', help: '' },
} as const;

test('values come typed, with their defaults, wherever they stand', () => {
  const { values, positionals } = parseArguments(
    ['--limit', '5', 'file.csv', '--property=a=b', '--property', 'c', '--dry-run'],
    options,
  );
  expect(positionals).toEqual(['file.csv']);
  expect(values).toMatchObject({ limit: 5, property: ['a=b', 'c'], 'dry-run': true, format: 'table', port: 3000 });
  expect(values.name).toBeUndefined();
});

test('what follows -- is no option', () => {
  expect(parseArguments(['--', '--limit'], options).positionals).toEqual(['--limit']);
});

test('a value may begin with a dash', () => {
  expect(parseArguments(['--name', '-', '--limit=3'], options).values).toMatchObject({ name: '-', limit: 3 });
});

test.each([
  [['--limti', '5'], 'There is no option --limti. Did you mean "--limit"?'],
  [['--toString'], 'There is no option --toString.'],
  [['-x'], 'There is no option -x.'],
  [['--limit'], '--limit needs a value: --limit N.'],
  [['--name', '--limit', '5'], '--name needs a value: --name NAME.'],
  [['--limit', '5.5'], '--limit is a whole number, not "5.5".'],
  [['--limit=-1'], '--limit is a whole number, not "-1".'],
  [['--name', 'a', '--name', 'b'], '--name is given twice.'],
  [['--dry-run=yes'], '--dry-run takes no value.'],
  [['--format', 'xml'], '--format is one of table, csv, not "xml".'],
])('%j is refused in a sentence', (args, sentence) => {
  expect(() => parseArguments(args, options)).toThrow(new UsageError(sentence));
});

test.each([
  ['sqll', 'sql'],
  ['SQL', 'sql'],
  ['import', 'import-csv'],
  ['imprt-csv', 'import-csv'],
  ['x', undefined],
  ['deploy', undefined],
])('the nearest command to %s is %s', (typed, name) => {
  expect(nearest(typed, ['sql', 'import-csv'])).toBe(name);
});
