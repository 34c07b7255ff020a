import { type FailedEvent, failedEventTable, failedEventViolation } from '../../src/lib/clickstream/failed-event.ts';
import { dayLiteral, textLiteral, timestampLiteral } from '../sql/literal.ts';
import type { ResultPage } from '../sql/result.ts';

/** Which failed events; without a condition, all of them. */
export interface FailedFilter {
  readonly sinceMs: number | undefined;
  readonly codes: readonly string[];
  readonly sources: readonly string[];
}

/**
 * The failed events that are not stored yet, oldest first. A replayed event has the `ingest_id` of its row; one that its
 * tracker sent again, put right, has its message id. Distinct, because Firehose delivers at least once.
 */
export function failedEventsSql(filter: FailedFilter, limit?: number): string {
  const columns = Object.keys(failedEventTable).map(name => `f.${name}`);
  const conditions = [...conditionsOf(filter), notStored('ingest_id', filter), notStored('event_id', filter)];
  return [
    `select distinct ${columns.join(', ')}`,
    'from failed_events f',
    `where ${conditions.join('\n  and ')}`,
    'order by received_at, ingest_id',
    ...(limit === undefined ? [] : [`limit ${limit}`]),
  ].join('\n');
}

/** Which reasons and sources failed events have, stored meanwhile or not. */
export function kindsSql({ sinceMs }: Pick<FailedFilter, 'sinceMs'>): string {
  const conditions = conditionsOf({ sinceMs, codes: [], sources: [] });
  const where = conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
  return `select distinct f.code, f.source from failed_events f${where}`;
}

function notStored(column: 'ingest_id' | 'event_id', { sinceMs }: FailedFilter): string {
  const days = sinceMs === undefined ? '' : `${deliveredSince('e', sinceMs)} and `;
  return `not exists (select 1 from events e where ${days}e.${column} = f.${column})`;
}

function conditionsOf({ sinceMs, codes, sources }: FailedFilter): string[] {
  return [
    ...(sinceMs === undefined ? [] : [deliveredSince('f', sinceMs), `f.received_at >= ${timestampLiteral(sinceMs)}`]),
    ...anyOf('code', codes),
    ...anyOf('source', sources),
  ];
}

/** Delivery comes after receipt: nothing received since then is in the partition of an earlier day. */
const deliveredSince = (table: string, sinceMs: number): string => `${table}.day >= ${dayLiteral(sinceMs)}`;

const anyOf = (column: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [`f.${column} in (${values.map(textLiteral).join(', ')})`];

/** One row as Athena answers it, all text, back to what collect wrote; else what is wrong with it. */
export type FailedRow = { readonly row: FailedEvent } | { readonly violation: string };

/** Rows of a page of failedEventsSql's answer. */
export function failedRowsOf({ columns, rows }: ResultPage): FailedRow[] {
  return rows.map(cells => {
    const entries = columns.flatMap(({ name }, index) => {
      const cell = cells[index];
      return cell === null || cell === undefined ? [] : [[name, typed(name, cell)] as const];
    });
    const row: unknown = Object.fromEntries(entries);
    const violation = failedEventViolation(row);
    return violation === undefined ? { row: row as FailedEvent } : { violation };
  });
}

const typeOf: ReadonlyMap<string, string> = new Map(
  Object.entries(failedEventTable).map(([name, { type }]) => [name, type]),
);

function typed(name: string, cell: string): unknown {
  const type = typeOf.get(name);
  if (type === 'int') return Number(cell);
  return type === 'boolean' ? cell === 'true' : cell;
}
