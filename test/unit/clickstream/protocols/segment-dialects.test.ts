import { describe, expect, test } from 'vitest';
import { failed, send, stored, storedEvent } from '../request.ts';

describe('rudder', () => {
  const headers = {
    'user-agent': 'analytics-node/3.0.13',
    authorization: `Basic ${Buffer.from('wk_test:').toString('base64')}`,
  };
  const event = {
    type: 'track',
    event: 'Dish viewed',
    userId: 'u1',
    channel: 'server',
    context: { library: { name: 'analytics-node', version: '3.0.13' } },
    originalTimestamp: '2026-11-20T09:59:59.173Z',
    messageId: 'm1',
  };
  const post = (...batch: object[]) => send({ batch, sentAt: '2026-11-20T10:00:00.000Z' }, { headers });

  test('is Segment’s dialect by another library', () => {
    expect(stored(post(event))).toMatchObject([
      {
        ...{ event_id: 'm1', type: 'track', name: 'Dish viewed', user_id: 'u1', protocol: 'rudder' },
        ...{ occurred_at: '2026-11-20 09:59:59.173', library: 'analytics-node 3.0.13' },
      },
    ]);
  });

  test('the time that the caller gave goes before the time of the call', () => {
    const [row] = stored(post({ ...event, timestamp: '2024-01-02T03:04:05.000Z' }));
    expect(row?.occurred_at).toBe('2024-01-02 03:04:05.000');
  });

  test.each([
    ['beside those of the event', { email: 'é@ex.test' }, { email: 'é@ex.test', plan: 'pro' }],
    ['alone', undefined, { email: 'old@ex.test', plan: 'pro' }],
    ['with none of the event', null, { email: 'old@ex.test', plan: 'pro' }],
  ])('traits of identify may stand in the context, %s', (_, traits, expected) => {
    const context = { traits: { email: 'old@ex.test', plan: 'pro' }, timezone: 'UTC' };
    const [row] = stored(post({ ...event, type: 'identify', traits, context }));
    expect(JSON.parse(row?.traits ?? '')).toEqual(expected);
    expect(row?.context).toBe('{"timezone":"UTC"}');
  });

  test('of other events they say who did it, and stay in the context', () => {
    const [row] = stored(post({ ...event, context: { traits: { plan: 'pro' } } }));
    expect(row).not.toHaveProperty('traits');
    expect(row?.context).toBe('{"traits":{"plan":"pro"}}');
  });

  test('a rejected event is kept as it came', () => {
    const bad = { ...event, type: 'identify', userId: {}, context: { traits: { plan: 'pro' } } };
    expect(failed(post(bad))).toMatchObject([{ event_id: 'm1', protocol: 'rudder', raw: JSON.stringify(bad) }]);
  });

  test('its browser library is known by a header, and Segment’s by the lack of both', () => {
    const protocolOf = (own: Record<string, string>) => storedEvent(event, { headers: own }).protocol;
    expect(protocolOf({ anonymousid: 'YTE=' })).toBe('rudder');
    expect(protocolOf({ 'user-agent': 'analytics-node-next/latest' })).toBe('segment');
  });
});

describe('jitsu', () => {
  const event = {
    type: 'page',
    properties: { name: 'Menu', url: 'https://t.example/a?utm_source=b', path: '/a' },
    userId: 'u1',
    anonymousId: 'a1',
    timestamp: '2026-11-20T09:59:59.173Z',
    sentAt: '2026-11-20T10:00:00.000Z',
    messageId: 'm1',
    writeKey: 'wk_test:***',
    context: { library: { name: '@jitsu/js', version: '1.11.0', env: 'node' }, page: {}, clientIds: {}, campaign: {} },
  };
  const post = (path: string, body: object = event, key?: string) =>
    send(body, { path, headers: key === undefined ? {} : { 'x-write-key': key } });

  test.each(['/api/s/page', '/api/s/s2s/page'])('is an event a request at %s', path => {
    expect(stored(post(path, event, 'wk_test:secret'))).toMatchObject([
      {
        ...{ event_id: 'm1', type: 'page', name: 'Menu', user_id: 'u1', anonymous_id: 'a1', protocol: 'jitsu' },
        ...{ page_url: 'https://t.example/a?utm_source=b', utm_source: 'b', library: '@jitsu/js 1.11.0' },
      },
    ]);
  });

  test.each(['track', 'identify', 'group', 'screen', 'alias'])('%s has a path of its own', type => {
    const fields = { ...event, type, event: 'E', groupId: 'g1', previousId: 'p1' };
    expect(stored(post(`/api/s/${type}`, fields))).toMatchObject([{ type }]);
  });

  test.each([
    ['in the header, before the body’s', { writeKey: 'wk_other:***' }, 'wk_test:secret'],
    ['in the header without a secret', {}, 'wk_test'],
    ['in the body', { writeKey: 'wk_test:***' }, undefined],
  ])('the id of its key is the write key: %s', (_, fields, key) => {
    expect(stored(post('/api/s/page', { ...event, ...fields }, key))).toHaveLength(1);
  });

  test('the secret alone is none', () => {
    expect(post('/api/s/page', event, 'secret:wk_test')).toMatchObject({ refused: 'unknown-write-key' });
  });

  test.each(['/api/s/event', '/api/s/s2s/batch', '/api/s/'])('nothing is spoken at %s', path => {
    expect(post(path)).toMatchObject({ refused: 'malformed' });
  });
});
