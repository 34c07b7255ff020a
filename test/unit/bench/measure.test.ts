import { describe, expect, test } from 'vitest';
import { figureOf, interleave, quantile, speedOf, timesOf } from '../../../bench/measure.ts';

describe('a quantile', () => {
  test.each([
    [[7], 0.99, 7],
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[0, 10], 0.9, 9],
    [[10, 9, 100], 1, 100],
  ])('of %j at %f is %f', (values, share, wanted) => {
    expect(quantile(values, share)).toBeCloseTo(wanted);
  });

  test('of nothing is refused', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });
});

test('a figure is the median, with the distance from p10 to p90 in shares of it', () => {
  const { median, spread } = figureOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(median).toBe(5);
  expect(spread).toBeCloseTo(8 / 5);
});

test('rounds are compared each by itself, so that a machine that slows down changes nothing', () => {
  const rounds = [
    { oursMs: 2, peerMs: 1 },
    { oursMs: 20, peerMs: 10 },
    { oursMs: 200, peerMs: 100 },
  ];
  expect(speedOf(rounds)).toEqual({ median: 0.5, spread: 0 });
  expect(timesOf(rounds)).toEqual({ median: 2, spread: 0 });
});

test('variants take turns at going first, and asynchronous work is waited for', async () => {
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await Promise.resolve();
    order.push(`${name} ends`);
  };
  const rounds = await interleave(work('ours'), work('peer'), 2);
  const firsts = ['ours begins', 'ours ends', 'peer begins', 'peer ends'];
  expect(order).toEqual([...firsts, ...firsts.slice(2), ...firsts.slice(0, 2)]);
  expect(rounds).toHaveLength(2);
});
