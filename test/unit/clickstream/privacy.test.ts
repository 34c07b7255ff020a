import { expect, test } from 'vitest';
import { rawWithoutAddresses, truncateIp } from '../../../src/lib/clickstream/privacy.ts';

test.each([
  ['203.0.113.77', '203.0.113.0'],
  ['::ffff:203.0.113.77', '203.0.113.0'],
  ['2001:db8:abcd:12:3456::1', '2001:db8:abcd::'],
  ['2001:0db8:0001::', '2001:db8:1::'],
  ['2001:db8::1', '2001:db8:0::'],
  ['::1', '0:0:0::'],
  ['::', '0:0:0::'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
  ['203.0.113.77:443', '203.0.113.0'],
  ['203.0.113.77, 10.0.0.1', '203.0.113.0'],
  ['[2001:db8:abcd:12::1]:443', '2001:db8:abcd::'],
  ['[2001:db8:abcd:12::1]', '2001:db8:abcd::'],
  ['unknown, 203.0.113.77', undefined],
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

test.each([
  ['with a port', '203.0.113.77:443', '{"ip":"203.0.113.0"}'],
  ['a list', '203.0.113.77, 10.0.0.1', '{"ip":"203.0.113.0"}'],
  ['in an array', ['203.0.113.77'], '{}'],
  ['in an object', { v4: '203.0.113.77' }, '{}'],
  ['in other words', 'from 203.0.113.77', '{}'],
])('of an address %s a failed event keeps the network at most, and nothing for who asks', (_, ip, kept) => {
  expect(rawWithoutAddresses({ ip }, false)).toBe(kept);
  expect(rawWithoutAddresses({ context: { $ip: ip } }, true)).toBe('{"context":{}}');
});
