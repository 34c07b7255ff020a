import { UsageError } from './errors.ts';

const unitsMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const isoTime = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;

/** Epoch milliseconds of `--since`: a time ago (`90m`, `24h`, `7d`), or a day or time, UTC unless it says otherwise. */
export function parseSince(text: string, nowMs: number): number {
  const [, amount, unit] = /^(\d{1,6})([mhd])$/.exec(text) ?? [];
  const sinceMs = unit === undefined ? instantOf(text) : nowMs - Number(amount) * (unitsMs[unit] ?? 0);
  if (Number.isNaN(sinceMs)) {
    throw new UsageError(`--since takes a time like 24h, 7d, 2026-11-20 or 2026-11-20T10:00Z, not "${text}".`);
  }
  if (sinceMs > nowMs) throw new UsageError(`--since ${text} lies in the future.`);
  return sinceMs;
}

function instantOf(text: string): number {
  if (!isoTime.test(text)) return Number.NaN;
  const hasZone = text.length === 10 || /(?:Z|[+-]\d\d:\d\d)$/.test(text);
  const parsed = Date.parse(hasZone ? text : `${text}Z`);
  // Date.parse takes 31 February for 3 March.
  const isOnCalendar = new Date(`${text.slice(0, 10)}T00:00:00Z`).toJSON()?.startsWith(text.slice(0, 10));
  return isOnCalendar ? parsed : Number.NaN;
}
