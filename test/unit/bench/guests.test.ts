import { expect, test } from 'vitest';
import { linesOf } from '../../../bench/collect.ts';
import { bodyOf, bodyOfSize, createGuests, createRandom } from '../../../bench/guests.ts';

test('guests do the same in every run, and other guests something else', () => {
  const visits = (seed?: number) => {
    const { visit } = createGuests(seed);
    return Array.from({ length: 20 }, () => bodyOf(visit(5))).join();
  };
  expect(visits()).toBe(visits());
  expect(visits(1)).not.toBe(visits(2));
});

test('no two events have the same id', () => {
  const { visit } = createGuests();
  const ids = Array.from({ length: 500 }, () => visit(10).events.map(event => event.messageId)).flat();
  expect(new Set(ids).size).toBe(5000);
});

test('a batch of events of a size has events of that size', () => {
  const { batch } = JSON.parse(bodyOfSize(472, 3, createRandom(1)));
  expect(batch.map((event: unknown) => JSON.stringify(event).length)).toEqual([472, 472, 472]);
});

test('lines are counted by their ends', () => {
  expect(linesOf(Buffer.from(''))).toBe(0);
  expect(linesOf(Buffer.from('{}\n{}\n'))).toBe(2);
});
