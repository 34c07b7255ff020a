import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventTable, eventViolation } from '../../../src/lib/clickstream/event.ts';
import { failedEventViolation } from '../../../src/lib/clickstream/failed-event.ts';
import { accepted, chrome, failed, googlebot, send, stored, storedEvent } from './request.ts';

const track = { type: 'track', event: 'Dish viewed', userId: 'u1' };
const basic = (user: string) => `Basic ${Buffer.from(`${user}:`).toString('base64')}`;

describe('the write key', () => {
  test.each([
    ['in the body', { writeKey: 'wk_test' }, {}],
    ['in the body as api_key', { api_key: 'wk_test' }, {}],
    ['as Basic user name', {}, { authorization: basic('wk_test') }],
    ['as X-Write-Key', {}, { 'x-write-key': 'wk_test' }],
  ])('is taken %s', (_, fields, headers) => {
    expect(accepted(send({ ...fields, batch: [track] }, { headers })).source).toBe('website');
  });

  test.each([
    ['none', {}, {}],
    ['an unknown one', { writeKey: 'wk_other' }, {}],
    ['one that is a property of every object', { writeKey: 'constructor' }, {}],
    ['an unknown user', {}, { authorization: basic('wk_other') }],
    ['another scheme', {}, { authorization: 'Bearer wk_test' }],
    ['a number', { writeKey: 5 }, {}],
  ])('%s is refused', (_, fields, headers) => {
    expect(send({ ...fields, batch: [track] }, { headers })).toMatchObject({ refused: 'unknown-write-key' });
  });
});

describe('a whole request is refused', () => {
  const filler = (bytes: number) => ({ ...track, properties: { text: 'x'.repeat(bytes) } });

  test.each([
    ['malformed', 'no JSON', '{"batch":'],
    ['malformed', 'nothing', ''],
    ['malformed', 'no object', '[]'],
    ['malformed', 'no batch', { writeKey: 'wk_test' }],
    ['malformed', 'a batch that is no array', { writeKey: 'wk_test', batch: { 0: track } }],
    [
      'malformed',
      '50,000 levels of nesting',
      `{"writeKey":"wk_test","batch":[${'['.repeat(50_000)}${']'.repeat(50_000)}]}`,
    ],
    ['too-large', 'more than 500 KB', { writeKey: 'wk_test', batch: Array(26).fill(filler(20 * 1024)) }],
    [
      'too-large',
      'more than 500 KB of three-byte characters',
      { writeKey: 'wk_test', batch: ['€'.repeat(180 * 1024)] },
    ],
    ['too-large', 'more than 2,500 events', { writeKey: 'wk_test', batch: Array(2501).fill(1) }],
    [
      'too-large',
      'more than a shard takes in time',
      {
        writeKey: 'wk_test',
        context: { text: 'x'.repeat(1500) },
        batch: Array(1000).fill({ ...track, userId: 'u'.repeat(100) }),
      },
    ],
    ['too-large', 'what would not fit one record', `{"writeKey":"wk_test","batch":[[${'1e20,'.repeat(90_000)}1]]}`],
  ])('%s: %s', (refused, _, body) => {
    expect(send(body)).toMatchObject({ refused, detail: expect.stringMatching(/\.$/) });
  });

  test('too-large: more than 32 KB on the route of one event', () => {
    const body = { writeKey: 'wk_test', ...filler(32 * 1024) };
    expect(send(body, { path: '/v1/track' })).toMatchObject({ refused: 'too-large' });
  });

  test('malformed: a path where no protocol is spoken', () => {
    expect(send({}, { path: '/v1/nothing' })).toMatchObject({ refused: 'malformed' });
  });
});

test('a batch of 2,500 events is several records, in order, each under a partition key of its own', () => {
  const batch = Array.from({ length: 2500 }, (_, index) => ({
    ...track,
    userId: `u${index}`,
    properties: { n: index, text: 'x'.repeat(100) },
  }));
  const outcome = accepted(send({ writeKey: 'wk_test', batch }));
  expect(outcome.eventRecords.length).toBeGreaterThanOrEqual(2);
  expect(outcome.eventRecords.map(({ partitionKey }) => partitionKey)).toEqual(
    outcome.eventRecords.map((_, index) => `request-${index}`),
  );
  expect(stored(outcome).map(event => event.user_id)).toEqual(batch.map(event => event.userId));
});

test('an empty batch is taken, and stores nothing', () => {
  expect(send({ writeKey: 'wk_test', batch: [] })).toMatchObject({ received: 0, eventRecords: [], failedRecords: [] });
});

describe('the visitor’s address', () => {
  test.each([
    ['the sender’s, cut', '203.0.113.0', {}, {}],
    ['the tracker’s, where a server tells it', '198.51.100.0', { ip: '198.51.100.77' }, {}],
    ['dropped under DNT', undefined, {}, { dnt: '1' }],
    ['dropped under GPC, the tracker’s too', undefined, { ip: '198.51.100.77' }, { 'sec-gpc': '1' }],
    ['dropped where the site says so', undefined, {}, { 'x-ip-policy': 'remove' }],
    ['not what is no address', undefined, { ip: 'home' }, {}],
  ])('is %s', (_, ip, context, headers) => {
    expect(storedEvent({ ...track, context }, { headers, sourceIp: '203.0.113.9' }).ip).toBe(ip);
  });

  test.each([[['198.51.100.77']], [{ v4: '198.51.100.77' }], ['198.51.100.77:443'], ['for 198.51.100.77']])(
    'is nowhere in a stored event where the tracker tells it as %j',
    ip => {
      const row = storedEvent({ ...track, context: { ip, $ip: ip } }, { headers: { dnt: '1' } });
      expect(JSON.stringify(row)).not.toContain('198.51.100.77');
    },
  );

  test.each([
    ['is cut in the raw of a failed event', {}, '198.51.100.0', '203.0.113.0'],
    ['is dropped from it under GPC', { 'sec-gpc': '1' }, undefined, undefined],
  ])('%s', (_, headers, rawIp, ip) => {
    const event = { type: 'nothing', context: { ip: '198.51.100.77' } };
    const [row] = failed(send({ writeKey: 'wk_test', batch: [event] }, { headers, sourceIp: '203.0.113.9' }));
    expect(row?.ip).toBe(ip);
    expect(JSON.parse(row?.raw ?? '').context.ip).toBe(rawIp);
    expect(JSON.stringify(row)).not.toContain('198.51.100.77');
  });
});

describe('the device', () => {
  test.each([
    [
      'the request’s user agent',
      {},
      { 'user-agent': chrome },
      { browser: 'Chrome', os: 'Windows', device_type: 'desktop', is_bot: false },
    ],
    [
      'the tracker’s before it',
      { userAgent: googlebot },
      { 'user-agent': chrome },
      { is_bot: true, bot_reason: expect.stringContaining('Googlebot') },
    ],
    [
      'no server library’s',
      { library: { name: 'analytics-node' } },
      { 'user-agent': 'analytics-node/3.0.13' },
      { is_bot: false },
    ],
    ['a script’s that has no library', {}, { 'user-agent': 'python-requests/2.32' }, { is_bot: true }],
    ['none', {}, {}, { is_bot: false }],
  ])('comes from %s', (_, context, headers, columns) => {
    expect(storedEvent({ ...track, context }, { headers })).toMatchObject(columns);
  });
});

test('the country is the tracker’s, and no header’s, which anybody may send', () => {
  const country = (header: string | undefined, context: object) =>
    storedEvent({ ...track, context }, { headers: { 'cloudfront-viewer-country': header } }).country;
  expect(country('FR', {})).toBeUndefined();
  expect(country('FR', { location: { country: 'DE' } })).toBe('DE');
});

test('path and campaign are read from the address where the tracker tells only that', () => {
  const url = 'https://t.example/menu?utm_source=news&utm_campaign=winter%20menu#utm_term=no';
  expect(storedEvent({ ...track, context: { page: { url } } })).toMatchObject({
    page_path: '/menu',
    utm_source: 'news',
    utm_campaign: 'winter menu',
  });
  expect(storedEvent({ ...track, context: { page: { url }, campaign: { source: 'own' } } })).toMatchObject({
    utm_source: 'own',
  });
  expect(storedEvent({ ...track, context: { page: { url: 'https://t.example' } } }).page_path).toBe('/');
});

test('a failed event carries what a replay needs', () => {
  const headers = { 'user-agent': 'x/1', 'sec-gpc': '1' };
  const body = { writeKey: 'wk_test', sentAt: 'soon', messageId: 'm1', userId: {}, event: 'E' };
  expect(failed(send(body, { path: '/v1/t', headers }))).toMatchObject([
    {
      type: 'track',
      event_id: 'm1',
      sent_at: 'soon',
      user_agent: 'x/1',
      is_private: true,
      received_at: '2026-11-20 10:00:00.250',
    },
  ]);
});

test('every column of the contract can be written', () => {
  const context = {
    ...{
      sessionId: 5,
      locale: 'fr',
      ip: '198.51.100.7',
      userAgent: googlebot,
      location: { country: 'FR' },
      timezone: 'UTC',
    },
    page: { url: 'https://t.example/', path: '/', title: 'T', referrer: 'https://a.example/' },
    campaign: { source: 's', medium: 'm', name: 'n', term: 't', content: 'c' },
    library: { name: 'l', version: '1' },
  };
  // Google's bot on a phone: the one user agent that has a browser, a system and a reason.
  const userAgent = `${googlebot} Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/150.0.0.0 Mobile`;
  const event = {
    ...track,
    anonymousId: 'a',
    properties: { a: 1 },
    traits: { b: 2 },
    context: { ...context, userAgent },
  };
  const row = storedEvent(event);
  expect(Object.keys(eventTable).filter(name => !(name in row) && !['browser', 'os'].includes(name))).toEqual([]);
  expect(Object.keys(storedEvent(event, {})).every(name => name in eventTable)).toBe(true);
  expect(storedEvent({ ...event, context: { ...context, userAgent: chrome } })).toMatchObject({
    browser: 'Chrome',
    os: 'Windows',
  });
});

describe('whatever comes in', () => {
  // Every UTF-16 unit, so halves of surrogate pairs as well.
  const unit = fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code));
  const anyText = fc.string({ unit });
  const anyValue = fc.jsonValue({ maxDepth: 4, stringUnit: unit });
  const sometimes = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });
  const anyEvent = fc.record({
    type: sometimes(fc.oneof(fc.constantFrom('track', 'page', 'screen', 'identify', 'group', 'alias'), anyValue)),
    event: sometimes(fc.oneof(anyText, anyValue)),
    messageId: sometimes(fc.oneof(anyText, anyValue)),
    userId: sometimes(fc.oneof(anyText, anyValue)),
    timestamp: sometimes(
      fc.oneof(
        fc.date({ noInvalidDate: true }).map(date => date.toISOString()),
        anyValue,
      ),
    ),
    properties: sometimes(fc.oneof(fc.dictionary(anyText, anyValue), anyValue)),
    context: sometimes(
      fc.oneof(fc.record({ page: anyValue, ip: anyValue, userAgent: anyValue, library: anyValue }), anyValue),
    ),
  });
  const anyBatch = fc.array(fc.oneof({ weight: 3, arbitrary: anyEvent }, { weight: 1, arbitrary: anyValue }), {
    maxLength: 20,
  });

  test('each event is stored or kept as failed, once, as the contract says', () => {
    fc.assert(
      fc.property(anyBatch, anyValue, anyText, (batch, sentAt, userAgent) => {
        const outcome = accepted(
          send({ writeKey: 'wk_test', batch, sentAt }, { headers: { 'user-agent': userAgent } }),
        );
        const [events, failures] = [stored(outcome), failed(outcome)];
        expect([...events, ...failures].map(row => row.ingest_seq).sort((a, b) => a - b)).toEqual([...batch.keys()]);
        expect(events.map(eventViolation).filter(Boolean)).toEqual([]);
        expect(failures.map(failedEventViolation).filter(Boolean)).toEqual([]);
        expect(failures.map(row => row.ingest_seq)).toEqual(outcome.rejected.map(rejection => rejection.index));
        // JSON.stringify escapes surrogates only where they stand alone.
        expect(JSON.stringify([events, failures])).not.toMatch(/\\ud[89a-f]/i);
      }),
    );
  });

  test('any text as a body is taken or refused, and never thrown at', () => {
    const route = fc.constantFrom('batch', 't', 'identify', 'nothing');
    fc.assert(
      fc.property(fc.oneof(anyText, fc.json()), route, (body, name) => {
        expect(send(body, { path: `/v1/${name}`, headers: { 'x-write-key': 'wk_test' } })).toBeTypeOf('object');
      }),
    );
  });
});
