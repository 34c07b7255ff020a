import { expect, test } from 'vitest';
import { jsonOf, tableOf } from '../../../bench/report.ts';
import { atLeast, atMost, checkBooks, isMet, type Result } from '../../../bench/row.ts';

const results: Result[] = [
  { id: '1', name: 'speed', median: 0.84999, spread: 0.1234, target: atLeast(0.85) },
  { id: '4', name: 'units', median: 100_000, spread: 0, target: atMost(100_000), unit: 'units' },
];

test('the JSON names ratio, target, whether it is met, and the spread', () => {
  expect(JSON.parse(jsonOf(results))).toEqual([
    { id: '1', name: 'speed', ratio: 0.85, target: '≥ 0.85', met: false, spread: 0.1234 },
    { id: '4', name: 'units', ratio: 100_000, target: '≤ 100,000 units', met: true, spread: 0 },
  ]);
});

test('the table says plainly what is missed and what was counted', () => {
  const [, , first, second] = tableOf(results).split('\n');
  expect(first).toMatch(/^\| 1 +\| speed \| 0\.85 +\| ≥ 0\.85 +\| NO +\| 12\.3 % +\|$/);
  expect(second).toMatch(/^\| 4 +\| units \| 100,000 units \| ≤ 100,000 units \| yes \| counted \|$/);
});

test.each([
  [1, atLeast(1), true],
  [0.999, atLeast(1), false],
  [1, atMost(1), true],
  [1.001, atMost(1), false],
])('%f against %j: %s', (median, target, wanted) => {
  expect(isMet({ median, target })).toBe(wanted);
});

test('a row that lost or doubled events fails', () => {
  expect(() => checkBooks('Row 3', 10, 10)).not.toThrow();
  expect(() => checkBooks('Row 3', 10, 9)).toThrow('Row 3: 10 events went in and 9 came out.');
  expect(() => checkBooks('Row 3', 10, 11)).toThrow('11 came out');
});
