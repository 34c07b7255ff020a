import { describe, expect, test } from 'vitest';
import type { TrackerRequest } from '../../../../src/lib/clickstream/protocols/protocol.ts';
import { accepted, failed, send, stored } from '../request.ts';

const library = { $lib: 'posthog-node', $lib_version: '5.70.0' };
const event = { event: 'Dish viewed', uuid: 'e1', distinct_id: 'u1', timestamp: '2026-11-20T09:59:59.173Z' };

const post = (body: unknown, request: Partial<TrackerRequest> = {}) => send(body, { path: '/batch/', ...request });
const batch = (...items: unknown[]) => post({ api_key: 'wk_test', batch: items, sent_at: '2026-11-20T10:00:00.000Z' });
const storedFrom = (fields: object, properties: object = {}) =>
  stored(batch({ ...event, ...fields, properties: { ...library, ...properties } }))[0];

test('reads an event of the server library into columns, and keeps its properties', () => {
  const row = storedFrom({}, { title: 'Soup', nested: { a: [1] }, $geoip_disable: true });
  expect(row).toMatchObject({
    event_id: 'e1',
    type: 'track',
    name: 'Dish viewed',
    occurred_at: '2026-11-20 09:59:59.173',
    user_id: 'u1',
    library: 'posthog-node 5.70.0',
    protocol: 'posthog',
    source: 'website',
  });
  expect(JSON.parse(row?.properties ?? '')).toEqual({ title: 'Soup', nested: { a: [1] }, $geoip_disable: true });
  expect(row).not.toHaveProperty('page_title');
  expect(row).not.toHaveProperty('context');
});

test('reads a page view of a browser', () => {
  const row = storedFrom(
    { event: '$pageview', offset: 12 },
    {
      ...{ $current_url: 'https://t.example/menu?a=b', $pathname: '/menu', title: 'Menu é', $referrer: '$direct' },
      ...{ $session_id: 's1', $device_id: 'd1', utm_source: 'news', $browser_language: 'fr-FR', $ip: '198.51.100.7' },
      ...{ $raw_user_agent: 'Mozilla/5.0 (compatible; Googlebot/2.1)', $screen_height: 720 },
    },
  );
  expect(row).toMatchObject({
    ...{ type: 'page', page_url: 'https://t.example/menu?a=b', page_path: '/menu', page_title: 'Menu é' },
    ...{ session_id: 's1', anonymous_id: 'd1', user_id: 'u1', utm_source: 'news', locale: 'fr-FR' },
    ...{ ip: '198.51.100.0', is_bot: true, context: '{"offset":12}' },
  });
  expect(JSON.parse(row?.properties ?? '')).toEqual({ title: 'Menu é', $device_id: 'd1', $screen_height: 720 });
  expect(row).not.toHaveProperty('referrer');
  expect(row).not.toHaveProperty('name');
});

describe('what other protocols have types for', () => {
  test.each([
    [
      '$identify',
      { $set: { plan: 'pro' }, $set_once: { plan: 'free', first: 1 } },
      'identify',
      undefined,
      { plan: 'pro', first: 1 },
    ],
    ['$set', { $set: { plan: 'pro' } }, 'identify', undefined, { plan: 'pro' }],
    [
      '$groupidentify',
      { $group_type: 'company', $group_key: 'g1', $group_set: { name: 'Org' } },
      'group',
      'g1',
      { name: 'Org' },
    ],
    ['$create_alias', { alias: 'anon-1' }, 'alias', 'anon-1', undefined],
    ['$screen', { $screen_name: 'Home' }, 'screen', 'Home', undefined],
  ])('%s', (name, properties, type, expectedName, traits) => {
    const row = storedFrom({ event: name }, properties);
    expect([row?.type, row?.name]).toEqual([type, expectedName]);
    expect(row?.traits && JSON.parse(row.traits)).toEqual(traits);
    expect(row?.properties ?? '').not.toContain('set');
  });

  test('its other events are tracks by their own names, with all they set', () => {
    expect(storedFrom({ event: '$feature_flag_called' }, { $set: { a: 1 } })).toMatchObject({
      ...{ type: 'track', name: '$feature_flag_called', properties: '{"$set":{"a":1}}' },
    });
  });
});

describe('the visitor', () => {
  test.each([
    ['a known one', 'u1', { $device_id: 'd1' }, { user_id: 'u1', anonymous_id: 'd1' }],
    [
      'one who was anonymous',
      'u1',
      { $anon_distinct_id: 'a1', $device_id: 'd1' },
      { user_id: 'u1', anonymous_id: 'a1' },
    ],
    ['an anonymous one in a browser', 'd1', { $is_identified: false, $device_id: 'd1' }, { anonymous_id: 'd1' }],
    ['one without a profile', 'x', { $process_person_profile: false }, { anonymous_id: 'x' }],
    ['a number', 42, {}, { user_id: '42' }],
    ['nobody, for a group', '$company_g1', { $group_type: 'company', $group_key: 'g1' }, {}],
  ])('%s', (_, distinct_id, properties, expected) => {
    const { user_id, anonymous_id } = storedFrom({ distinct_id }, properties) ?? {};
    expect({ user_id, anonymous_id }).toEqual(expected);
  });
});

describe('a request', () => {
  const own = { ...event, properties: library };
  test.each([
    ['/batch', { api_key: 'wk_test', batch: [own] }],
    ['/i/v0/e/', { api_key: 'wk_test', ...own }],
    ['/i/v0/e', { token: 'wk_test', ...own }],
    ['/e/', [{ ...event, properties: { token: 'wk_test' } }]],
    ['/e', { ...event, distinct_id: undefined, properties: { token: 'wk_test', distinct_id: 'u1' } }],
  ])('to %s: %j', (path, body) => {
    expect(stored(post(body, { path }))).toMatchObject([{ event_id: 'e1', user_id: 'u1', name: 'Dish viewed' }]);
    expect(JSON.stringify(stored(post(body, { path })))).not.toContain('wk_test');
  });

  test('is dated by sent_at where its clock is wrong', () => {
    const sent = { api_key: 'wk_test', sent_at: '2026-11-20T09:00:00.250Z' };
    const [row] = stored(post({ ...sent, batch: [{ ...event, timestamp: '2026-11-20T08:59:59.000Z' }] }));
    expect(row?.occurred_at).toBe('2026-11-20 09:59:59.000');
  });

  test.each([
    ['no JSON', '{'],
    ['a number', 5],
    ['a batch that is no array', { batch: {} }],
  ])('of %s is refused', (_, body) => {
    expect(post(body)).toMatchObject({ refused: 'malformed' });
  });

  test('with an unknown key is refused', () => {
    expect(post({ api_key: 'wk_other', batch: [own] })).toMatchObject({ refused: 'unknown-write-key' });
    expect(post({ batch: [] })).toMatchObject({ refused: 'unknown-write-key' });
  });
});

describe('rejects as data', () => {
  test.each([
    ['not-an-object', null],
    ['invalid-object', { ...event, properties: [] }],
    ['missing-identity', { ...event, distinct_id: '' }],
    ['missing-name', { ...event, event: '' }],
    ['missing-name', { ...event, event: {} }],
    ['missing-name', { ...event, event: '$groupidentify' }],
    ['missing-name', { ...event, event: '$create_alias' }],
    ['invalid-timestamp', { ...event, timestamp: 'yesterday' }],
  ])('%s: %j', (code, item) => {
    const outcome = batch(event, item, event);
    expect(accepted(outcome).rejected).toEqual([{ index: 1, reason: expect.stringMatching(/^.*\.$/) }]);
    expect(failed(outcome)).toMatchObject([{ code, raw: JSON.stringify(item), protocol: 'posthog' }]);
    expect(failed(outcome)[0]?.event_id).toBe(item === null ? undefined : 'e1');
  });

  test('a group whose names cannot be turned into text', () => {
    const odd = { toString: null, valueOf: null };
    const item = { ...event, event: '$groupidentify', properties: { $group_type: odd, $group_key: odd } };
    expect(failed(batch(item))).toMatchObject([{ code: 'missing-name' }]);
  });
});
