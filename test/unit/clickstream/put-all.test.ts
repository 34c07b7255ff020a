import { expect, test } from 'vitest';
import { putAll } from '../../../src/lib/clickstream/put-all.ts';
import { fakeClock, fakeSink } from './ports.ts';

const records = ['a', 'b', 'c'].map(text => ({ partitionKey: 'key', data: Buffer.from(text) }));
const [, b] = records;

test('one attempt is enough where nothing is refused', async () => {
  const sink = fakeSink(() => []);
  expect((await putAll(records, sink, fakeClock())).refused).toEqual([]);
  expect(sink.attempts).toEqual([records]);
});

test('nothing is put where there is nothing', async () => {
  const sink = fakeSink(() => []);
  expect(await putAll([], sink, fakeClock())).toEqual({ refused: [] });
  expect(sink.attempts).toEqual([]);
});

test('only the refused records are put again', async () => {
  const sink = fakeSink((_, attempt) => (attempt < 3 && b !== undefined ? [b] : []));
  expect((await putAll(records, sink, fakeClock())).refused).toEqual([]);
  expect(sink.attempts).toEqual([records, [b], [b]]);
});

test('attempts end after six, with what is left and why, and their waits grow', async () => {
  const sink = fakeSink(all => all.slice(0, 1));
  const clock = fakeClock();
  expect(await putAll(records, sink, clock)).toEqual({ refused: records.slice(0, 1), cause: 'attempt 6' });
  expect(clock.sleptMs).toEqual([100, 200, 400, 800, 1000]);
});

test('no attempt starts later than three seconds after the first', async () => {
  const clock = fakeClock();
  const slow = fakeSink(all => {
    clock.sleptMs.push(1500);
    return all;
  });
  expect((await putAll(records, slow, clock)).refused).toEqual(records);
  expect(slow.attempts).toHaveLength(2);
});

test('an error that no retry can mend is thrown at once', async () => {
  const sink = { put: () => Promise.reject(new Error('AccessDenied')) };
  await expect(putAll(records, sink, fakeClock())).rejects.toThrow('AccessDenied');
});
