import { UsageError } from '../errors.ts';

/** The time that books are drawn up for, by receipt; `toMs` is outside. */
export interface Window {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** What CloudWatch is asked in steps of: the window begins and ends with one. */
  readonly periodSeconds: number;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/**
 * A day, UTC, or the last 60 minutes, this one included; today where neither is asked. CloudWatch keeps minutes for 15
 * days and hours for 15 months (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html),
 * so a day is asked in hours. Throws UsageError.
 */
export function windowOf(day: string | undefined, isLastHour: boolean, nowMs: number): Window {
  if (isLastHour) {
    if (day !== undefined) throw new UsageError('--day or --last-hour, not both.');
    const toMs = (Math.floor(nowMs / minuteMs) + 1) * minuteMs;
    return { name: 'the last hour', fromMs: toMs - hourMs, toMs, periodSeconds: 60 };
  }
  const name = day ?? new Date(nowMs).toISOString().slice(0, 10);
  const fromMs = /^\d{4}-\d\d-\d\d$/.test(name) ? Date.parse(name) : Number.NaN;
  // Date.parse may take 31 February for 3 March.
  if (Number.isNaN(fromMs) || !new Date(fromMs).toISOString().startsWith(name)) {
    throw new UsageError(`--day takes a day like 2026-11-20, not "${name}".`);
  }
  if (fromMs > nowMs) throw new UsageError(`--day ${name} lies in the future.`);
  return { name: `${name} (UTC)`, fromMs, toMs: fromMs + dayMs, periodSeconds: hourMs / 1000 };
}
