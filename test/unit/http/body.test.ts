import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeBody } from '../../../src/lib/http/body.ts';

const maxBytes = 1000;
const decode = (bytes: Buffer) => decodeBody(bytes.toString('base64'), true, maxBytes);

describe('a body is read', () => {
  test.each([
    ['as text', () => decodeBody('{"é":1}', false, maxBytes)],
    ['from base64', () => decode(Buffer.from('{"é":1}'))],
    ['from gzip', () => decode(gzipSync('{"é":1}'))],
    ['from gzip twice', () => decode(gzipSync(gzipSync('{"é":1}')))],
    ['after a byte order mark', () => decodeBody('\ufeff{"é":1}', false, maxBytes)],
    ['after a byte order mark, from base64', () => decode(Buffer.from('\ufeff{"é":1}'))],
  ])('%s', (_, read) => {
    expect(read()).toBe('{"é":1}');
  });

  test('with what is no UTF-8, and halves of surrogate pairs, replaced', () => {
    expect(decode(Buffer.from([0x61, 0xff]))).toBe('a\ufffd');
    expect(decodeBody('a\ud83d', false, maxBytes)).toBe('a\ufffd');
  });

  test('up to the limit', () => {
    expect(decodeBody('€'.repeat(333), false, maxBytes)).toHaveLength(333);
    expect(decode(gzipSync('x'.repeat(maxBytes)))).toHaveLength(maxBytes);
  });
});

describe('a body is refused', () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));

  test.each([
    [413, 'text beyond the limit', () => decodeBody('€'.repeat(334), false, maxBytes)],
    [413, 'bytes beyond it', () => decode(Buffer.alloc(maxBytes + 1, 'x'))],
    [413, 'a zip bomb', () => decode(bomb)],
    [413, 'a zip bomb in another', () => decodeBody(gzipSync(bomb).toString('base64'), true, bomb.length)],
    [400, 'gzip that breaks off', () => decode(gzipSync('{"a":1}').subarray(0, 15))],
    [400, 'gzip that is none', () => decode(Buffer.from([0x1f, 0x8b, 1, 2, 3]))],
    [415, 'gzip that was read as text', () => decodeBody(gzipSync('{"a":1}').toString('utf8'), false, maxBytes)],
  ])('with %i: %s', (status, _, read) => {
    expect(read).toThrow(expect.objectContaining({ name: 'AppError', status, message: expect.stringMatching(/\.$/) }));
  });
});
