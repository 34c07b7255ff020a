import { randomUUID } from 'node:crypto';
import { jitsuAnalytics } from '@jitsu/js';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { buildPageView, buildSelfDescribingEvent, buildStructEvent, newTracker } from '@snowplow/node-tracker';
import { PostHog } from 'posthog-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalStage, post, sql, startStage, untilSql } from '../stage.ts';

let stage: LocalStage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage?.stop());

const key = 'wk_local';
const dish = (index: number) => `Dish ${index} 😀`;
const dishes = Array.from({ length: 25 }, (_, index) => dish(index)).sort();

/** Everything of a visitor, in an order that does not depend on who came first. */
const eventsOf = (userId: string, table = 'events_unique') =>
  `select type, coalesce(name, '-') from ${table} where user_id = '${userId}' order by 1, 2`;

/** Waits for the wanted rows, and holds that none of them was stored twice. */
async function expectOnce(userId: string, wanted: readonly (readonly [type: string, name: string])[]): Promise<void> {
  await untilSql(stage, eventsOf(userId), wanted);
  expect(await sql(stage, eventsOf(userId, 'events'))).toEqual(wanted);
}

const tracks = (names: readonly string[]) => names.map(name => ['track', name] as const);

describe('each event once in events_unique, by the unmodified', () => {
  it.each([
    ['with gzip', true],
    ['without', false],
  ])('@rudderstack/rudder-sdk-node, %s', async (_, gzip) => {
    const userId = randomUUID();
    const rudder = new RudderAnalytics(key, { dataPlaneUrl: stage.url, gzip, flushAt: 10, logLevel: 'error' });
    for (const event of dishes) rudder.track({ userId, event });
    rudder.page({ userId, name: 'Menu' });
    rudder.identify({ userId, traits: { plan: 'regular' } });
    await rudder.flush();
    await expectOnce(userId, [['identify', '-'], ['page', 'Menu'], ...tracks(dishes)]);
    const one = `select distinct protocol, library from events where user_id = '${userId}'`;
    expect(await sql(stage, one)).toEqual([['rudder', expect.stringMatching(/^analytics-node 3\./)]]);
  });

  it.each(['post', 'get'] as const)('@snowplow/node-tracker, by %s', async eventMethod => {
    const userId = randomUUID();
    const failures: unknown[] = [];
    const snowplow = newTracker(
      { namespace: 'test', appId: key, encodeBase64: eventMethod === 'get' },
      { endpoint: stage.url, eventMethod, bufferSize: 10, onRequestFailure: failure => failures.push(failure) },
    );
    snowplow.setUserId(userId);
    snowplow.track(buildPageView({ pageUrl: 'https://t.example/menu?utm_source=news', pageTitle: 'Menu é' }));
    const schema = 'iglu:com.acme/order_placed/jsonschema/1-0-0';
    snowplow.track(buildSelfDescribingEvent({ event: { schema, data: { table: 7, note: 'sans sel 🧂' } } }));
    for (const action of dishes) snowplow.track(buildStructEvent({ category: 'menu', action }));
    await snowplow.flush();
    await expectOnce(userId, [['page', '-'], ...tracks([...dishes, 'order_placed'])]);
    const page = `select page_title, page_path, utm_source, library from events where user_id = '${userId}' and type = 'page'`;
    expect(await sql(stage, page)).toEqual([['Menu é', '/menu', 'news', expect.stringMatching(/^node-4\./)]]);
    const note = `select json_extract_scalar(properties, '$.note') from events where user_id = '${userId}' and name = 'order_placed'`;
    expect(await sql(stage, note)).toEqual([['sans sel 🧂']]);
    expect(failures).toEqual([]);
  });

  // API Gateway reads what is labelled application/json as text, and gzip does not survive that.
  it('posthog-node, its compression off', async () => {
    const userId = randomUUID();
    const posthog = new PostHog(key, { host: stage.url, disableCompression: true, flushAt: 10 });
    for (const event of dishes) posthog.capture({ distinctId: userId, event });
    posthog.capture({ distinctId: userId, event: '$pageview', properties: { $current_url: 'https://t.example/menu' } });
    posthog.identify({ distinctId: userId, properties: { plan: 'regular' } });
    posthog.alias({ distinctId: userId, alias: 'guest-1' });
    await posthog.shutdown();
    await expectOnce(userId, [['alias', 'guest-1'], ['identify', '-'], ['page', '-'], ...tracks(dishes)]);
  });

  it('posthog-node, which asks for a feature flag and hears of none', async () => {
    const posthog = new PostHog(key, { host: stage.url, disableCompression: true });
    const flags = await posthog.evaluateFlags(randomUUID());
    expect(flags.isEnabled('new-menu')).toBe(false);
    await posthog.shutdown();
  });

  it.each([
    ['a browser', false],
    ['a server', true],
  ])('@jitsu/js, as on %s', async (_, s2s) => {
    const userId = randomUUID();
    const jitsu = jitsuAnalytics({ host: stage.url, writeKey: `${key}:secret`, s2s });
    await jitsu.identify(userId, { plan: 'regular' });
    await jitsu.page({ name: 'Menu', url: 'https://t.example/menu' });
    await jitsu.group('club', { size: 3 });
    for (const event of dishes.slice(0, 3)) await jitsu.track(event, { table: 7 });
    await expectOnce(userId, [['group', 'club'], ['identify', '-'], ['page', 'Menu'], ...tracks(dishes.slice(0, 3))]);
  });
});

// These libraries run in browsers only: their requests are sent as they were seen to send them.
describe('by the requests of a browser library', () => {
  it('AWS’s clickstream-web', async () => {
    const userId = randomUUID();
    const event = (event_type: string) => ({
      ...{ event_type, event_id: randomUUID(), unique_id: 'v1', app_id: key, timestamp: Date.now() },
      user: { _user_id: { value: userId, set_timestamp: 1 } },
      attributes: { _session_id: 's1', _page_url: 'https://t.example/menu' },
    });
    const query = `platform=Web&appId=${key}&event_bundle_sequence_id=1&upload_timestamp=${Date.now()}`;
    const response = await post(stage, `/collect?${query}`, [event('_page_view'), event('Dish_viewed')], {
      authorization: '',
    });
    expect([response.status, await response.json()]).toEqual([200, { success: true }]);
    await expectOnce(userId, [
      ['page', '-'],
      ['track', 'Dish_viewed'],
    ]);
  });

  it('Segment’s analytics-next finds out where to send', async () => {
    const response = await fetch(`${stage.url}/v1/projects/${key}/settings`);
    const { integrations } = (await response.json()) as { integrations: Record<string, unknown> };
    const { host } = new URL(stage.url);
    expect(integrations['Segment.io']).toEqual({ apiKey: key, apiHost: `${host}/v1`, protocol: 'http' });
  });

  it('that ends its path with a slash or does not', async () => {
    const userId = randomUUID();
    const paths = ['/batch', '/batch/', '/e', '/e/', '/i/v0/e', '/i/v0/e/'];
    for (const path of paths) {
      const body = { api_key: key, batch: [{ event: path, uuid: randomUUID(), distinct_id: userId }] };
      expect((await post(stage, path, body, { authorization: '' })).status).toBe(200);
    }
    await expectOnce(userId, tracks(paths));
  });
});

describe('a wrong key is told, and nothing is stored', () => {
  it.each([
    ['/com.snowplowanalytics.snowplow/tp2', { data: [{ e: 'pv', aid: 'wk_other' }] }],
    ['/batch/', { api_key: 'wk_other', batch: [] }],
    ['/api/s/track', { type: 'track', event: 'E', userId: 'u', writeKey: 'wk_other:***' }],
    ['/collect?appId=wk_other', []],
  ])('at %s', async (path, body) => {
    const response = await post(stage, path, body, { authorization: '' });
    expect([response.status, await response.json()]).toMatchObject([401, { status: 401 }]);
  });
});
