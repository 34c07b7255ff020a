import { describe, expect, test } from 'vitest';
import { createCsvFormat } from '../../../ops/sql/csv-format.ts';
import { createJsonFormat } from '../../../ops/sql/json-format.ts';
import type { ResultColumn, ResultFormat, ResultRow } from '../../../ops/sql/result.ts';
import { createTableFormat } from '../../../ops/sql/table-format.ts';

const columns: ResultColumn[] = [
  { name: 'name', type: 'varchar' },
  { name: 'n', type: 'bigint' },
];

function written(format: ResultFormat, columns: ResultColumn[], ...pages: ResultRow[][]): string {
  return pages.map(rows => format.page({ columns, rows })).join('') + format.end();
}

describe('csv', () => {
  test('has one header, and keeps NULL and the empty string apart', () => {
    const text = written(
      createCsvFormat(),
      columns,
      [['soup, hot', '1']],
      [
        [null, null],
        ['', '2'],
      ],
    );
    expect(text).toBe('name,n\r\n"soup, hot",1\r\n,\r\n"",2\r\n');
  });

  test('a statement without a result writes nothing', () => {
    expect(written(createCsvFormat(), [], [])).toBe('');
  });
});

describe('json', () => {
  const jsonOf = (type: string, text: string | null): unknown =>
    JSON.parse(written(createJsonFormat(), [{ name: 'x', type }], [[text]]))[0].x;

  test('is one array over all pages', () => {
    const text = written(createJsonFormat(), columns, [['soup', '1']], [], [['"salad"', '2']]);
    expect(JSON.parse(text)).toEqual([
      { name: 'soup', n: 1 },
      { name: '"salad"', n: 2 },
    ]);
  });

  test('no rows are an empty array', () => {
    expect(written(createJsonFormat(), columns, [])).toBe('[]\n');
  });

  test.each([
    ['integer', '42', 42],
    ['bigint', '9007199254740991', 9007199254740991],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['decimal(10,2)', '12.50', 12.5],
    ['decimal(38,10)', '1234567890123456.7891', '1234567890123456.7891'],
    ['double', '0.1', 0.1],
    ['double', '1.0E22', 1e22],
    ['double', 'NaN', 'NaN'],
    ['double', 'Infinity', 'Infinity'],
    ['boolean', 'true', true],
    ['boolean', 'false', false],
    ['varchar', '42', '42'],
    ['varchar', '', ''],
    ['timestamp', '2026-11-20 10:00:00.000', '2026-11-20 10:00:00.000'],
    ['integer', null, null],
  ])('%s %j becomes %j', (type, text, value) => {
    expect(jsonOf(type, text)).toBe(value);
  });

  test('columns keep their order and are told apart', () => {
    const twins = ['b', '1', 'b', '__proto__'].map(name => ({ name, type: 'varchar' }));
    expect(written(createJsonFormat(), twins, [['w', 'x', 'y', 'z']])).toBe(
      '[\n  {"b":"w","1":"x","b_2":"y","__proto__":"z"}\n]\n',
    );
  });
});

describe('table', () => {
  const piped = { width: undefined, isStyled: false };
  const lines = (text: string) => text.trimEnd().split('\n');

  test('aligns text to the left and numbers to the right', () => {
    const text = written(createTableFormat(piped), columns, [
      ['soup', '1'],
      [null, '24344'],
    ]);
    expect(lines(text)).toEqual(['name      n', '────  ─────', 'soup      1', 'NULL  24344']);
  });

  test('shows the header also where there are no rows, and nothing where there are no columns', () => {
    expect(lines(written(createTableFormat(piped), columns, []))).toEqual(['name  n', '────  ─']);
    expect(written(createTableFormat(piped), [], [])).toBe('');
  });

  test('later pages keep the widths of the first and have no header', () => {
    const text = written(createTableFormat(piped), columns, [['soup', '1']], [['a much longer name', '2']]);
    expect(lines(text).slice(2)).toEqual(['soup  1', 'a much longer name  2']);
  });

  test('fits a terminal by cutting the widest column', () => {
    const format = createTableFormat({ width: 20, isStyled: false });
    const text = written(format, columns, [
      ['a very long name of a page', '4366'],
      ['home', '1944'],
    ]);
    expect(lines(text)).toEqual([
      'name               n',
      '──────────────  ────',
      'a very long n…  4366',
      'home            1944',
    ]);
  });

  test('cuts nothing in a pipe', () => {
    expect(written(createTableFormat(piped), columns, [['x'.repeat(500), '1']])).toContain('x'.repeat(500));
  });

  test('counts the columns that characters take, not their code units', () => {
    const text = written(createTableFormat(piped), columns, [
      ['寿司', '1'],
      ['👩‍🍳', '2'],
      ['café', '3'],
    ]);
    expect(lines(text).slice(2)).toEqual(['寿司  1', '👩‍🍳    2', 'café  3']);
  });

  test('never lets what a stranger sent control the terminal', () => {
    const text = written(createTableFormat(piped), columns, [['\x1b[2J\nrow\x9b\u202etxt', '1']]);
    expect(lines(text)[2]).toBe('\\u001b[2J\\nrow\\u009b\\u202etxt  1');
  });

  test('is bold and dim on a terminal only', () => {
    const text = written(createTableFormat({ width: 80, isStyled: true }), columns, [[null, '1']]);
    expect(lines(text)[0]).toBe('\x1b[1mname\x1b[0m  \x1b[1mn\x1b[0m');
    expect(lines(text)[2]).toBe('\x1b[2mNULL\x1b[0m  1');
  });
});
