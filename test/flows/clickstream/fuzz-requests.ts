import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { basic } from '../stage.ts';

/** A request as it goes over the wire. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const key = 'wk_local';
const usually = <Value>(value: Value, others: fc.Arbitrary<Value>, weight = 4): fc.Arbitrary<Value> =>
  fc.oneof({ weight, arbitrary: fc.constant(value) }, { weight: 1, arbitrary: others });

const postPaths = [
  ...['batch', 'b', 'track', 't', 'page', 'p', 'screen', 's', 'identify', 'i', 'group', 'g', 'alias', 'a'].map(
    name => `/v1/${name}`,
  ),
  ...['/com.snowplowanalytics.snowplow/tp2', '/batch', '/batch/', '/e', '/e/', '/i/v0/e', '/i/v0/e/', '/collect'],
  ...['/api/s/track', '/api/s/s2s/identify', '/api/s/dance', '/flags', '/flags/'],
];

/** Text of every script, with what breaks parsers: lone surrogates, control characters, SQL, line ends. */
const text = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }) },
  fc.constantFrom('', '\ud83d', '\u0000', '\u2028', "';--", '__proto__', 'NaN', '1e999', ' ', 'null', '\ufeff'),
);
const time = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.date({ min: new Date(0), max: new Date(), noInvalidDate: true }).map(date => date.toISOString()),
  },
  fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
  fc.integer(),
  fc.double(),
  fc.constantFrom('yesterday', '2026-02-30T00:00:00Z', '0000-01-01', '+275760-09-13T00:00:00.000Z', '', -1),
  text,
);
const json = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' });
const loose = (usual: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: json });
const object = fc.dictionary(text, json, { maxKeys: 4 });
const context = fc.record(
  {
    page: loose(fc.record({ url: loose(fc.webUrl()), title: loose(text) }, { requiredKeys: [] })),
    campaign: loose(object),
    library: loose(fc.record({ name: text, version: text })),
    userAgent: loose(text),
    ip: loose(fc.oneof(fc.ipV4(), fc.ipV6())),
    locale: loose(text),
  },
  { requiredKeys: [] },
);

const selfDescribing = object.map(data =>
  JSON.stringify({ schema: 'iglu:x/y/z/1-0-0', data: { schema: 'iglu:com.acme/order/jsonschema/1-0-0', data } }),
);
const contexts = object.map(data => JSON.stringify({ schema: 'iglu:x/contexts/jsonschema/1-0-0', data: [data] }));

/** The words of every protocol, in one event: each finds its own among them. */
const event = fc.record(
  {
    type: loose(fc.constantFrom('track', 'page', 'screen', 'identify', 'group', 'alias', 'dance')),
    ...{ event: loose(text), name: loose(text), messageId: loose(text), userId: loose(text), previousId: loose(text) },
    ...{ anonymousId: loose(text), groupId: loose(text), timestamp: loose(time), originalTimestamp: loose(time) },
    ...{ properties: loose(object), traits: loose(object), context: loose(context), sentAt: loose(time) },
    ...{ uuid: loose(text), distinct_id: loose(text), api_key: fc.constant(key), aid: fc.constant(key) },
    ...{
      e: loose(fc.constantFrom('pv', 'pp', 'se', 'ue', 'tr')),
      eid: loose(text),
      dtm: loose(time),
      se_ac: loose(text),
    },
    ...{
      se_ca: loose(text),
      url: loose(text),
      ue_pr: loose(selfDescribing),
      ue_px: loose(text),
      co: loose(contexts),
      uid: loose(text),
    },
    ...{ event_type: loose(text), event_id: loose(text), unique_id: loose(text), attributes: loose(object) },
    ...{ user: loose(object), app_id: fc.constant(key) },
  },
  { requiredKeys: ['aid', 'api_key', 'type', 'event', 'anonymousId', 'distinct_id', 'event_type', 'e'] },
);
const events = fc.array(loose(event), { maxLength: 6 });
const document = fc.oneof(
  { weight: 4, arbitrary: events.map(batch => ({ writeKey: key, api_key: key, batch, data: batch })) },
  { weight: 2, arbitrary: event.map(one => ({ writeKey: key, ...one })) },
  { weight: 2, arbitrary: events },
  { weight: 1, arbitrary: json },
);

/** Deep enough to break what recurses without a limit. */
const nested = fc
  .tuple(fc.integer({ min: 10, max: 20_000 }), fc.constantFrom('[]', '{}'))
  .map(([depth, [open, close]]) => {
    const [before, after] = open === '[' ? ['[', ']'] : ['{"a":', '}'];
    const value = `${before.repeat(depth)}1${after.repeat(depth)}`;
    return `{"writeKey":"${key}","batch":[{"type":"track","event":"${close}","userId":"u","properties":{"x":${value}}}]}`;
  });

const whole = fc.oneof(
  { weight: 12, arbitrary: document.map(value => Buffer.from(JSON.stringify(value))) },
  { weight: 1, arbitrary: nested.map(value => Buffer.from(value)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)) },
  { weight: 1, arbitrary: text.map(value => Buffer.from(value)) },
);

/** One accident on the way: bytes lost, doubled or changed. */
const damaged = fc
  .tuple(whole, fc.nat(), fc.nat({ max: 20 }), fc.constantFrom('lost', 'doubled', 'changed', 'cut'))
  .map(([bytes, at, length, accident]) => {
    const start = at % (bytes.length + 1);
    const piece = bytes.subarray(start, start + length);
    const rest = bytes.subarray(start + length);
    if (accident === 'cut') return bytes.subarray(0, start);
    const middle = { lost: [], doubled: [piece, piece], changed: [piece.map(byte => byte ^ 0x11)] }[accident];
    return Buffer.concat([bytes.subarray(0, start), ...middle, rest]);
  });
const plain = fc.oneof({ weight: 5, arbitrary: whole }, { weight: 2, arbitrary: damaged });
const body = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 2, arbitrary: plain.map(bytes => gzipSync(bytes)) },
  { weight: 1, arbitrary: plain.map(bytes => gzipSync(gzipSync(bytes))) },
  { weight: 1, arbitrary: plain.map(bytes => gzipSync(bytes).subarray(0, -6)) },
);

const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map(code => String.fromCharCode(code)) });
const contentTypes = [
  ...['application/json', 'application/json; charset=UTF-8', 'text/plain;charset=UTF-8', 'application/octet-stream'],
  ...['application/gzip', 'application/x-www-form-urlencoded', 'application/problem+json', 'TEXT/PLAIN'],
];
const headers = fc.record(
  {
    'content-type': fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...contentTypes) },
      { weight: 1, arbitrary: headerText },
    ),
    authorization: usually(basic(key), fc.oneof(headerText, fc.constant(basic('wk_other'))), 8),
    'x-write-key': usually(key, headerText),
    ...{ 'content-encoding': fc.constantFrom('gzip', 'identity', 'br'), 'user-agent': headerText, dnt: headerText },
    ...{ cookie: headerText, 'x-forwarded-for': headerText, 'accept-language': headerText, anonymousid: headerText },
  },
  { requiredKeys: ['content-type', 'authorization'] },
);

const query = fc.oneof(
  fc.constant(''),
  event.map(fields => {
    const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
    const pairs = Object.entries(fields).map(([name, value]): [string, string] => [name, textOf(value).toWellFormed()]);
    return `?${new URLSearchParams(pairs)}`;
  }),
  fc.webQueryParameters().map(parameters => `?appId=${key}&${parameters}`),
  fc.constantFrom('?', '?%', '?=&&=', `?aid=${key}&e=pv&aid=twice`),
);
const path = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...postPaths) },
  { weight: 1, arbitrary: fc.webPath().map(some => some || '/') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('/%', '/%00', '/v1/%62atch', '//', '/v1/batch/../batch', `/v1/projects/${key}/settings`),
  },
);

/** Requests of all protocols, rightly made, wrongly made and damaged on the way. */
export const anyRequest: fc.Arbitrary<FuzzRequest> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({ method: usually('POST', fc.constantFrom('PUT', 'DELETE', 'GET'), 20), path, query, headers, body })
      .map(({ path: at, query: search, ...request }) => ({ ...request, path: `${at}${search}` })),
  },
  {
    weight: 1,
    arbitrary: fc.record({ query, headers }).map(({ query: search, headers: all }) => ({
      method: 'GET',
      path: `/i${search}`,
      headers: all,
      body: Buffer.of(),
    })),
  },
);
