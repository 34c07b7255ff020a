import { isRecord, type JsonRecord, tryParseJson } from '../../src/lib/clickstream/json.ts';
import { textLiteral } from '../sql/literal.ts';

/** Somebody to forget: a known visitor, and what they were called before they were known. */
export interface Person {
  readonly userId: string;
  /** Ids that came together with the user id, in one event or in an alias. */
  readonly anonymousIds: readonly string[];
}

/** The anonymous ids that events link to a user id. */
export const linkedIdsSql = (userId: string): string =>
  [
    `select anonymous_id from events where user_id = ${textLiteral(userId)} and anonymous_id is not null`,
    `select name from events where user_id = ${textLiteral(userId)} and type = 'alias' and name is not null`,
  ].join(' union ');

/**
 * The condition, in Athena's SQL as in DuckDB's, for a person's rows of `events`. On a device that several share, what
 * another known visitor did is theirs; what nobody known did goes with whoever is forgotten.
 */
export function theirRowsSql({ userId, anonymousIds }: Person): string {
  const known = `user_id = ${textLiteral(userId)}`;
  if (anonymousIds.length === 0) return `(${known})`;
  return `(${known} or (user_id is null and anonymous_id in (${anonymousIds.map(textLiteral).join(', ')})))`;
}

/** Days whose failed events mention one of the ids; `mentions` decides. */
export function failedDaysSql(person: Person): string {
  const conditions = idsOf(person).map(id => `strpos(raw, ${textLiteral(JSON.stringify(id).slice(1, -1))}) > 0`);
  return `select distinct day from failed_events where ${conditions.join(' or ')}`;
}

const idsOf = ({ userId, anonymousIds }: Person): string[] => [userId, ...anonymousIds];

// What the protocols in src/lib/clickstream/protocols call a visitor, and the lake.
const identityKeys = new Set([
  ...['userId', 'anonymousId', 'previousId', 'user_id', 'anonymous_id'],
  ...['distinct_id', '$user_id', '$device_id', '$anon_distinct_id', 'alias'],
  ...['uid', 'duid', 'nuid', 'tnuid'],
  // AWS's has the user id in `_user_id.value`.
  ...['unique_id', '_user_id'],
]);

/**
 * Whether a line of JSON (a row of `events` or `failed_events`, in which `raw` is JSON again) calls its visitor by one of
 * a person's ids. Only where an id may stand: guest 42 is not in every event with a price of 42.
 */
export function createMentions(person: Person): (line: string) => boolean {
  const ids: ReadonlySet<unknown> = new Set(idsOf(person));
  const quoted = idsOf(person).map(id => JSON.stringify(id));

  function isTheirs(row: JsonRecord): boolean {
    if (typeof row.user_id === 'string' && row.user_id !== person.userId) return false;
    return mentions(row);
  }

  function mentions(value: unknown): boolean {
    if (Array.isArray(value)) return value.some(mentions);
    if (!isRecord(value)) return false;
    return Object.entries(value).some(([key, inner]) => {
      const id = key === '_user_id' && isRecord(inner) ? inner.value : inner;
      if (identityKeys.has(key) && (typeof id === 'string' || typeof id === 'number')) return ids.has(String(id));
      return mentions(key === 'raw' && typeof inner === 'string' ? tryParseJson(inner) : inner);
    });
  }

  return line => {
    const row = tryParseJson(line);
    // What cannot be read as a row, because its delivery broke, is taken at its word.
    return isRecord(row) ? isTheirs(row) : quoted.some(id => line.includes(id));
  };
}
