import { parse } from 'bowser';
import { isbot, isbotMatch } from 'isbot';
import { maxCachedUserAgents, maxUserAgentLength } from './limits.ts';

/** What a user agent tells, in the contract's columns. */
export interface Device {
  readonly browser: string | undefined;
  readonly os: string | undefined;
  readonly device_type: string | undefined;
  readonly is_bot: boolean;
  readonly bot_reason: string | undefined;
}

const unknownDevice: Device = {
  browser: undefined,
  os: undefined,
  device_type: undefined,
  is_bot: false,
  bot_reason: undefined,
};

/**
 * Reads user agents and remembers the last thousand: a visitor sends the same one with every event, and reading it costs
 * a hundred times what the rest of an event does.
 */
export function createDeviceReader(): (userAgent: string | undefined) => Device {
  const known = new Map<string, Device>();
  let lastUserAgent: string | undefined;
  let lastDevice = unknownDevice;

  return userAgent => {
    if (userAgent === undefined || userAgent === '') return unknownDevice;
    if (userAgent === lastUserAgent) return lastDevice;
    const key = userAgent.slice(0, maxUserAgentLength).toWellFormed();
    const device = known.get(key) ?? readDevice(key);
    // A Map keeps insertion order: deleting and setting again moves the entry to the young end, the first is the oldest.
    known.delete(key);
    known.set(key, device);
    if (known.size > maxCachedUserAgents) known.delete(known.keys().next().value ?? '');
    lastUserAgent = userAgent;
    lastDevice = device;
    return device;
  };
}

function readDevice(userAgent: string): Device {
  const { browser, os, platform } = parse(userAgent);
  const isBot = isbot(userAgent);
  const botName = platform.type === 'bot' ? browser.name : undefined;
  return {
    browser: browser.name || undefined,
    os: os.name || undefined,
    device_type: platform.type || (isBot ? 'bot' : undefined),
    is_bot: isBot,
    bot_reason: isBot ? `user agent: ${botName ?? isbotMatch(userAgent)}` : undefined,
  };
}
