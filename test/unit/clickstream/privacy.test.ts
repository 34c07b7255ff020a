import { expect, test } from 'vitest';
import { truncateIp } from '../../../src/lib/clickstream/privacy.ts';

test.each([
  ['203.0.113.77', '203.0.113.0'],
  ['::ffff:203.0.113.77', '203.0.113.0'],
  ['2001:db8:abcd:12:3456::1', '2001:db8:abcd::'],
  ['2001:0db8:0001::', '2001:db8:1::'],
  ['2001:db8::1', '2001:db8:0::'],
  ['::1', '0:0:0::'],
  ['::', '0:0:0::'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
  ['203.0.113', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['1:2:3:4:5:6:7:8:9', undefined],
  ['1::2::3', undefined],
  ['1:2:3:4::5:6:7:8', undefined],
  ['2001:db8::xyz', undefined],
  ['12345::', undefined],
  ['example.org', undefined],
  ['', undefined],
])('%s is cut to %s', (ip, network) => {
  expect(truncateIp(ip)).toBe(network);
});
