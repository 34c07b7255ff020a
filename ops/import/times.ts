import { UsageError } from '../errors.ts';

export const dateOrders = ['ymd', 'dmy', 'mdy'] as const;
export type DateOrder = (typeof dateOrders)[number];

/** Epoch milliseconds of a written time; undefined where it is none. */
export type TimeReader = (text: string) => number | undefined;

const separator = '[-/.]';
const datePatterns: Record<DateOrder, string> = {
  ymd: `(?<year>\\d{4})${separator}(?<month>\\d{1,2})${separator}(?<day>\\d{1,2})`,
  dmy: `(?<day>\\d{1,2})${separator}(?<month>\\d{1,2})${separator}(?<year>\\d{4})`,
  mdy: `(?<month>\\d{1,2})${separator}(?<day>\\d{1,2})${separator}(?<year>\\d{4})`,
};
const clockPattern =
  '(?<hour>\\d{1,2}):(?<minute>\\d{2})(?::(?<second>\\d{2})(?:[.,](?<fraction>\\d{1,9}))?)?(?:\\s?(?<half>[AaPp])[Mm])?';
const zonePattern = '(?<zone>Z|UTC|GMT|[+-]\\d{2}:?\\d{2})';

/**
 * Reads ISO 8601 and its relaxed forms (`1999-06-24 10:06:37`, a date alone, `4:05 PM`), dates of another order, and
 * seconds, milliseconds or microseconds since 1970. A time that says its own zone keeps it; any other is in `timeZone`
 * (IANA). Throws UsageError for a zone that does not exist.
 */
export function createTimeReader(timeZone: string, dateOrder: DateOrder): TimeReader {
  const offsetAt = createOffsetReader(timeZone);
  const pattern = new RegExp(`^${datePatterns[dateOrder]}(?:[T ]\\s*${clockPattern}\\s*${zonePattern}?)?$`, 'i');
  return text => {
    const trimmed = text.trim();
    const groups = pattern.exec(trimmed)?.groups;
    if (!groups) return epochTime(trimmed);
    const wallTime = wallTimeOf(groups);
    if (wallTime === undefined) return undefined;
    return groups.zone === undefined ? toInstant(wallTime, offsetAt) : wallTime - zoneOffsetMs(groups.zone);
  };
}

/** 9 or 10 digits are seconds (1973 to 2286), three more milliseconds, three more microseconds. */
function epochTime(text: string): number | undefined {
  if (/^\d{9,10}(\.\d{1,9})?$/.test(text)) return Math.round(Number(text) * 1000);
  if (/^\d{12,13}$/.test(text)) return Number(text);
  if (/^\d{15,16}$/.test(text)) return Math.floor(Number(text) / 1000);
  return undefined;
}

/** What the clock on the wall showed, as if it were UTC; undefined for 31 February or 25:00. */
function wallTimeOf(groups: Record<string, string | undefined>): number | undefined {
  const part = (name: string) => Number(groups[name] ?? 0);
  const [year, month, day] = [part('year'), part('month'), part('day')];
  const hour = groups.half === undefined ? part('hour') : fullHour(part('hour'), groups.half.toLowerCase() === 'p');
  const milliseconds = Number((groups.fraction ?? '').padEnd(3, '0').slice(0, 3));
  const date = new Date(Date.UTC(year, month - 1, day));
  const isOnCalendar = date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const isOnClock = hour <= 23 && part('minute') <= 59 && part('second') <= 59;
  if (!isOnCalendar || !isOnClock) return undefined;
  return date.getTime() + ((hour * 60 + part('minute')) * 60 + part('second')) * 1000 + milliseconds;
}

/** 12 AM is midnight; an hour that no 12-hour clock shows answers one that no clock does. */
function fullHour(hour: number, isAfternoon: boolean): number {
  if (hour < 1 || hour > 12) return 24;
  return (hour % 12) + (isAfternoon ? 12 : 0);
}

function zoneOffsetMs(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** How far the zone's clocks are ahead of UTC at an instant, in milliseconds. */
type OffsetReader = (instant: number) => number;

function createOffsetReader(timeZone: string): OffsetReader {
  if (timeZone === 'UTC') return () => 0;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  } catch (error) {
    throw new UsageError(`There is no time zone "${timeZone}". It is named as in Europe/Paris.`, { cause: error });
  }
  return instant => {
    // `GMT`, `GMT+05:30`, and `GMT-00:01:15` before zones were whole minutes
    const [, sign, hours, minutes, seconds = 0] =
      /GMT([+-])(\d\d):(\d\d)(?::(\d\d))?/.exec(format.format(instant)) ?? [];
    if (sign === undefined) return 0;
    return (sign === '-' ? -1 : 1) * ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  };
}

/**
 * The instant at which a zone's clocks showed a wall time. An hour shown twice, in autumn, is the earlier; one never
 * shown, in spring, is as far past the gap as it was into it: Temporal's rule `compatible`.
 */
function toInstant(wallTime: number, offsetAt: OffsetReader): number {
  const dayMs = 86_400_000;
  const before = offsetAt(wallTime - dayMs);
  const after = offsetAt(wallTime + dayMs);
  // Of a change within the day, the offset before it gives the earlier of two instants, and the rule's answer in a gap.
  const isStillBefore = before === after || offsetAt(wallTime - before) === before;
  if (isStillBefore) return wallTime - before;
  return offsetAt(wallTime - after) === after ? wallTime - after : wallTime - before;
}
