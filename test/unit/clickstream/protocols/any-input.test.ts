import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventViolation } from '../../../../src/lib/clickstream/event.ts';
import { failedEventViolation } from '../../../../src/lib/clickstream/failed-event.ts';
import type { TrackerRequest } from '../../../../src/lib/clickstream/protocols/protocol.ts';
import { accepted, failed, send, stored } from '../request.ts';

// Every UTF-16 unit, so halves of surrogate pairs as well; and objects that cannot even be turned into text.
const unit = fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code));
const anyText = fc.string({ unit });
const stubborn = fc.constant({ toString: null, valueOf: null, toJSON: 1, constructor: {} });
const anyValue = fc.oneof(fc.jsonValue({ maxDepth: 3, stringUnit: unit }), stubborn);
const pastDate = fc.date({ min: new Date(0), max: new Date('2026-11-20'), noInvalidDate: true });
const anyTime = pastDate.chain(date => fc.constantFrom(date.toISOString(), date.getTime(), String(date.getTime())));
const plain = fc.oneof(fc.constantFrom('u1', '7', 7, ''), anyText);

/** Objects of the given fields, each absent, plausible or anything. */
const anyOf = (fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(
    Object.fromEntries(
      Object.entries(fields).map(([name, value]) => [name, fc.oneof({ weight: 15, arbitrary: value }, anyValue)]),
    ),
    { requiredKeys: [] },
  );
const named = (names: string) => anyOf(Object.fromEntries(names.split(' ').map(name => [name, plain])));
const merged = (...parts: fc.Arbitrary<object>[]) => fc.tuple(...parts).map(all => Object.assign({}, ...all) as object);

const orderSchema = 'iglu:com.acme/order/jsonschema/1-0-0';
const wrapped = anyValue.map(data => JSON.stringify({ schema: 'iglu:…', data: { schema: orderSchema, data } }));
const inBase64 = wrapped.map(text => Buffer.from(text).toString('base64url'));
const segmentTypes = fc.constantFrom('track', 'page', 'screen', 'identify', 'group', 'alias');
const segmentEvent = merged(
  anyOf({
    type: segmentTypes,
    context: named('traits page library campaign ip'),
    traits: named('a b'),
    properties: named('name url'),
  }),
  named('event name category messageId userId anonymousId groupId previousId'),
  anyOf({ timestamp: anyTime }),
);
const rudderHeaders = { 'user-agent': 'analytics-node/3.0.13', 'x-write-key': 'wk_test' };

/** How each protocol sends events, and what its events look like. */
const protocols: Record<
  string,
  { item: fc.Arbitrary<unknown>; request: (items: unknown[]) => Partial<TrackerRequest> }
> = {
  rudder: {
    item: segmentEvent,
    request: batch => ({ headers: rudderHeaders, body: JSON.stringify({ batch }) }),
  },
  snowplow: {
    item: merged(
      anyOf({
        e: fc.constantFrom('pv', 'pp', 'se', 'ue', 'tr', 'ti'),
        ue_pr: wrapped,
        ue_px: inBase64,
        co: wrapped,
        cx: inBase64,
      }),
      anyOf({ dtm: anyTime, ttm: anyTime, stm: anyTime }),
      named('eid uid duid sid url page refr lang tv ua ip se_ca se_ac se_va pp_mix tr_id tr_tt ti_id'),
    ),
    request: ([first, ...rest]) => ({
      path: '/com.snowplowanalytics.snowplow/tp2',
      body: JSON.stringify({ data: [{ ...(first as object), aid: 'wk_test' }, ...rest] }),
    }),
  },
  posthog: {
    item: merged(
      anyOf({
        event: fc.constantFrom('E', '$pageview', '$screen', '$identify', '$set', '$groupidentify', '$create_alias'),
        properties: named(
          '$set $set_once $group_set $group_type $group_key alias $screen_name $is_identified $lib $ip title',
        ),
      }),
      named('uuid distinct_id $set'),
      anyOf({ timestamp: anyTime }),
    ),
    request: batch => ({ path: '/batch/', body: JSON.stringify({ api_key: 'wk_test', batch }) }),
  },
  'aws-clickstream': {
    item: merged(
      anyOf({
        event_type: fc.constantFrom('E', '_page_view', '_screen_view', '_profile_set'),
        user: named('_user_id plan'),
        attributes: named('_session_id _page_url _screen_name items price'),
      }),
      anyOf({ timestamp: anyTime }),
      named('event_id unique_id items locale sdk_name sdk_version'),
    ),
    request: items => ({ path: '/collect', query: 'appId=wk_test', body: JSON.stringify(items) }),
  },
};

const post = ({ body = '', ...request }: Partial<TrackerRequest>) => send(body, request);

describe.each(Object.entries(protocols))('by %s', (protocol, { item, request }) => {
  const items = fc.array(fc.oneof({ weight: 4, arbitrary: item }, anyValue), { minLength: 1, maxLength: 12 });

  test('each event is stored or kept as failed, once, as the contract says', () => {
    let storedInAll = 0;
    fc.assert(
      fc.property(items, batch => {
        const outcome = accepted(post(request(batch)));
        const [events, failures] = [stored(outcome), failed(outcome)];
        expect(outcome.received).toBe(events.length + outcome.rejected.length);
        expect([...events, ...failures].map(row => row.ingest_seq).sort((a, b) => a - b)).toEqual([...batch.keys()]);
        expect(events.map(eventViolation).filter(Boolean)).toEqual([]);
        expect(failures.map(failedEventViolation).filter(Boolean)).toEqual([]);
        expect([...events, ...failures].every(row => row.protocol === protocol)).toBe(true);
        expect(JSON.stringify([events, failures.map(({ raw: _, ...row }) => row)])).not.toMatch(/\\ud[89a-f]/i);
        expect(failures.every(row => row.raw.isWellFormed())).toBe(true);
        storedInAll += events.length;
      }),
    );
    // Else the property would speak of rejections only.
    expect(storedInAll).toBeGreaterThan(50);
  });
});

test('by jitsu an event is stored or kept as failed', () => {
  fc.assert(
    fc.property(segmentEvent, segmentTypes, (event, type) => {
      const outcome = accepted(send(event, { path: `/api/s/${type}`, headers: { 'x-write-key': 'wk_test:secret' } }));
      expect([...stored(outcome), ...failed(outcome)]).toMatchObject([{ protocol: 'jitsu', ingest_seq: 0 }]);
    }),
  );
});

test('by GET /i an event is stored or kept as failed', () => {
  fc.assert(
    fc.property(fc.dictionary(anyText, anyText), fc.constantFrom('pv', 'se', 'ue', 'x'), (fields, e) => {
      const query = new URLSearchParams({ ...fields, e, aid: 'wk_test' }).toString();
      const outcome = accepted(send('', { path: '/i', query }));
      expect([...stored(outcome), ...failed(outcome)]).toMatchObject([{ protocol: 'snowplow', ingest_seq: 0 }]);
    }),
  );
});

test('any text as a body or query is taken or refused, and never thrown at', () => {
  const path = fc.constantFrom(
    '/batch/',
    '/e/',
    '/collect',
    '/api/s/track',
    '/com.snowplowanalytics.snowplow/tp2',
    '/i',
  );
  const headers = { 'x-write-key': 'wk_test' };
  fc.assert(
    fc.property(fc.oneof(anyText, fc.json()), anyText, path, (body, query, at) => {
      expect(send(body, { path: at, query, headers })).toBeTypeOf('object');
    }),
  );
});
