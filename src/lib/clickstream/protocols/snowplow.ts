import { idOf, isRecord, type JsonRecord, jsonOf, recordOf, textOf, tryParseJson } from '../json.ts';
import { leftoverOf } from '../leftover.ts';
import { maxEventBytes } from '../limits.ts';
import {
  type Envelope,
  inexactId,
  malformed,
  type Protocol,
  type Reading,
  type Refusal,
  type Rejection,
  reject,
  type TrackerRequest,
} from './protocol.ts';
import { fieldsOf, kinds } from './snowplow-fields.ts';

// Snowplow's tracker protocol: https://docs.snowplow.io/docs/events/going-deeper/event-parameters
const postPath = '/com.snowplowanalytics.snowplow/tp2';
const getPath = '/i';

export const snowplow: Protocol = {
  name: 'snowplow',
  matches: ({ path }) => path === postPath || path === getPath,
  open,
  read,
  eventIdOf: item => idOf(item.eid),
};

/** By POST there are several events in the body, by GET there is one in the query. */
function open({ path, query, body }: TrackerRequest): Envelope | Refusal {
  const items = path === getPath ? [Object.fromEntries(new URLSearchParams(query))] : recordOf(tryParseJson(body)).data;
  if (!Array.isArray(items)) return malformed('The body must be a JSON object with "data": an array of events.');
  // A tracker queues and sends by itself: what its first event says of the application and the clock holds for all.
  const first = recordOf(items[0]);
  return { writeKey: idOf(first.aid), sentAt: idOf(first.stm), items };
}

/** What the kind of an event decides. */
interface Told {
  readonly type: Reading['type'];
  readonly name?: string | undefined;
  readonly properties?: string | undefined;
  readonly schema?: unknown;
}

function read(item: unknown): Reading | Rejection {
  if (!isRecord(item)) return reject('not-an-object', 'An event must be an object.');
  const inexact = inexactId({ eid: item.eid, duid: item.duid, uid: item.uid });
  if (inexact !== undefined) return inexact;
  const told = item.e === 'ue' ? selfDescribed(item) : byItsFields(item);
  if ('code' in told) return told;
  const contexts = decoded(item, 'co', 'cx');
  if (contexts === undefined && (item.co ?? item.cx) !== undefined) return unreadable('co', 'cx');
  const { schema, ...columns } = told;
  return {
    ...columns,
    event_id: idOf(item.eid),
    timestamp: textOf(item.ttm) ?? item.dtm,
    anonymous_id: idOf(item.duid),
    user_id: idOf(item.uid),
    session_id: idOf(item.sid),
    page_url: textOf(item.url),
    page_title: textOf(item.page),
    referrer: textOf(item.refr),
    locale: textOf(item.lang),
    library: textOf(item.tv),
    context: leftoverOf({ ...item, schema, contexts: contexts?.data }, knownKeys),
    userAgent: textOf(item.ua),
    ip: textOf(item.ip),
  };
}

/** Columns, the sender's clock, and what is told decoded or as properties. */
const knownKeys: ReadonlySet<string> = new Set([
  ...['e', 'aid', 'eid', 'dtm', 'ttm', 'stm', 'duid', 'uid', 'sid', 'url', 'page', 'refr', 'lang', 'tv', 'ua', 'ip'],
  ...['ue_pr', 'ue_px', 'co', 'cx'],
  ...[...kinds.values()].flatMap(({ fields }) => Object.keys(fields)),
]);

function byItsFields(item: JsonRecord): Told | Rejection {
  const kind = kinds.get(item.e);
  if (kind === undefined) return reject('unknown-type', `"e" must be one of ue, ${[...kinds.keys()].join(', ')}.`);
  const { type, fields, nameField } = kind;
  const name = nameField === undefined ? kind.name : idOf(item[nameField]);
  if (type === 'track' && name === undefined) return reject('missing-name', `A ${item.e} event needs "${nameField}".`);
  return { type, name, properties: jsonOf(fieldsOf(item, fields)) };
}

const igluUri = /^iglu:([^/]+)\/([^/]+)\//;

/** A self-describing event is named by its schema: `iglu:com.acme/order/jsonschema/1-0-0` is an `order`. */
function selfDescribed(item: JsonRecord): Told | Rejection {
  const { schema, data } = recordOf(decoded(item, 'ue_pr', 'ue_px')?.data);
  const [, vendor, name] = igluUri.exec(textOf(schema) ?? '') ?? [];
  if (name === undefined || !isRecord(data)) return unreadable('ue_pr', 'ue_px');
  const properties = jsonOf(data);
  const isScreen = name === 'screen_view' && vendor?.startsWith('com.snowplowanalytics.') === true;
  return isScreen
    ? { type: 'screen', name: textOf(data.name), properties, schema }
    : { type: 'track', name, properties, schema };
}

/** Base64 is a third longer than what it stands for, and more than an event may be is not worth decoding. */
const maxEncodedLength = (maxEventBytes * 4) / 3;

/** An object that a field holds as JSON, or another as base64 of it; undefined where neither does. */
function decoded(item: JsonRecord, plainKey: string, base64Key: string): JsonRecord | undefined {
  const encoded = textOf(item[base64Key]) ?? '';
  const isShort = encoded.length <= maxEncodedLength;
  const text = textOf(item[plainKey]) ?? (isShort ? Buffer.from(encoded, 'base64').toString() : '');
  const value = tryParseJson(text);
  return isRecord(value) ? value : undefined;
}

function unreadable(plainKey: string, base64Key: string): Rejection {
  const shape = 'self-describing JSON ({"schema": "iglu:…", "data": …}) of at most 32 KB';
  return reject('invalid-object', `"${plainKey}", or "${base64Key}" in base64, must hold ${shape}.`);
}
