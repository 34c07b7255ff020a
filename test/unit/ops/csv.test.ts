import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CsvRecord, csvDelimiters, csvLine, detectDelimiter, parseCsv } from '../../../ops/csv.ts';

async function records(chunks: Iterable<string>, delimiter = ','): Promise<CsvRecord[]> {
  const read: CsvRecord[] = [];
  for await (const record of parseCsv(chunks, delimiter)) read.push(record);
  return read;
}

async function fields(text: string, delimiter = ','): Promise<(readonly string[])[]> {
  return (await records([text], delimiter)).map(record => record.fields);
}

test('what is written is read back, whatever it holds and wherever the chunks are cut', async () => {
  const nasty = fc.oneof(fc.constantFrom('"', '""', '\r', '\n', '\r\n', ',', ';', '\t', '', '\ufeff'), fc.string());
  const cell = fc.array(nasty, { maxLength: 4 }).map(parts => parts.join(''));
  const rows = fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(
      rows,
      fc.constantFrom(...csvDelimiters),
      fc.integer({ min: 1, max: 9 }),
      async (table, by, size) => {
        const text = table.map(row => csvLine(row, by)).join('');
        const chunks = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
        const read = await records(chunks, by);
        expect(read.map(record => record.fields)).toEqual(table);
        expect(read.every(record => record.problem === undefined)).toBe(true);
      },
    ),
  );
});

test('nothing that is called CSV makes the parser throw or lose its place', async () => {
  const noise = fc.string({ unit: fc.constantFrom('"', ',', '\r', '\n', 'a', ' ', 'é') });
  await fc.assert(
    fc.asyncProperty(noise, async text => {
      const whole = await records([text]);
      expect(await records([...text])).toEqual(whole);
      const lines = whole.map(record => record.line);
      expect(lines).toEqual([...lines].sort((a, b) => a - b));
    }),
  );
});

test.each([
  ['LF', 'a,b\nc,d\n'],
  ['CRLF', 'a,b\r\nc,d\r\n'],
  ['CR', 'a,b\rc,d\r'],
  ['no line end after the last record', 'a,b\nc,d'],
  ['blank lines between', '\na,b\n\n\r\nc,d\n\n'],
])('records end with %s', async (_name, text) => {
  expect(await fields(text)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
});

test('an empty field is a field, also the last and the only one', async () => {
  expect(await fields('a,\n,\n""\n')).toEqual([['a', ''], ['', ''], ['']]);
});

test('a quote inside an unquoted field is a character like any other', async () => {
  expect(await fields('5" pipe,b\n')).toEqual([['5" pipe', 'b']]);
});

test('each record knows its line, past quoted line ends', async () => {
  const read = await records(['head,er\r\n"two\r\nlines",x\r\n\r\nlast,y']);
  expect(read.map(record => record.line)).toEqual([1, 2, 5]);
});

test('a record with broken quoting says so, and the next one is read', async () => {
  const read = await records(['"a"b,c\nd,e\n"never closed\n']);
  expect(read).toEqual([
    { fields: ['a', 'c'], line: 1, problem: 'text follows a closing quote' },
    { fields: ['d', 'e'], line: 2 },
    { fields: ['never closed\n'], line: 3, problem: 'a quote is never closed' },
  ]);
});

test('a lost quote does not swallow a large file into memory', async () => {
  const endless = function* () {
    yield 'a,b\n"c,';
    for (;;) yield 'd'.repeat(100_000);
  };
  await expect(records(endless())).rejects.toThrow(/begins on line 2 .* quote missing/);
});

test.each([
  [';', 'a;b;c\n1;2,5;3\n4;5,5;6\n'],
  [',', 'a,b\n"x;y;z",1\n'],
  ['\t', 'a\tb c\n1\t2, 3, 4\n'],
  ['|', 'a|b|c\n1|2|3\n'],
  [',', 'alone\n1\n2\n'],
  [';', 'a;b\n1;2\n3;4;5\n6;7\n'],
])('the delimiter %j is found out from %j', async (delimiter, sample) => {
  expect(await detectDelimiter(sample)).toBe(delimiter);
});

test('NULL and the empty string are written differently', () => {
  expect(csvLine(['a', null, '', 'b c', 'd,e', 'f"g'])).toBe('a,,"",b c,"d,e","f""g"\r\n');
});
