import { describe, expect, test } from 'vitest';
import { accepted, chrome, failed, send, stored } from '../request.ts';

const path = '/com.snowplowanalytics.snowplow/tp2';
const contextsSchema = 'iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0';
const eventSchema = 'iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0';
const orderSchema = 'iglu:com.acme/order/jsonschema/1-0-0';
const tracker = { tv: 'node-4.8.0', tna: 'ns', aid: 'wk_test', p: 'srv', eid: 'e1', dtm: '1795168799173' };
const order = { plan: 'pro', nested: { a: [1, { c: 'dèep' }] }, emoji: '😀' };
const selfDescribing = (schema: string, data: unknown) =>
  JSON.stringify({ schema: eventSchema, data: { schema, data } });
const base64 = (text: string) => Buffer.from(text).toString('base64url');

const post = (...data: unknown[]) => send({ schema: 'iglu:…/payload_data/jsonschema/1-0-4', data }, { path });
const storedFrom = (fields: object) => stored(post({ ...tracker, ...fields }))[0];

test('reads a page view of the browser library into columns, and keeps the rest of it', () => {
  const event = {
    e: 'pv',
    url: 'https://t.example/menu?utm_source=x#top',
    page: 'Menu é',
    refr: 'https://a.example/',
    eid: '8c5047d7-af65-4317-8642-22e6743d05c8',
    tv: 'js-4.10.1',
    tna: 'sp',
    aid: 'wk_test',
    p: 'web',
    lang: 'en-US',
    res: '1280x720',
    tz: 'UTC',
    dtm: '1795168799173',
    co: JSON.stringify({
      schema: contextsSchema,
      data: [{ schema: 'iglu:com.acme/user/jsonschema/1-0-0', data: { a: 1 } }],
    }),
    vid: '1',
    sid: '28161ec7-3e58-4026-a63b-60d894793bfa',
    duid: '4782cdcf-a083-4f16-85a7-6bdf8aa4bcf9',
    uid: 'u1',
    stm: '1795168800173',
  };
  const [row] = stored(send({ data: [event] }, { path, headers: { 'user-agent': chrome }, sourceIp: '203.0.113.77' }));
  expect(row).toMatchObject({
    event_id: '8c5047d7-af65-4317-8642-22e6743d05c8',
    type: 'page',
    occurred_at: '2026-11-20 09:59:59.173',
    anonymous_id: '4782cdcf-a083-4f16-85a7-6bdf8aa4bcf9',
    user_id: 'u1',
    session_id: '28161ec7-3e58-4026-a63b-60d894793bfa',
    page_url: 'https://t.example/menu?utm_source=x#top',
    page_path: '/menu',
    page_title: 'Menu é',
    referrer: 'https://a.example/',
    utm_source: 'x',
    locale: 'en-US',
    library: 'js-4.10.1',
    browser: 'Chrome',
    ip: '203.0.113.0',
    protocol: 'snowplow',
    source: 'website',
  });
  expect(JSON.parse(row?.context ?? '')).toEqual({
    ...{ tna: 'sp', p: 'web', res: '1280x720', tz: 'UTC', vid: '1' },
    contexts: [{ schema: 'iglu:com.acme/user/jsonschema/1-0-0', data: { a: 1 } }],
  });
});

test('a structured event is named by its action, and its value is a number', () => {
  const fields = { e: 'se', se_ca: 'shop', se_ac: 'add 😀', se_la: '日本語', se_pr: 'p', se_va: '12.5' };
  const row = storedFrom(fields);
  expect(row).toMatchObject({ type: 'track', name: 'add 😀' });
  expect(JSON.parse(row?.properties ?? '')).toEqual({
    ...{ category: 'shop', action: 'add 😀', label: '日本語', property: 'p', value: 12.5 },
  });
  expect(storedFrom({ ...fields, se_va: 'twelve' })?.properties).toContain('"value":"twelve"');
});

describe('a self-describing event', () => {
  test.each([
    ['as JSON', { ue_pr: selfDescribing(orderSchema, order) }],
    ['in base64', { ue_px: base64(selfDescribing(orderSchema, order)) }],
  ])('%s is named by its schema', (_, fields) => {
    const row = storedFrom({ e: 'ue', ...fields });
    expect(row).toMatchObject({
      type: 'track',
      name: 'order',
      context: expect.stringContaining(`"schema":"${orderSchema}"`),
    });
    expect(JSON.parse(row?.properties ?? '')).toEqual(order);
  });

  test('of a screen view is a screen, by Snowplow’s schema only', () => {
    const viewOf = (vendor: string) =>
      storedFrom({
        e: 'ue',
        ue_pr: selfDescribing(`iglu:${vendor}/screen_view/jsonschema/1-0-0`, { name: 'Menu', id: '1' }),
      });
    expect(viewOf('com.snowplowanalytics.mobile')).toMatchObject({ type: 'screen', name: 'Menu' });
    expect(viewOf('com.acme')).toMatchObject({ type: 'track', name: 'screen_view' });
  });

  test('half a surrogate pair in it is replaced, however deep the JSON is wrapped', () => {
    const wrapped = selfDescribing(orderSchema, { text: '~' }).replace('~', '\\ud83d');
    for (const fields of [{ ue_pr: wrapped }, { ue_px: base64(wrapped) }]) {
      expect(storedFrom({ e: 'ue', ...fields })?.properties).toBe('{"text":"\ufffd"}');
    }
  });
});

test.each([
  ['page_ping', { e: 'pp', pp_mix: '0', pp_may: '700' }, { xoffset_min: 0, yoffset_max: 700 }],
  [
    'transaction',
    { e: 'tr', tr_id: 'o-1', tr_tt: '12.50', tr_cu: 'EUR' },
    { orderid: 'o-1', total: 12.5, currency: 'EUR' },
  ],
  [
    'transaction_item',
    { e: 'ti', ti_id: 'o-1', ti_sk: 'soup', ti_qu: '2' },
    { orderid: 'o-1', sku: 'soup', quantity: 2 },
  ],
])('a %s is a track', (name, fields, properties) => {
  const row = storedFrom(fields);
  expect(row).toMatchObject({ type: 'track', name });
  expect(JSON.parse(row?.properties ?? '')).toEqual(properties);
});

test('by GET an event comes in the query, UTF-8 and all', () => {
  const query = new URLSearchParams({ ...tracker, e: 'pv', page: 'Accueil é', url: 'https://ex.test/é', uid: 'u1' });
  const [row, ...more] = stored(send('', { path: '/i', query: query.toString() }));
  expect(row).toMatchObject({ event_id: 'e1', type: 'page', page_title: 'Accueil é', page_url: 'https://ex.test/é' });
  expect(more).toEqual([]);
});

test('a wrong clock is put right by the time of sending, and a true timestamp goes before the device’s', () => {
  const anHourLate = { dtm: '1795165199173', stm: '1795165200250' };
  expect(storedFrom({ e: 'pv', ...anHourLate })?.occurred_at).toBe('2026-11-20 09:59:59.173');
  expect(storedFrom({ e: 'pv', ttm: '1795168700000' })?.occurred_at).toBe('2026-11-20 09:58:20.000');
});

test('the application id is the write key', () => {
  for (const aid of ['wk_other', undefined]) {
    expect(post({ ...tracker, e: 'pv', aid })).toMatchObject({ refused: 'unknown-write-key' });
  }
});

test.each([
  ['no JSON', '{'],
  ['no data', {}],
  ['data that is no array', { data: {} }],
  ['an array', []],
])('a body with %s is refused', (_, body) => {
  expect(send(body, { path })).toMatchObject({ refused: 'malformed' });
});

describe('rejects as data', () => {
  const page = { ...tracker, e: 'pv' };
  test.each([
    ['not-an-object', 5],
    ['unknown-type', { ...tracker, e: 'ad' }],
    ['unknown-type', { ...tracker, e: 'constructor' }],
    ['unknown-type', tracker],
    ['missing-name', { ...tracker, e: 'se', se_ca: 'shop' }],
    ['invalid-object', { ...tracker, e: 'ue' }],
    ['invalid-object', { ...tracker, e: 'ue', ue_pr: '{' }],
    ['invalid-object', { ...tracker, e: 'ue', ue_pr: selfDescribing('order', order) }],
    ['invalid-object', { ...tracker, e: 'ue', ue_pr: selfDescribing(orderSchema, 'text') }],
    ['invalid-object', { ...tracker, e: 'ue', ue_px: '****' }],
    ['invalid-object', { ...tracker, e: 'ue', ue_px: base64(selfDescribing(orderSchema, 'x'.repeat(33 * 1024))) }],
    ['invalid-object', { ...page, co: '{' }],
    ['invalid-object', { ...page, cx: '****' }],
    ['invalid-timestamp', { ...page, dtm: '5' }],
  ])('%s: %j', (code, event) => {
    const outcome = post(page, event, page);
    expect(accepted(outcome).rejected).toEqual([{ index: 1, reason: expect.stringMatching(/^.*\.$/) }]);
    expect(failed(outcome)).toMatchObject([{ code, raw: JSON.stringify(event), protocol: 'snowplow' }]);
  });

  test('and keeps the event’s own id', () => {
    expect(failed(post({ ...tracker, e: 'ad' }))).toMatchObject([{ event_id: 'e1' }]);
  });
});
