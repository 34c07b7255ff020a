import { expect, test } from 'vitest';
import { createDeviceReader } from '../../../src/lib/clickstream/device.ts';
import { chrome, googlebot } from './request.ts';

const phone =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1';

test.each([
  [chrome, { browser: 'Chrome', os: 'Windows', device_type: 'desktop', is_bot: false, bot_reason: undefined }],
  [phone, { browser: 'Safari', os: 'iOS', device_type: 'mobile', is_bot: false }],
  [googlebot, { device_type: 'bot', is_bot: true, bot_reason: 'user agent: Googlebot' }],
  [chrome.replace('Chrome', 'HeadlessChrome'), { is_bot: true, bot_reason: 'user agent: Headless' }],
  ['', { browser: undefined, is_bot: false }],
  [undefined, { browser: undefined, is_bot: false }],
])('%s', (userAgent, device) => {
  expect(createDeviceReader()(userAgent)).toMatchObject(device);
});

test('a user agent is read up to 512 characters', () => {
  expect(createDeviceReader()(chrome.padEnd(512) + googlebot)).toMatchObject({ browser: 'Chrome', is_bot: false });
});

test('one that is cut within an emoji leaves no half of it', () => {
  expect(createDeviceReader()(`${'x'.repeat(511)}😀`).bot_reason?.isWellFormed()).toBe(true);
});

test('what was read lately is remembered, what was not is forgotten', () => {
  const deviceOf = createDeviceReader();
  const first = deviceOf(chrome);
  deviceOf(phone);
  expect(deviceOf(chrome)).toBe(first);
  for (let version = 0; version < 1000; version++) deviceOf(`${phone} App/${version}`);
  expect(deviceOf(chrome)).not.toBe(first);
  expect(deviceOf(chrome)).toEqual(first);
});
