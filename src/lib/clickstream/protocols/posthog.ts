import { idOf, isRecord, type JsonRecord, jsonOf, recordOf, textOf, tryParseJson } from '../json.ts';
import { leftoverOf } from '../leftover.ts';
import {
  type Envelope,
  type EventType,
  inexactId,
  libraryOf,
  malformed,
  type Protocol,
  type Reading,
  type Refusal,
  type Rejection,
  reject,
  type TrackerRequest,
} from './protocol.ts';

// PostHog's capture API: https://posthog.com/docs/api/capture
// Its libraries end their paths with a slash; an HTTP API's routes have none.
const paths = new Set(['/batch', '/e', '/i/v0/e'].flatMap(path => [path, `${path}/`]));

export const posthog: Protocol = {
  name: 'posthog',
  matches: ({ path }) => paths.has(path),
  open,
  read,
  eventIdOf: item => idOf(item.uuid),
};

/** At each path: a batch, an array of events, or one event. The key stands beside them, or in the first. */
function open({ body }: TrackerRequest): Envelope | Refusal {
  const parsed = tryParseJson(body);
  const items = itemsOf(parsed);
  if (!Array.isArray(items))
    return malformed('The body must be JSON: an event, an array of them, or a "batch" of them.');
  const [whole, first] = [recordOf(parsed), recordOf(items[0])];
  const writeKey = keyOf(whole) ?? keyOf(first) ?? keyOf(recordOf(first.properties));
  return { writeKey, sentAt: idOf(whole.sent_at), items };
}

function itemsOf(parsed: unknown): unknown {
  if (!isRecord(parsed)) return parsed;
  return 'batch' in parsed ? parsed.batch : [parsed];
}

const keyOf = ({ api_key, token }: JsonRecord) => textOf(api_key) ?? textOf(token);

/** PostHog has events only: these mean what other protocols have types for. */
const types = new Map<unknown, EventType>([
  ['$pageview', 'page'],
  ['$screen', 'screen'],
  ['$identify', 'identify'],
  ['$set', 'identify'],
  ['$groupidentify', 'group'],
  ['$create_alias', 'alias'],
]);

function read(item: unknown): Reading | Rejection {
  if (!isRecord(item)) return reject('not-an-object', 'An event must be a JSON object.');
  if (item.properties !== undefined && !isRecord(item.properties)) {
    return reject('invalid-object', '"properties" must be a JSON object.');
  }
  const properties = recordOf(item.properties);
  const { $anon_distinct_id, $device_id } = properties;
  const distinct_id = item.distinct_id ?? properties.distinct_id;
  const inexact = inexactId({ uuid: item.uuid, distinct_id, $anon_distinct_id, $device_id });
  if (inexact !== undefined) return inexact;
  const distinctId = idOf(item.distinct_id) ?? idOf(properties.distinct_id);
  if (distinctId === undefined) return reject('missing-identity', 'An event needs a "distinct_id".');
  const type = types.get(item.event) ?? 'track';
  const name = nameOf(type, item.event, properties);
  if (name === undefined && (type === 'track' || type === 'group' || type === 'alias')) {
    return reject('missing-name', 'An event needs an "event", a group its "$group_key", an alias its "alias".');
  }
  return {
    ...identityOf(distinctId, properties),
    ...surroundingsOf(properties),
    ...contentOf(type, item, properties),
    type,
    name,
    // Of any other event this is a property like all.
    page_title: type === 'page' ? textOf(properties.title) : undefined,
    event_id: idOf(item.uuid),
    timestamp: item.timestamp,
  };
}

function nameOf(type: EventType, event: unknown, properties: JsonRecord): string | undefined {
  if (type === 'track') return textOf(event);
  if (type === 'screen') return textOf(properties.$screen_name);
  if (type === 'group') return idOf(properties.$group_key);
  return type === 'alias' ? idOf(properties.alias) : undefined;
}

/** One id stands for the visitor, known or not. */
function identityOf(distinctId: string, properties: JsonRecord): Pick<Reading, 'user_id' | 'anonymous_id'> {
  const { $group_type, $group_key, $is_identified, $process_person_profile } = properties;
  // A server that describes a group without naming a person sends this for one.
  if (distinctId === `$${idOf($group_type)}_${idOf($group_key)}`) return {};
  if ($is_identified === false || $process_person_profile === false) return { anonymous_id: distinctId };
  return { user_id: distinctId, anonymous_id: idOf(properties.$anon_distinct_id) ?? idOf(properties.$device_id) };
}

function surroundingsOf(properties: JsonRecord) {
  const referrer = textOf(properties.$referrer);
  return {
    session_id: idOf(properties.$session_id),
    page_url: textOf(properties.$current_url),
    page_path: textOf(properties.$pathname),
    referrer: referrer === '$direct' ? undefined : referrer,
    utm_source: textOf(properties.utm_source),
    utm_medium: textOf(properties.utm_medium),
    utm_campaign: textOf(properties.utm_campaign),
    utm_term: textOf(properties.utm_term),
    utm_content: textOf(properties.utm_content),
    country: textOf(properties.$geoip_country_code),
    locale: textOf(properties.$browser_language),
    library: libraryOf(properties.$lib, properties.$lib_version),
    userAgent: textOf(properties.$raw_user_agent),
    ip: textOf(properties.$ip),
  };
}

const itemKeys: ReadonlySet<string> = new Set(['event', 'uuid', 'distinct_id', 'timestamp', 'api_key', 'token']);
const propertyKeys: ReadonlySet<string> = new Set([
  ...['distinct_id', 'token', 'utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content', '$ip'],
  ...['$session_id', '$current_url', '$pathname', '$referrer', '$lib', '$lib_version', '$raw_user_agent'],
  ...['$geoip_country_code', '$browser_language', '$anon_distinct_id'],
]);

/**
 * Surroundings and content share one object here: what has no column stays among the properties, under PostHog's names.
 */
function contentOf(type: EventType, { properties: _, ...item }: JsonRecord, all: JsonRecord) {
  const { $set, $set_once, $group_set, ...rest } = all;
  const traits =
    type === 'identify' ? { ...recordOf($set_once), ...recordOf($set ?? item.$set) } : recordOf($group_set);
  const own = type === 'identify' || type === 'group' ? rest : all;
  return {
    traits: own === rest ? jsonOf(traits) : undefined,
    properties: leftoverOf(own, propertyKeys),
    context: leftoverOf(item, itemKeys),
  };
}
