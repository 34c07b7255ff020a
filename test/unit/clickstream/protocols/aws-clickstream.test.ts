import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { accepted, chrome, failed, send, stored } from '../request.ts';

const event = {
  event_type: 'Dish_viewed',
  event_id: 'e1',
  device_id: 'd1',
  unique_id: 'v1',
  app_id: 'wk_test',
  timestamp: 1795168799173,
  locale: 'en-US',
  country_code: 'US',
  platform: 'Web',
  screen_height: 720,
  sdk_name: 'aws-solution-clickstream-sdk',
  sdk_version: '0.12.6',
  user: {
    _user_id: { value: 'u1', set_timestamp: 1 },
    plan: { value: 'pro', set_timestamp: 2 },
  },
  attributes: {
    _session_id: 's1',
    _session_number: 1,
    _page_title: 'Menu é',
    _page_url: 'https://t.example/menu?utm_source=x',
    _latest_referrer: 'https://search.example/',
  },
};

const hashOf = (body: string) => createHash('sha256').update(body).digest('hex').slice(0, 8);

function post(items: unknown, parameters: Record<string, string> = {}) {
  const body = JSON.stringify(items);
  const sent = {
    platform: 'Web',
    appId: 'wk_test',
    event_bundle_sequence_id: '1',
    hashCode: hashOf(body),
    ...parameters,
  };
  const headers = { 'user-agent': chrome };
  return send(body, { path: '/collect', query: new URLSearchParams(sent).toString(), headers });
}

const storedFrom = (fields: object) => stored(post([{ ...event, ...fields }]))[0];

test('reads an event into columns, and keeps the rest of it', () => {
  const items = [{ id: 'i1', name: 'Tasse é', price: 3 }];
  const row = storedFrom({ attributes: { ...event.attributes, price: 12.5 }, items });
  expect(row).toMatchObject({
    event_id: 'e1',
    type: 'track',
    name: 'Dish_viewed',
    occurred_at: '2026-11-20 09:59:59.173',
    anonymous_id: 'v1',
    user_id: 'u1',
    session_id: 's1',
    page_url: 'https://t.example/menu?utm_source=x',
    page_path: '/menu',
    page_title: 'Menu é',
    referrer: 'https://search.example/',
    utm_source: 'x',
    browser: 'Chrome',
    locale: 'en-US',
    library: 'aws-solution-clickstream-sdk 0.12.6',
    protocol: 'aws-clickstream',
    source: 'website',
  });
  expect(JSON.parse(row?.properties ?? '')).toEqual({
    ...{ _session_number: 1, _latest_referrer: 'https://search.example/', price: 12.5, items },
  });
  expect(JSON.parse(row?.context ?? '')).toEqual({
    ...{ device_id: 'd1', country_code: 'US', platform: 'Web', screen_height: 720 },
    user: { plan: { value: 'pro', set_timestamp: 2 } },
  });
  // The SDK takes the country from the browser's language: a visitor's country is told by the edge.
  expect(row).not.toHaveProperty('country');
});

test('a page view is a page, and knows the page before it', () => {
  const attributes = { ...event.attributes, _page_referrer: 'https://t.example/' };
  expect(storedFrom({ event_type: '_page_view', attributes })).toMatchObject({
    type: 'page',
    referrer: 'https://t.example/',
  });
});

test('a screen view is a screen by its name', () => {
  const attributes = { _screen_name: 'Menu', _traffic_source_source: 'mail' };
  expect(storedFrom({ event_type: '_screen_view', attributes })).toMatchObject({
    ...{ type: 'screen', name: 'Menu', utm_source: 'mail' },
  });
});

test('a profile is an identify, with the values of its attributes', () => {
  const row = storedFrom({ event_type: '_profile_set' });
  expect(row).toMatchObject({ type: 'identify', user_id: 'u1', traits: '{"plan":"pro"}' });
  expect(row?.context).not.toContain('plan');
});

test('a wrong clock is put right by the time of upload', () => {
  const [row] = stored(post([{ ...event, timestamp: 1795165199173 }], { upload_timestamp: '1795165200250' }));
  expect(row?.occurred_at).toBe('2026-11-20 09:59:59.173');
});

describe('a request', () => {
  test('whose body is not what the SDK hashed is refused, and one without a hash is taken', () => {
    expect(post([event], { hashCode: '00000000' })).toMatchObject({ refused: 'malformed' });
    expect(stored(send([event], { path: '/collect', query: 'appId=wk_test' }))).toHaveLength(1);
  });

  test.each([
    ['no JSON', '{'],
    ['an object', event],
    ['nothing', ''],
  ])('of %s is refused', (_, body) => {
    expect(send(body, { path: '/collect', query: 'appId=wk_test' })).toMatchObject({ refused: 'malformed' });
  });

  test('with an unknown key is refused', () => {
    expect(post([event], { appId: 'wk_other' })).toMatchObject({ refused: 'unknown-write-key' });
    expect(send([event], { path: '/collect' })).toMatchObject({ refused: 'unknown-write-key' });
  });
});

describe('rejects as data', () => {
  test.each([
    ['not-an-object', 'text'],
    ['missing-name', { ...event, event_type: undefined }],
    ['invalid-object', { ...event, attributes: 'text' }],
    ['invalid-timestamp', { ...event, timestamp: 'yesterday' }],
  ])('%s: %j', (code, item) => {
    const outcome = post([event, item, event]);
    expect(accepted(outcome).rejected).toEqual([{ index: 1, reason: expect.stringMatching(/^.*\.$/) }]);
    expect(failed(outcome)).toMatchObject([{ code, raw: JSON.stringify(item), protocol: 'aws-clickstream' }]);
    expect(failed(outcome)[0]?.event_id).toBe(item === 'text' ? undefined : 'e1');
  });
});
