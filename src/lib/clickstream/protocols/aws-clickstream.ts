import { createHash } from 'node:crypto';
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

// https://awslabs.github.io/clickstream-analytics-on-aws/en/latest/sdk-manual/http-api/
export const awsClickstream: Protocol = {
  name: 'aws-clickstream',
  matches: ({ path }) => path === '/collect',
  open,
  read,
  eventIdOf: item => idOf(item.event_id),
};

/** The body is an array of events; the query says whose they are, when they were sent and what they hash to. */
function open({ query, body }: TrackerRequest): Envelope | Refusal {
  const parameters = new URLSearchParams(query);
  const items = tryParseJson(body);
  if (!Array.isArray(items)) return malformed('The body must be a JSON array of events.');
  const hashCode = parameters.get('hashCode');
  if (hashCode !== null && hashCode !== hashOf(body)) {
    return malformed('"hashCode" does not match the body, which was changed on its way: send it again.');
  }
  return {
    writeKey: parameters.get('appId') ?? undefined,
    sentAt: parameters.get('upload_timestamp') ?? undefined,
    items,
  };
}

/** As its libraries do: the first eight digits. */
const hashOf = (body: string) => createHash('sha256').update(body).digest('hex').slice(0, 8);

/** What the library's own events mean; every other is a `track` by its name. */
const types = new Map<unknown, EventType>([
  ['_page_view', 'page'],
  ['_screen_view', 'screen'],
  ['_profile_set', 'identify'],
]);

function read(item: unknown): Reading | Rejection {
  if (!isRecord(item)) return reject('not-an-object', 'An event must be a JSON object.');
  const name = textOf(item.event_type);
  if (name === undefined) return reject('missing-name', 'An event needs an "event_type", a string that is not empty.');
  if (item.attributes !== undefined && !isRecord(item.attributes)) {
    return reject('invalid-object', '"attributes" must be a JSON object.');
  }
  const attributes = recordOf(item.attributes);
  const { _user_id: user, ...others } = recordOf(item.user);
  const { event_id, unique_id } = item;
  const inexact = inexactId({ event_id, unique_id, _user_id: recordOf(user).value });
  if (inexact !== undefined) return inexact;
  const type = types.get(name) ?? 'track';
  return {
    type,
    name: type === 'track' ? name : textOf(attributes._screen_name),
    event_id: idOf(event_id),
    timestamp: item.timestamp,
    anonymous_id: idOf(unique_id),
    user_id: idOf(recordOf(user).value),
    ...pageOf(attributes),
    session_id: idOf(attributes._session_id),
    locale: textOf(item.locale),
    library: libraryOf(item.sdk_name, item.sdk_version),
    properties: leftoverOf({ ...attributes, items: item.items ?? attributes.items }, attributeKeys),
    traits: type === 'identify' ? jsonOf(valuesOf(others)) : undefined,
    context: contextOf(item, type === 'identify' ? {} : others),
  };
}

function pageOf(attributes: JsonRecord) {
  return {
    page_url: textOf(attributes._page_url),
    page_title: textOf(attributes._page_title),
    referrer: textOf(attributes._page_referrer) ?? textOf(attributes._latest_referrer),
    utm_source: textOf(attributes._traffic_source_source),
    utm_medium: textOf(attributes._traffic_source_medium),
    utm_campaign: textOf(attributes._traffic_source_campaign),
    utm_term: textOf(attributes._traffic_source_term),
    utm_content: textOf(attributes._traffic_source_content),
  };
}

const attributeKeys: ReadonlySet<string> = new Set([
  ...['_session_id', '_page_url', '_page_title', '_page_referrer', '_screen_name'],
  ...['source', 'medium', 'campaign', 'term', 'content'].map(name => `_traffic_source_${name}`),
]);

const itemKeys: ReadonlySet<string> = new Set([
  ...['event_type', 'event_id', 'timestamp', 'unique_id', 'app_id', 'locale', 'sdk_name', 'sdk_version'],
]);

/** `country_code` is here too: it is read from the browser's language, and no country that a visitor was in. */
function contextOf({ attributes: _, items: __, ...item }: JsonRecord, user: JsonRecord): string | undefined {
  return leftoverOf({ ...item, user: Object.keys(user).length > 0 ? user : undefined }, itemKeys);
}

/** Each attribute of a user comes with the time it was set: `{"plan":{"value":"pro","set_timestamp":…}}`. */
function valuesOf(user: JsonRecord): JsonRecord {
  const values = Object.entries(user).map(([name, attribute]) => [
    name,
    isRecord(attribute) ? attribute.value : attribute,
  ]);
  return Object.fromEntries(values);
}
