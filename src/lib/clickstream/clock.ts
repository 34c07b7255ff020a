import { earliestEventMs, maxClockSkewMs, maxFutureMs } from './limits.ts';
import type { Rejection } from './protocols/protocol.ts';

const isoDate = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/;

// As milliseconds this is March 1973; as seconds, the year 5138. What is below was meant as seconds.
const smallestMilliseconds = 1e11;

// Snowplow and AWS's tracker write epoch milliseconds in digits. A number, as a sentAt, may have decimals.
const epochDigits = /^\d{12,15}(?:\.\d+)?$/;

/** Epoch milliseconds of an ISO 8601 text (UTC where it names no zone) or of milliseconds, in digits too; else undefined. */
export function parseTime(value: unknown): number | undefined {
  if (typeof value === 'number') return value >= smallestMilliseconds ? Math.trunc(value) : undefined;
  if (typeof value !== 'string') return undefined;
  const milliseconds = parseInstant(value) ?? parseLoosely(value);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

// Date.parse is a tenth of what an event may cost, and the events of a batch come from the same few seconds: the last one
// is remembered, up to the point of `2026-11-20T10:00:00.000Z`, as every JavaScript tracker writes it.
let lastSecond = 'none yet';
let lastSecondMs = 0;

function parseInstant(value: string): number | undefined {
  if (value.length !== 24 || value.charCodeAt(23) !== 90 /* Z */) return undefined;
  const fraction = 100 * digitAt(value, 20) + 10 * digitAt(value, 21) + digitAt(value, 22);
  if (value.startsWith(lastSecond)) return lastSecondMs + fraction;
  const milliseconds = Date.parse(value);
  if (value.charCodeAt(10) !== 84 /* T */ || milliseconds % 1000 !== fraction || !isDay(value)) return undefined;
  lastSecond = value.slice(0, 20);
  lastSecondMs = milliseconds - fraction;
  return milliseconds;
}

/** Whether the calendar has the day that an ISO date begins with: Date.parse takes 31 February for 3 March. */
function isDay(date: string): boolean {
  const dayOfMonth = 10 * digitAt(date, 8) + digitAt(date, 9);
  return dayOfMonth <= 28 || new Date(date.slice(0, 10)).getUTCDate() === dayOfMonth;
}

function digitAt(text: string, position: number): number {
  const digit = text.charCodeAt(position) - 48;
  return digit >= 0 && digit <= 9 ? digit : Number.NaN;
}

function parseLoosely(value: string): number {
  const match = isoDate.exec(value);
  if (match === null) return epochDigits.test(value) ? Math.trunc(Number(value)) : Number.NaN;
  if (!isDay(value)) return Number.NaN;
  // Date.parse takes a time without a zone for the machine's own, which differs between Lambda and a laptop.
  return Date.parse(match[1] === undefined && value.length > 10 ? `${value}Z` : value);
}

/** How wrong the sender's clock is, as far as that matters: what must be added to its times. */
export function clockSkewMs(receivedAtMs: number, sentAt: unknown): number {
  const sentAtMs = parseTime(sentAt);
  if (sentAtMs === undefined) return 0;
  const skewMs = receivedAtMs - sentAtMs;
  return Math.abs(skewMs) > maxClockSkewMs ? skewMs : 0;
}

/** When the event occurred, in epoch milliseconds by our clock. */
export function occurredAt(timestamp: unknown, skewMs: number, receivedAtMs: number): number | Rejection {
  if (timestamp === undefined || timestamp === null) return receivedAtMs;
  const clientMs = parseTime(timestamp);
  if (clientMs === undefined) {
    return {
      code: 'invalid-timestamp',
      reason: 'The time of an event must be an ISO 8601 date, like 2026-11-20T10:00:00.000Z, or epoch milliseconds.',
    };
  }
  const occurredMs = clientMs + skewMs;
  if (occurredMs < earliestEventMs || occurredMs > receivedAtMs + maxFutureMs) {
    return { code: 'absurd-timestamp', reason: 'The time of an event must lie between 1970 and a day from now.' };
  }
  return occurredMs;
}
