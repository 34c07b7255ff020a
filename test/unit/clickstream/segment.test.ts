import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ClickEvent } from '../../../src/lib/clickstream/event.ts';
import { accepted, chrome, failed, googlebot, send, stored, storedEvent } from './request.ts';

const track = { type: 'track', event: 'Dish viewed', userId: 'u1', messageId: 'm1' };

test('reads what the browser library sends into columns, and keeps the rest of the context', () => {
  const page = {
    path: '/menu',
    referrer: 'https://a.example/',
    search: '?q=x',
    title: 'Menu é',
    url: 'https://t.example/menu?q=x',
  };
  const event = storedEvent({
    timestamp: '2026-11-20T09:59:59.173Z',
    integrations: { 'Segment.io': true },
    type: 'page',
    properties: { ...page, category: 'Docs', name: 'Home' },
    name: 'Home',
    context: {
      page: { ...page, tab: 2 },
      userAgentData: { mobile: false },
      locale: 'fr-FR',
      library: { name: 'analytics.js', version: 'npm:next-1.84.3' },
      campaign: { source: 'news', medium: 'email', name: 'winter', id: 'c-7' },
      timezone: 'UTC',
    },
    messageId: 'ajs-next-1',
    anonymousId: 'a1',
    userId: 'u1',
    _metadata: { bundled: ['Segment.io'] },
  });
  expect(event).toMatchObject({
    event_id: 'ajs-next-1',
    type: 'page',
    name: 'Home',
    occurred_at: '2026-11-20 09:59:59.173',
    anonymous_id: 'a1',
    user_id: 'u1',
    page_url: 'https://t.example/menu?q=x',
    page_path: '/menu',
    page_title: 'Menu é',
    referrer: 'https://a.example/',
    utm_source: 'news',
    utm_medium: 'email',
    utm_campaign: 'winter',
    locale: 'fr-FR',
    library: 'analytics.js npm:next-1.84.3',
    protocol: 'segment',
    source: 'website',
  });
  expect(JSON.parse(event.properties ?? '')).toEqual({ ...page, category: 'Docs', name: 'Home' });
  expect(JSON.parse(event.context ?? '')).toEqual({
    page: { tab: 2 },
    userAgentData: { mobile: false },
    campaign: { id: 'c-7' },
    timezone: 'UTC',
  });
});

describe('each route', () => {
  test.each([
    ['track', { event: 'Paid' }, 'Paid'],
    ['page', { name: 'Menu' }, 'Menu'],
    ['screen', { name: 'Home' }, 'Home'],
    ['identify', { traits: { plan: 'regular' } }, undefined],
    ['group', { groupId: 'g1' }, 'g1'],
    ['alias', { previousId: 'a1' }, 'a1'],
  ])('%s, long or by its letter, implies its type and finds its name', (type, fields, name) => {
    for (const route of [type, type.charAt(0)]) {
      const [event] = stored(send({ writeKey: 'wk_test', userId: 'u1', ...fields }, { path: `/v1/${route}` }));
      expect(event?.type).toBe(type);
      expect(event?.name).toBe(name);
    }
  });

  test('batch is also b', () => {
    expect(stored(send({ writeKey: 'wk_test', batch: [track] }, { path: '/v1/b' }))).toHaveLength(1);
  });
});

test('a page may be named among its properties, and have its category beside them', () => {
  const page = { type: 'page', userId: 'u1', properties: { name: 'Menu' } };
  expect(storedEvent(page)).toMatchObject({ name: 'Menu', properties: '{"name":"Menu"}' });
  expect(storedEvent({ ...page, name: 'Home', category: 'Docs' })).toMatchObject({
    name: 'Home',
    properties: '{"category":"Docs","name":"Menu"}',
  });
  expect(storedEvent({ ...track, properties: { name: 'Menu' } }).name).toBe('Dish viewed');
});

test('keeps traits, and takes numbers as ids', () => {
  const event = storedEvent({ type: 'identify', userId: 42, traits: { email: 'é@ex.test' }, messageId: 7 });
  expect(event).toMatchObject({ user_id: '42', event_id: '7', traits: '{"email":"é@ex.test"}' });
});

test('an event without a message id gets one that is its own', () => {
  const outcome = send({
    writeKey: 'wk_test',
    batch: [
      { ...track, messageId: undefined },
      { ...track, messageId: '' },
    ],
  });
  expect(stored(outcome).map(event => event.event_id)).toEqual(['request-0', 'request-1']);
});

test('a batch’s context holds for its events, and an event’s own goes before it', () => {
  const batch = [track, { ...track, context: { locale: 'en-GB' } }];
  const events = stored(send({ writeKey: 'wk_test', context: { locale: 'fr-FR', timezone: 'UTC' }, batch }));
  expect(events.map(event => event.locale)).toEqual(['fr-FR', 'en-GB']);
  expect(events.map(event => event.context)).toEqual(['{"timezone":"UTC"}', '{"timezone":"UTC"}']);
});

test('no event in a batch takes a column of its neighbour: together they are what each is alone', () => {
  const one = <Value>(...values: Value[]) => fc.constantFrom(undefined, ...values);
  const address = one('https://t.example/a', 'https://t.example/b?utm_source=s');
  const anyContext = fc.record({
    page: fc.record({ url: address, path: one('/x'), title: one('A', 'B'), referrer: one('r') }),
    campaign: fc.record({ source: one('s'), medium: one('m'), name: one('n'), term: one('t'), content: one('c') }),
    library: one({ name: 'l', version: '1' }),
    ...{ locale: one('fr', 'de'), sessionId: one(1, 2), timezone: one('UTC') },
    ...{ ip: one('198.51.100.7', '2001:db8::1'), location: one({ country: 'FR' }), userAgent: one(chrome, googlebot) },
  });
  const ids = { userId: fc.constantFrom('u1', 'u2'), anonymousId: one('a1', 'a2'), messageId: one('m1') };
  const named = { event: fc.constantFrom('E', 'F'), properties: one({ p: 1 }), traits: one({ t: 1 }) };
  const anyEvent = fc.record({ type: fc.constant('track'), context: anyContext, ...ids, ...named });
  const columnsOf = ({ ingest_id: _, ingest_seq: __, event_id: ___, ...columns }: ClickEvent) => columns;
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 6 }), fc.array(anyContext, { maxLength: 3 }), (events, changes) => {
      // Neighbours that differ by one field are what a mistake would confuse.
      const nearly = changes.flatMap(change =>
        Object.entries(change).map(([key, value]) => ({
          ...events[0],
          type: 'track',
          event: 'E',
          userId: 'u1',
          context: { ...events[0]?.context, [key]: value },
        })),
      );
      const batch = [...events, ...nearly];
      const together = stored(send({ writeKey: 'wk_test', batch }));
      expect(together.map(columnsOf)).toEqual(batch.map(event => columnsOf(storedEvent(event))));
    }),
  );
});

describe('rejects as data', () => {
  test.each([
    ['not-an-object', 5],
    ['not-an-object', null],
    ['not-an-object', [track]],
    ['unknown-type', { ...track, type: 'purchase' }],
    ['unknown-type', { ...track, type: undefined }],
    ['unknown-type', { ...track, type: ['track'] }],
    ['invalid-id', { ...track, userId: {} }],
    ['invalid-id', { ...track, messageId: true }],
    ['invalid-id', { ...track, event: ['a'] }],
    ['invalid-object', { ...track, properties: 'a' }],
    ['invalid-object', { ...track, traits: [] }],
    ['invalid-object', { ...track, context: 1 }],
    ['missing-identity', { ...track, userId: '' }],
    ['missing-name', { ...track, event: '' }],
    ['missing-name', { type: 'group', userId: 'u1' }],
    ['missing-name', { type: 'alias', userId: 'u1' }],
    ['invalid-timestamp', { ...track, timestamp: 'yesterday' }],
    ['absurd-timestamp', { ...track, timestamp: '2036-01-01T00:00:00.000Z' }],
    ['too-large', { ...track, properties: { text: 'x'.repeat(33 * 1024) } }],
  ])('%s: %j', (code, event) => {
    const outcome = send({ writeKey: 'wk_test', batch: [track, event, track] });
    expect(accepted(outcome).rejected).toEqual([{ index: 1, reason: expect.stringMatching(/^.*\.$/) }]);
    expect(stored(outcome).map(({ ingest_seq }) => ingest_seq)).toEqual([0, 2]);
    expect(failed(outcome)).toMatchObject([
      { code, ingest_id: 'request-1', ingest_seq: 1, raw: JSON.stringify(event) },
    ]);
  });
});

describe('strange input is only strange', () => {
  test.each([
    ['ten levels of nesting', `${'{"a":'.repeat(10)}1${'}'.repeat(10)}`],
    [
      'names of Object.prototype',
      '{"__proto__":{"type":"x"},"constructor":1,"toString":null,"toJSON":5,"hasOwnProperty":{}}',
    ],
    ['NUL and every control character', JSON.stringify({ text: String.fromCharCode(...Array(32).keys()) })],
    ['emoji and right-to-left', '{"text":"😀🇫🇷 مرحبا"}'],
  ])('%s in properties, traits and context', (_, json) => {
    const event = `{"type":"track","event":"E","userId":"u","properties":${json},"traits":${json},"context":${json}}`;
    const [row] = stored(send(`{"writeKey":"wk_test","batch":[${event}]}`));
    expect([row?.properties, row?.traits, row?.context]).toEqual([json, json, json]);
  });

  test('half a surrogate pair is replaced, because the lake’s readers refuse a file for it', () => {
    const event = String.raw`{"type":"track","event":"a\ud83d","userId":"\ude00u","properties":{"\udead":"\\ud83d \ud83d\ude00 \uD83D"}}`;
    const [row] = stored(send(`{"writeKey":"wk_test","batch":[${event}]}`));
    expect(row).toMatchObject({ name: 'a\ufffd', user_id: '\ufffdu' });
    expect(JSON.parse(row?.properties ?? '')).toEqual({ '\ufffd': '\\ud83d 😀 \ufffd' });
  });

  test('text columns that hold no text are left out, and what they hold stays in the context', () => {
    const event = storedEvent({
      ...track,
      context: { page: { url: { a: 1 }, title: 5 }, locale: ['fr'], campaign: 'x', library: 7 },
    });
    expect(event.page_url).toBeUndefined();
    expect(JSON.parse(event.context ?? '')).toEqual({
      page: { url: { a: 1 } },
      locale: ['fr'],
      campaign: 'x',
      library: 7,
    });
  });
});
