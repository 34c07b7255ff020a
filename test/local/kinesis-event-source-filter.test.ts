import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../local/event-sources/filter.ts';

const event = {
  type: 'page',
  price: 12.5,
  tags: ['new', 'sale'],
  page: { path: '/Menu/soup.html', empty: null },
  bot: false,
};

const matching: [string, unknown][] = [
  ['an exact value', { type: ['track', 'page'] }],
  ['null and booleans', { page: { empty: [null] }, bot: [false] }],
  ['an element of a list', { tags: ['sale'] }],
  ['a prefix', { page: { path: [{ prefix: '/Menu' }] } }],
  ['a suffix', { page: { path: [{ suffix: '.html' }] } }],
  ['equals-ignore-case', { type: [{ 'equals-ignore-case': 'PAGE' }] }],
  ['a wildcard', { page: { path: [{ wildcard: '/*/soup.*' }] } }],
  ['a numeric range', { price: [{ numeric: ['>', 10, '<=', 12.5] }] }],
  ['anything-but a list', { type: [{ 'anything-but': ['track', 'identify'] }] }],
  ['anything-but a prefix', { type: [{ 'anything-but': { prefix: 'tr' } }] }],
  ['exists', { price: [{ exists: true }], missing: [{ exists: false }], no: { such: [{ exists: false }] } }],
  ['$or', { $or: [{ type: ['track'] }, { price: [{ numeric: ['=', 12.5] }] }], bot: [false] }],
  ['the empty pattern', {}],
];
const differing: [string, unknown][] = [
  ['another value', { type: ['track'] }],
  ['a number written as text', { price: ['12.5'] }],
  ['one key of two', { type: ['page'], bot: [true] }],
  ['a missing key', { page: { title: ['Menu'] } }],
  ['a prefix by case', { page: { path: [{ prefix: '/menu' }] } }],
  ['a wildcard’s dot as any letter', { page: { path: [{ wildcard: '*soup?html' }] } }],
  ['a wildcard in part', { type: [{ wildcard: 'pa' }] }],
  ['a number out of range', { price: [{ numeric: ['>', 10, '<', 12.5] }] }],
  ['an excluded value', { type: [{ 'anything-but': 'page' }] }],
  ['anything-but of a missing key', { missing: [{ 'anything-but': 'page' }] }],
  ['exists of a missing key', { missing: [{ exists: true }] }],
  ['$or of none', { $or: [{ type: ['track'] }, { bot: [true] }] }],
  ['a nested pattern on text', { type: { path: ['/'] } }],
];

describe('an event filter', () => {
  it.each(matching)('matches by %s', (_, pattern) => {
    expect(compilePattern(pattern)(event)).toBe(true);
  });

  it.each(differing)('does not match %s', (_, pattern) => {
    expect(compilePattern(pattern)(event)).toBe(false);
  });

  it.each([
    ['an operator it does not know', { type: [{ constructor: 'page' }] }, 'no operator "constructor"'],
    ['a comparison it does not know', { price: [{ numeric: ['!=', 1] }] }, 'not by "!="'],
    ['a value outside a list', { type: 'page' }, 'A filter pattern is a JSON object'],
  ])('refuses %s before any event comes', (_, pattern, message) => {
    expect(() => compilePattern(pattern)).toThrow(message);
  });
});
