import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Analytics } from '@segment/analytics-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, type LocalStage, post, sql, startStage, untilSql } from '../stage.ts';

let stage: LocalStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

/** The stored events of one test, told apart by their visitor. */
const eventsOf = (anonymousId: string, columns: string) =>
  `select ${columns} from events where anonymous_id = '${anonymousId}' order by received_at, ingest_seq`;

describe('an event reaches the lake', () => {
  it('by curl and Basic auth', async () => {
    const visitor = randomUUID();
    const response = await post(stage, '/v1/track', { event: 'Menu seen', anonymousId: visitor, messageId: visitor });
    expect([response.status, await response.json()]).toEqual([200, { success: true }]);
    await untilSql(stage, eventsOf(visitor, 'type, name, event_id, source, protocol'), [
      ['track', 'Menu seen', visitor, 'local', 'segment'],
    ]);
  });

  it.each([
    ['track', 't'],
    ['page', 'p'],
    ['screen', 's'],
    ['identify', 'i'],
    ['group', 'g'],
    ['alias', 'a'],
  ])('by /v1/%s and by /v1/%s', async (long, short) => {
    const visitor = randomUUID();
    const event = {
      anonymousId: visitor,
      userId: 'u1',
      previousId: 'u0',
      groupId: 'g1',
      event: 'e',
      name: 'n',
      context: { ip: '203.0.113.77' },
    };
    for (const path of [long, short]) {
      const response = await post(stage, `/v1/${path}`, { ...event, messageId: `${path}-${visitor}` });
      expect(await response.json()).toEqual({ success: true });
    }
    await untilSql(stage, `select type from events where anonymous_id = '${visitor}'`, [[long], [long]]);
  });

  it('by the unmodified Segment SDK', async () => {
    const visitor = randomUUID();
    const analytics = new Analytics({ writeKey: 'wk_local', host: stage.url, flushAt: 5 });
    for (let index = 0; index < 12; index++) {
      analytics.track({ anonymousId: visitor, event: 'Dish viewed', properties: { sku: `dish-${index}` } });
    }
    await analytics.closeAndFlush();
    await untilSql(
      stage,
      `select count(*), count(distinct event_id) from events_unique where anonymous_id = '${visitor}'`,
      [['12', '12']],
    );
    // The SDK has several requests under way at once, so only a visitor's events of one request have an order.
    const skus = await sql(stage, eventsOf(visitor, `json_extract_scalar(properties, '$.sku')`));
    expect(skus.flat().sort()).toEqual(Array.from({ length: 12 }, (_, index) => `dish-${index}`).sort());
  });

  it('by sendBeacon, as text/plain with the key in the body', async () => {
    const visitor = randomUUID();
    const body = JSON.stringify({
      writeKey: 'wk_local',
      batch: [{ type: 'page', anonymousId: visitor, name: 'Home' }],
    });
    const response = await fetch(`${stage.url}/v1/b`, { method: 'POST', body });
    expect(await response.json()).toEqual({ success: true });
    await untilSql(stage, eventsOf(visitor, 'type, name'), [['page', 'Home']]);
  });

  it.each(['application/gzip', 'application/octet-stream'])('compressed, under %s', async contentType => {
    const visitor = randomUUID();
    const body = gzipSync(JSON.stringify({ batch: [{ type: 'track', event: 'Zipped', anonymousId: visitor }] }));
    const response = await post(stage, '/v1/batch', body, { 'content-type': contentType });
    expect(response.status).toBe(200);
    await untilSql(stage, eventsOf(visitor, 'name'), [['Zipped']]);
  });

  it('with text of every script, quotes and line ends whole', async () => {
    const visitor = randomUUID();
    const title = 'Crème brûlée 🍮 "à la\ncarte"\t日本 \u0000 \\';
    await post(stage, '/v1/page', { anonymousId: visitor, name: title, properties: { title } });
    await untilSql(stage, `select count(*) from events where anonymous_id = '${visitor}'`, [['1']]);
    const [[name, stored] = []] = await sql(
      stage,
      eventsOf(visitor, `name, json_extract_scalar(properties, '$.title')`),
    );
    expect(stored).toBe(title);
    expect(name).toBe(title);
  });

  it('with who, where from and which browser in columns of their own', async () => {
    const visitor = randomUUID();
    await post(
      stage,
      '/v1/page',
      {
        anonymousId: visitor,
        userId: 'guest-7',
        name: 'Menu',
        context: {
          page: {
            url: 'http://127.0.0.1/menu?utm_source=x',
            path: '/menu',
            title: 'The menu',
            referrer: 'https://example.com/',
          },
          campaign: { source: 'newsletter', medium: 'email', name: 'autumn' },
          locale: 'de-DE',
          library: { name: 'analytics.js', version: '4' },
        },
      },
      {
        'user-agent':
          'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
      },
    );
    const columns =
      'user_id, page_path, page_title, referrer, utm_source, utm_medium, utm_campaign, locale, browser, os, device_type, is_bot, ip';
    await untilSql(stage, eventsOf(visitor, columns), [
      [
        'guest-7',
        '/menu',
        'The menu',
        'https://example.com/',
        'newsletter',
        'email',
        'autumn',
        'de-DE',
        'Safari',
        'iOS',
        'mobile',
        'false',
        '127.0.0.0',
      ],
    ]);
  });

  it('once in events_unique, however often it is sent', async () => {
    const visitor = randomUUID();
    const event = { anonymousId: visitor, messageId: `again-${visitor}`, event: 'Ordered' };
    for (let sent = 0; sent < 3; sent++) await post(stage, '/v1/track', event);
    await untilSql(stage, `select count(*) from events where anonymous_id = '${visitor}'`, [['3']]);
    expect(await sql(stage, `select count(*) from events_unique where anonymous_id = '${visitor}'`)).toEqual([['1']]);
  });

  it('with its own time, unless its clock is more than five minutes off', async () => {
    const visitor = randomUUID();
    const sentAt = new Date().toISOString();
    const behind = new Date(Date.now() - 3_600_000);
    await post(stage, '/v1/batch', {
      sentAt,
      batch: [{ type: 'track', event: 'old', anonymousId: visitor, timestamp: '1999-06-24T10:06:37.000Z' }],
    });
    await post(stage, '/v1/batch', {
      sentAt: behind.toISOString(),
      batch: [{ type: 'track', event: 'skewed', anonymousId: visitor, timestamp: behind.toISOString() }],
    });
    await untilSql(stage, eventsOf(visitor, 'count(*)').replace(/order by.*/, ''), [['2']]);
    const rows = await sql(
      stage,
      eventsOf(visitor, `name, cast(occurred_at as varchar), abs(date_diff('second', occurred_at, received_at)) < 5`),
    );
    expect(rows).toEqual([
      ['old', expect.stringContaining('1999-06-24 10:06:37'), 'false'],
      ['skewed', expect.any(String), 'true'],
    ]);
  });
});

describe('a bad event beside good ones', () => {
  it('is told, kept with its reason, and its neighbours are stored', async () => {
    const visitor = randomUUID();
    const response = await post(stage, '/v1/batch', {
      batch: [
        { type: 'track', event: 'good', anonymousId: visitor },
        { type: 'track', anonymousId: visitor },
        { type: 'dance', anonymousId: visitor },
        'not an event',
        { type: 'page', name: 'good too', anonymousId: visitor },
      ],
    });
    expect(response.status).toBe(200);
    const answer = await response.json();
    expect(answer).toEqual({
      success: true,
      rejected: [1, 2, 3].map(index => ({ index, reason: expect.any(String) })),
    });
    await untilSql(stage, eventsOf(visitor, 'name'), [['good'], ['good too']]);
    await untilSql(
      stage,
      `select ingest_seq, source from failed_events where raw like '%${visitor}%' or raw = '"not an event"' order by ingest_seq`,
      [
        ['1', 'local'],
        ['2', 'local'],
        ['3', 'local'],
      ],
    );
  });
});

describe('a bad request gets problem+json with a sentence', () => {
  const good = JSON.stringify({ batch: [{ type: 'track', event: 'x', anonymousId: 'a' }] });
  const json = { 'content-type': 'application/json' };
  const mislabelled = gzipSync(good);
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  const cases: [string, number, string, string | Uint8Array, Record<string, string>][] = [
    ['no JSON', 400, '/v1/batch', '{"batch": [', {}],
    ['an empty body', 400, '/v1/batch', '', {}],
    ['JSON that is no object', 400, '/v1/track', '7', {}],
    ['a batch that is none', 400, '/v1/batch', '{"batch": 7}', {}],
    ['an unknown write key', 401, '/v1/batch', good, { authorization: basic('wk_wrong') }],
    ['no write key', 401, '/v1/batch', good, { authorization: '' }],
    ['a batch over 500 KB', 413, '/v1/batch', JSON.stringify({ batch: [{ x: 'y'.repeat(600_000) }] }), {}],
    ['an event over 32 KB', 413, '/v1/track', JSON.stringify({ event: 'x', x: 'y'.repeat(40_000) }), {}],
    ['a zip bomb', 413, '/v1/batch', bomb, { 'content-type': 'application/gzip' }],
    ['gzip under a text type', 415, '/v1/batch', mislabelled, json],
    ['broken gzip', 400, '/v1/batch', mislabelled.subarray(0, 30), { 'content-type': 'application/gzip' }],
    ['an unknown route', 404, '/v1/nothing', good, {}],
  ];

  it.each(cases)('%s: %i', async (_, status, path, body, headers) => {
    const response = await post(stage, path, body, headers);
    const problem = await response.json();
    expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    expect(problem).toEqual(expect.objectContaining({ status, title: expect.any(String), detail: expect.any(String) }));
    expect(JSON.stringify(problem)).not.toMatch(/\bat \w+ \(|node:internal|\.ts:\d/);
  });

  it('keeps nothing of a refused request', async () => {
    const visitor = randomUUID();
    await post(stage, '/v1/track', { event: 'x', anonymousId: visitor }, { authorization: basic('wk_wrong') });
    const accepted = randomUUID();
    await post(stage, '/v1/track', { event: 'x', anonymousId: accepted });
    await untilSql(stage, eventsOf(accepted, 'name'), [['x']]);
    expect(await sql(stage, eventsOf(visitor, 'name'))).toEqual([]);
  });
});

describe('a browser on another origin', () => {
  it('may send from an allowed one, and see Retry-After', async () => {
    const origin = 'http://127.0.0.1:3000';
    const preflight = await fetch(`${stage.url}/v1/batch`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe(origin);
    expect(preflight.headers.get('access-control-allow-credentials')).toBe('true');
    const response = await post(stage, '/v1/track', { event: 'x', anonymousId: 'cors' }, { origin });
    expect(response.headers.get('access-control-expose-headers')).toMatch(/retry-after/i);
  });

  it('gets no CORS headers from a foreign one', async () => {
    const response = await post(
      stage,
      '/v1/track',
      { event: 'x', anonymousId: 'cors' },
      { origin: 'https://evil.example' },
    );
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
  });
});
