import { isRecord, type JsonRecord, parseJson, textOf } from '../json.ts';
import { leftoverOf } from '../leftover.ts';
import {
  type Envelope,
  type EventType,
  eventTypes,
  type Protocol,
  type Reading,
  type Refusal,
  type Rejection,
  type TrackerRequest,
} from './protocol.ts';

// Segment's HTTP API: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
// The one-letter names are those of its browser library.
const routeTypes = new Map<string, EventType>(
  eventTypes.flatMap(type => [
    [type, type],
    [type.charAt(0), type],
  ]),
);
const batchRoutes = new Set(['batch', 'b']);
const knownTypes: ReadonlySet<unknown> = new Set(eventTypes);

export const segment: Protocol = {
  name: 'segment',
  matches: path => routeTypes.has(routeOf(path)) || batchRoutes.has(routeOf(path)),
  open,
  read,
};

function routeOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function open(request: TrackerRequest): Envelope | Refusal {
  const body = parseBody(request.body);
  if (body === undefined) return malformed('The body is not valid JSON.');
  if (!isRecord(body)) return malformed('The body must be a JSON object.');
  const envelope = { writeKey: textOf(body.writeKey) ?? textOf(body.api_key), sentAt: textOf(body.sentAt) };
  const type = routeTypes.get(routeOf(request.path));
  if (type !== undefined) return { ...envelope, type, items: [body] };
  if (!Array.isArray(body.batch)) return malformed('The body must have a "batch": an array of events.');
  const shared = body.context;
  const items: readonly unknown[] = body.batch;
  return { ...envelope, items: isRecord(shared) ? items.map(item => withContext(item, shared)) : items };
}

function parseBody(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

const malformed = (detail: string): Refusal => ({ refused: 'malformed', detail });

/** A batch's own context holds for each of its events, unless the event says otherwise. */
function withContext(item: unknown, shared: JsonRecord): unknown {
  if (!isRecord(item)) return item;
  return { ...item, context: isRecord(item.context) ? { ...shared, ...item.context } : shared };
}

function read(item: unknown, envelope: Envelope): Reading | Rejection {
  if (!isRecord(item)) return reject('not-an-object', 'An event must be a JSON object.');
  const type = envelope.type ?? item.type;
  if (!isEventType(type)) return reject('unknown-type', `"type" must be one of ${eventTypes.join(', ')}.`);
  const problem = shapeProblem(item);
  if (problem !== undefined) return problem;
  const reading = readingOf(type, item);
  return missing(reading) ?? reading;
}

const isEventType = (type: unknown): type is EventType => knownTypes.has(type);

const reject = (code: string, reason: string): Rejection => ({ code, reason });

/** A value of the wrong type. Written out field by field: a loop over names takes twice as long, for every event. */
function shapeProblem(item: JsonRecord): Rejection | undefined {
  if (!isId(item.messageId)) return wrongId('messageId');
  if (!isId(item.userId)) return wrongId('userId');
  if (!isId(item.anonymousId)) return wrongId('anonymousId');
  if (!isId(item.groupId)) return wrongId('groupId');
  if (!isId(item.previousId)) return wrongId('previousId');
  if (!isId(item.event)) return wrongId('event');
  if (!isId(item.name)) return wrongId('name');
  if (!isOptionalRecord(item.properties)) return wrongObject('properties');
  if (!isOptionalRecord(item.traits)) return wrongObject('traits');
  if (!isOptionalRecord(item.context)) return wrongObject('context');
  return undefined;
}

const wrongId = (key: string) => reject('invalid-id', `"${key}" must be a string or a number.`);
const wrongObject = (key: string) => reject('invalid-object', `"${key}" must be a JSON object.`);
const isOptionalRecord = (value: unknown) => value === undefined || value === null || isRecord(value);

// Shops number their guests and dishes: a number is taken for its text.
const isId = (value: unknown) =>
  typeof value === 'string' || value === undefined || value === null || typeof value === 'number';

function idOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : textOf(value);
}

/** What an event cannot do without. */
function missing(reading: Reading): Rejection | undefined {
  if (reading.user_id === undefined && reading.anonymous_id === undefined) {
    return reject('missing-identity', 'An event needs a "userId" or an "anonymousId".');
  }
  if (reading.name !== undefined) return undefined;
  const { type } = reading;
  if (type !== 'track' && type !== 'group' && type !== 'alias') return undefined;
  return reject('missing-name', `A ${type} event needs "${nameKeys[type]}", a string that is not empty.`);
}

const none: JsonRecord = {};
const recordOf = (value: unknown): JsonRecord => (isRecord(value) ? value : none);

// `search` is part of the url. `ip` and `userAgent` become columns, coarser ones.
const pageKeys: ReadonlySet<string> = new Set(['url', 'path', 'title', 'referrer', 'search']);
const campaignKeys: ReadonlySet<string> = new Set(['source', 'medium', 'name', 'term', 'content']);
const libraryKeys: ReadonlySet<string> = new Set(['name', 'version']);
const contextKeys: ReadonlySet<string> = new Set([
  'ip',
  'userAgent',
  'locale',
  'sessionId',
  'page',
  'campaign',
  'library',
]);
const nestedKeys = { page: pageKeys, campaign: campaignKeys, library: libraryKeys };

function readingOf(type: EventType, item: JsonRecord): Reading {
  const context = recordOf(item.context);
  const page = recordOf(context.page);
  const campaign = recordOf(context.campaign);
  // Server libraries know no page of their own: a page event then tells it by its properties.
  const stated = type === 'page' ? recordOf(item.properties) : none;
  const url = textOf(page.url) ?? textOf(stated.url);
  return {
    type,
    event_id: idOf(item.messageId),
    name: idOf(item[nameKeys[type]]),
    timestamp: item.timestamp ?? item.originalTimestamp,
    anonymous_id: idOf(item.anonymousId),
    user_id: idOf(item.userId),
    session_id: idOf(context.sessionId),
    page_url: url,
    page_path: textOf(page.path) ?? textOf(stated.path),
    page_title: textOf(page.title) ?? textOf(stated.title),
    referrer: textOf(page.referrer) ?? textOf(stated.referrer),
    utm_source: textOf(campaign.source),
    utm_medium: textOf(campaign.medium),
    utm_campaign: textOf(campaign.name),
    utm_term: textOf(campaign.term),
    utm_content: textOf(campaign.content),
    country: textOf(recordOf(context.location).country),
    locale: textOf(context.locale),
    library: libraryOf(recordOf(context.library)),
    properties: jsonOf(item.properties),
    traits: jsonOf(item.traits),
    context: leftoverOf(context, contextKeys, nestedKeys),
    userAgent: textOf(context.userAgent),
    ip: textOf(context.ip),
  };
}

const nameKeys: Record<EventType, string> = {
  track: 'event',
  page: 'name',
  screen: 'name',
  identify: 'name',
  group: 'groupId',
  alias: 'previousId',
};

function libraryOf(library: JsonRecord): string | undefined {
  const name = textOf(library.name);
  const version = textOf(library.version);
  return name === undefined || version === undefined ? name : `${name} ${version}`;
}

function jsonOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = JSON.stringify(value);
  return text === '{}' ? undefined : text;
}
