import { dayLiteral, textLiteral, timestampLiteral } from '../sql/literal.ts';
import type { ResultRow } from '../sql/result.ts';
import type { Window } from './window.ts';

/** What the lake holds of a window, over distinct `ingest_id`. */
export interface Kept {
  /** In `events` alone. */
  readonly stored: number;
  /** In both tables: failed at first, then stored by a replay. */
  readonly replayed: number;
  /** In `failed_events` alone. */
  readonly failed: number;
  /** Rows of `events` beyond the first of each `event_id`. */
  readonly duplicates: number;
}

/** Answers one row: stored, replayed, failed, rows of events, distinct event ids. */
export function keptSql(window: Window): string {
  const places = `select ingest_id, sum(is_stored) as stored_rows, sum(1 - is_stored) as failed_rows from (
  select ingest_id, 1 as is_stored from events where ${receivedIn(window)}
  union all select ingest_id, 0 as is_stored from failed_events where ${receivedIn(window)}
) group by ingest_id`;
  return `select
  count_if(stored_rows > 0 and failed_rows = 0),
  count_if(stored_rows > 0 and failed_rows > 0),
  count_if(stored_rows = 0),
  coalesce(sum(stored_rows), 0),
  (select count(distinct event_id) from events where ${receivedIn(window)})
from (${places})`;
}

/** A replay may come any day after, so the partitions are open to the right. */
function receivedIn({ fromMs, toMs }: Window): string {
  const [from, to] = [timestampLiteral(fromMs), timestampLiteral(toMs)];
  return `day >= ${dayLiteral(fromMs)} and received_at >= ${from} and received_at < ${to}`;
}

export function keptOf(row: ResultRow): Kept {
  const [stored = 0, replayed = 0, failed = 0, rows = 0, distinctEvents = 0] = row.map(Number);
  return { stored, replayed, failed, duplicates: rows - distinctEvents };
}

/** Which of these events the lake holds all the same. */
export function amongSql(ingestIds: readonly string[], { fromMs }: Window): string {
  const where = `day >= ${dayLiteral(fromMs)} and ingest_id in (${ingestIds.map(textLiteral).join(', ')})`;
  return `select ingest_id from events where ${where} union select ingest_id from failed_events where ${where}`;
}
