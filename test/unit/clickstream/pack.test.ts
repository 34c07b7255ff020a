import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packLines } from '../../../src/lib/clickstream/pack.ts';

const textOf = (records: ReturnType<typeof packLines>) => records.map(({ data }) => Buffer.from(data).toString());

test('what fits is one record', () => {
  expect(textOf(packLines('{"a":1}\n{"b":2}\n', 'key', 16))).toEqual(['{"a":1}\n{"b":2}\n']);
});

test('what does not is cut between lines, counting bytes', () => {
  expect(textOf(packLines('aa\né\nbb\n', 'key', 6))).toEqual(['aa\né\n', 'bb\n']);
  expect(textOf(packLines('aa\né\nbb\n', 'key', 5))).toEqual(['aa\n', 'é\n', 'bb\n']);
});

test('a line that fits no record is one of its own', () => {
  expect(textOf(packLines('a\nlonger\nb\n', 'key', 4))).toEqual(['a\n', 'longer\n', 'b\n']);
});

test('nothing is lost, doubled or put in another order, and no record is larger than it must be', () => {
  const lines = fc.array(
    fc.string({ unit: 'binary' }).map(text => text.replaceAll('\n', '')),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 60 }), (all, maxBytes) => {
      const text = all.map(line => `${line}\n`).join('');
      const records = packLines(text, 'key', maxBytes);
      expect(textOf(records).join('')).toBe(text);
      for (const record of textOf(records)) {
        const isOneLine = record.indexOf('\n') === record.length - 1;
        expect(isOneLine || Buffer.byteLength(record) <= maxBytes).toBe(true);
      }
    }),
  );
});
