import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jitsuAnalytics } from '@jitsu/js';
import RudderAnalytics from '@rudderstack/rudder-sdk-node';
import { Analytics } from '@segment/analytics-node';
import { buildStructEvent, newTracker } from '@snowplow/node-tracker';
import { PostHog } from 'posthog-node';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Effect } from '../../../local/gate/faults.ts';
import { type Line, openLine } from '../line.ts';
import { type LocalStage, sql, startStage, untilSql } from '../stage.ts';

/** The full length, 30 s, runs in CI. */
const outageMs = Number(process.env.SDK_OUTAGE_SECONDS ?? 3) * 1000;
/** Back-off doubles: whoever waits when the outage ends may have as long to wait again. */
const patienceMs = 2 * outageMs + 45_000;

const failing: Effect = { kind: 'error', code: 'InternalFailure', status: 500 };

let stage: LocalStage;
const lines: Line[] = [];
beforeAll(async () => {
  // What they report here they print as well.
  vi.spyOn(console, 'error').mockImplementation(() => {});
  stage = await startStage();
});
afterAll(async () => {
  await Promise.all(lines.map(line => line.close()));
  await stage?.stop();
});

async function newLine(): Promise<Line> {
  const line = await openLine(stage.url);
  lines.push(line);
  return line;
}

const key = 'wk_local';
const dishes = Array.from({ length: 25 }, (_, index) => `Dish ${String(index).padStart(2, '0')}`);
const namesOf = (userId: string) => `select name from events_unique where user_id = '${userId}' order by 1`;

describe('through an outage of lost answers, cut connections and 503s, each event is once in events_unique, by', () => {
  /** One kind of trouble: for as long as it was told, and until the tracker has met it. */
  async function lasts(line: Line, trouble: string): Promise<void> {
    await delay(outageMs / 3);
    await vi.waitFor(() => expect(line.fates).toContain(trouble), { timeout: patienceMs, interval: 20 });
  }

  /** Puts a line through the outage. Resolves when it is over. */
  async function suffer(line: Line): Promise<void> {
    line.set('lossy');
    await lasts(line, 'lost');
    line.set('cut');
    await lasts(line, 'cut');
    line.set('open');
    const lift = stage.cloud.faults.inject({ service: 'kinesis', effect: failing });
    await lasts(line, '503');
    lift();
  }

  async function expectOnce(userId: string): Promise<void> {
    const wanted = dishes.map(name => [name]);
    await untilSql(stage, namesOf(userId), wanted, patienceMs);
  }

  it.concurrent(
    '@segment/analytics-node, as it is',
    async () => {
      const [userId, line] = [randomUUID(), await newLine()];
      const over = suffer(line);
      const segment = new Analytics({ writeKey: key, host: line.url, flushAt: 10 });
      for (const event of dishes) segment.track({ userId, event });
      await segment.closeAndFlush({ timeout: patienceMs });
      await over;
      await expectOnce(userId);
    },
    2 * patienceMs,
  );

  it.concurrent(
    '@rudderstack/rudder-sdk-node, told to try longer (retryCount: 9)',
    async () => {
      const [userId, line] = [randomUUID(), await newLine()];
      const over = suffer(line);
      const rudder = new RudderAnalytics(key, {
        dataPlaneUrl: line.url,
        flushAt: 10,
        retryCount: 9,
        logLevel: 'silent',
      });
      for (const event of dishes) rudder.track({ userId, event });
      await rudder.flush();
      await over;
      await expectOnce(userId);
    },
    2 * patienceMs,
  );

  it.concurrent(
    '@snowplow/node-tracker, which keeps what failed and sends it at its next flush',
    async () => {
      const [userId, line] = [randomUUID(), await newLine()];
      const over = suffer(line);
      let delivered = 0;
      const snowplow = newTracker(
        { namespace: 'outage', appId: key, encodeBase64: false },
        { endpoint: line.url, bufferSize: 10, onRequestSuccess: batch => (delivered += batch.length) },
      );
      snowplow.setUserId(userId);
      for (const action of dishes) snowplow.track(buildStructEvent({ category: 'menu', action }));
      const flushed = async () => {
        await snowplow.flush();
        expect(delivered).toBe(dishes.length);
      };
      await vi.waitFor(flushed, { timeout: patienceMs, interval: 100 });
      await over;
      await expectOnce(userId);
    },
    2 * patienceMs,
  );

  it.concurrent(
    'posthog-node, told to try longer (fetchRetryCount: 100)',
    async () => {
      const [userId, line] = [randomUUID(), await newLine()];
      const over = suffer(line);
      const retry = { fetchRetryCount: 100, fetchRetryDelay: 300 };
      const posthog = new PostHog(key, { host: line.url, disableCompression: true, flushAt: 10, ...retry });
      for (const event of dishes) posthog.capture({ distinctId: userId, event });
      await posthog.shutdown(patienceMs);
      await over;
      await expectOnce(userId);
    },
    2 * patienceMs,
  );
});

const reportTimeoutMs = 60_000;

/** Waits until a tracker has reported something, and holds what that is. */
const reported = (reports: readonly string[], wanted: RegExp) =>
  vi.waitFor(() => expect(reports).toContainEqual(expect.stringMatching(wanted)), {
    timeout: reportTimeoutMs,
    interval: 50,
  });

const storedOf = (userId: string) =>
  sql(
    stage,
    `select event_id from events where user_id = '${userId}' union all select raw from failed_events where raw like '%${userId}%'`,
  );

describe('what outlasts a tracker’s own patience is lost, as its makers chose, and it says so:', () => {
  let lift: () => void;
  beforeAll(() => {
    lift = stage.cloud.faults.inject({ service: 'kinesis', effect: failing });
  });
  afterAll(() => lift());

  it.concurrent('@jitsu/js at once, to its errorPolicy', async () => {
    const [userId, line, reports] = [randomUUID(), await newLine(), [] as string[]];
    const errorPolicy = (message: string) => void reports.push(message);
    const jitsu = jitsuAnalytics({ host: line.url, writeKey: `${key}:secret`, s2s: true, errorPolicy });
    await jitsu.track('Dish', { userId });
    await reported(reports, /failed with error: 503/);
    expect(line.fates).toEqual(['503']);
    expect(await storedOf(userId)).toEqual([]);
  });

  it.concurrent(
    '@rudderstack/rudder-sdk-node after three retries, to its errorHandler',
    async () => {
      const [userId, line, reports] = [randomUUID(), await newLine(), [] as string[]];
      const errorHandler = (error: Error) => void reports.push(error.message);
      // Cut off, because after a 503 it would wait the five seconds of Retry-After each time.
      line.set('cut');
      const rudder = new RudderAnalytics(key, { dataPlaneUrl: line.url, logLevel: 'silent', errorHandler });
      rudder.track({ userId, event: 'Dish' });
      await rudder.flush();
      await reported(reports, /ECONNRESET/);
      expect(line.fates).toEqual(['cut', 'cut', 'cut', 'cut']);
      expect(await storedOf(userId)).toEqual([]);
    },
    reportTimeoutMs,
  );

  it.concurrent(
    'posthog-node after three retries, by an error event',
    async () => {
      const [userId, line, reports] = [randomUUID(), await newLine(), [] as string[]];
      const posthog = new PostHog(key, { host: line.url, disableCompression: true, fetchRetryDelay: 50 });
      posthog.on('error', (error: Error) => void reports.push(error.message));
      posthog.capture({ distinctId: userId, event: 'Dish' });
      await posthog.shutdown();
      await reported(reports, /status=503/);
      expect(line.fates).toEqual(['503', '503', '503', '503']);
      expect(await storedOf(userId)).toEqual([]);
    },
    reportTimeoutMs,
  );
});

describe('a wrong write key is not tried again, and is reported by', () => {
  const wrongKey = 'wk_other';

  it.concurrent('@segment/analytics-node', async () => {
    const [line, reports] = [await newLine(), [] as string[]];
    const segment = new Analytics({ writeKey: wrongKey, host: line.url });
    segment.on('error', ({ reason }) => void reports.push(String(reason)));
    segment.track({ userId: randomUUID(), event: 'Dish' });
    await segment.closeAndFlush();
    await reported(reports, /401/);
    expect(line.fates).toEqual(['401']);
  });

  it.concurrent('@rudderstack/rudder-sdk-node', async () => {
    const [line, reports] = [await newLine(), [] as string[]];
    const errorHandler = (error: Error) => void reports.push(error.message);
    const rudder = new RudderAnalytics(wrongKey, { dataPlaneUrl: line.url, logLevel: 'silent', errorHandler });
    rudder.track({ userId: randomUUID(), event: 'Dish' });
    await rudder.flush();
    await reported(reports, /401/);
    expect(line.fates).toEqual(['401']);
  });

  it.concurrent('@snowplow/node-tracker', async () => {
    const [line, reports] = [await newLine(), [] as string[]];
    const snowplow = newTracker(
      { namespace: 'wrong', appId: wrongKey },
      { endpoint: line.url, onRequestFailure: ({ status, willRetry }) => reports.push(`${status} ${willRetry}`) },
    );
    snowplow.track(buildStructEvent({ category: 'menu', action: 'Dish' }));
    await snowplow.flush();
    await reported(reports, /^401 false$/);
    expect(line.fates).toEqual(['401']);
  });

  it.concurrent('posthog-node', async () => {
    const [line, reports] = [await newLine(), [] as string[]];
    const posthog = new PostHog(wrongKey, { host: line.url, disableCompression: true, fetchRetryDelay: 50 });
    posthog.on('error', (error: Error) => void reports.push(error.message));
    posthog.capture({ distinctId: randomUUID(), event: 'Dish' });
    await posthog.shutdown();
    await reported(reports, /status=401/);
    expect(line.fates).toEqual(['401']);
  });
});

describe('a batch over 500 KB is answered 413', () => {
  const filling = 'x'.repeat(30_000);

  it('and posthog-node sends it again in halves, each event once', async () => {
    const [userId, line] = [randomUUID(), await newLine()];
    const posthog = new PostHog(key, { host: line.url, disableCompression: true, flushAt: 25, fetchRetryDelay: 50 });
    for (const event of dishes) posthog.capture({ distinctId: userId, event, properties: { filling } });
    await posthog.shutdown();
    expect(line.fates.slice(0, 2)).toEqual(['413', '200']);
    await untilSql(
      stage,
      namesOf(userId).replace('events_unique', 'events'),
      dishes.map(name => [name]),
    );
  });

  it('and @rudderstack/rudder-sdk-node reports it, and does not send it again', async () => {
    const [userId, line, reports] = [randomUUID(), await newLine(), [] as string[]];
    const errorHandler = (error: Error) => void reports.push(error.message);
    const rudder = new RudderAnalytics(key, {
      ...{ dataPlaneUrl: line.url, flushAt: 25, logLevel: 'silent', errorHandler },
      // What is compressed counts as what it is inflated to.
      gzip: true,
    });
    for (const event of dishes) rudder.track({ userId, event, properties: { filling } });
    await rudder.flush();
    await reported(reports, /413/);
    // Its first event it sends at once and alone.
    expect(line.fates).toEqual(['200', '413']);
    await untilSql(stage, namesOf(userId), [['Dish 00']]);
  });
});
