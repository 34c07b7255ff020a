import { idOf, isInexact, isRecord, type JsonRecord, jsonOf, recordOf, textOf, tryParseJson } from '../json.ts';
import { leftoverOf } from '../leftover.ts';
import {
  type Envelope,
  type EventType,
  eventTypes,
  libraryOf,
  malformed,
  type Protocol,
  type Reading,
  type Refusal,
  type Rejection,
  reject,
  type TrackerRequest,
  wrongId,
} from './protocol.ts';

// Segment's HTTP API: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
// The one-letter names are those of its browser library.
const eventPaths = new Map<string, EventType>(
  eventTypes.flatMap(type => [
    [`/v1/${type}`, type],
    [`/v1/${type.charAt(0)}`, type],
  ]),
);
const batchPaths = new Set(['/v1/batch', '/v1/b']);
const knownTypes: ReadonlySet<unknown> = new Set(eventTypes);

export const segment: Protocol = {
  name: 'segment',
  matches: ({ path }) => batchPaths.has(path) || eventPaths.has(path),
  open: request => openAs(eventPaths.get(request.path), request),
  read,
  eventIdOf: item => idOf(item.messageId),
};

/** Opens a body that is one event of the given type; without one, a batch of any. */
export function openAs(type: EventType | undefined, request: TrackerRequest): Envelope | Refusal {
  const body = tryParseJson(request.body);
  if (body === undefined) return malformed('The body is not valid JSON.');
  if (!isRecord(body)) return malformed('The body must be a JSON object.');
  const envelope = { writeKey: textOf(body.writeKey) ?? textOf(body.api_key), sentAt: idOf(body.sentAt) };
  if (type !== undefined) return { ...envelope, type, items: [body] };
  if (!Array.isArray(body.batch)) return malformed('The body must have a "batch": an array of events.');
  return { ...envelope, items: body.batch, sharedContext: isRecord(body.context) ? body.context : undefined };
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

const wrongObject = (key: string) => reject('invalid-object', `"${key}" must be a JSON object.`);
const isOptionalRecord = (value: unknown) => value === undefined || value === null || isRecord(value);

const isId = (value: unknown) =>
  typeof value === 'string' ||
  value === undefined ||
  value === null ||
  (typeof value === 'number' && !isInexact(value));

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
  const library = recordOf(context.library);
  // Server libraries know no page of their own: a page event then tells it by its properties.
  const stated = recordOf(type === 'page' ? item.properties : undefined);
  const url = textOf(page.url) ?? textOf(stated.url);
  return {
    type,
    event_id: idOf(item.messageId),
    name: idOf(item[nameKeys[type]]) ?? textOf(stated.name),
    timestamp: item.timestamp ?? item.originalTimestamp,
    anonymous_id: idOf(item.anonymousId),
    user_id: idOf(item.userId),
    session_id: idOf(context.sessionId),
    page_url: url,
    page_path: textOf(page.path) ?? textOf(stated.path),
    page_title: idOf(page.title) ?? idOf(stated.title),
    referrer: textOf(page.referrer) ?? textOf(stated.referrer),
    utm_source: idOf(campaign.source),
    utm_medium: idOf(campaign.medium),
    utm_campaign: idOf(campaign.name),
    utm_term: idOf(campaign.term),
    utm_content: idOf(campaign.content),
    country: textOf(recordOf(context.location).country),
    locale: textOf(context.locale),
    library: libraryOf(library.name, library.version),
    properties: propertiesOf(item),
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

/** Server libraries state a page's category beside its properties, as browser ones do in them. */
function propertiesOf({ properties, category }: JsonRecord): string | undefined {
  return jsonOf(textOf(category) === undefined ? properties : { category, ...recordOf(properties) });
}
