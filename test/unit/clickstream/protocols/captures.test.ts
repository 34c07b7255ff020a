import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDeviceReader } from '../../../../src/lib/clickstream/device.ts';
import { takeIn } from '../../../../src/lib/clickstream/intake.ts';
import { decodeBody } from '../../../../src/lib/http/body.ts';
import { failed, stored } from '../request.ts';

/** What real libraries sent to a logging server. It lies beside the project on its makers' machines. */
const captures = join(import.meta.dirname, '../../../../../shared/captures');
const receivedAtMs = Date.parse('2026-11-20T23:59:59.000Z');
const keys = ['wk_test_123', 'app-1', 'app_1', 'phc_test_123'];
const sources = new Map(keys.map(key => [key, 'website']));

interface Captured {
  readonly method: string;
  readonly path: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBodyBase64: string;
}

/** Two scenarios put a proxy's prefix before each path; the proxy would take it off again. */
const withoutPrefix = (path: string) => path.replace(/^\/(ingest|segment)\//, '/');

function sent({ method, path, url, headers, rawBodyBase64 }: Captured) {
  const body = decodeBody(rawBodyBase64, true, 1_000_000);
  const query = url.split('?')[1];
  const outcome = takeIn(
    { path: withoutPrefix(path), query, headers, body },
    { requestId: 'request', receivedAtMs },
    { sources, deviceOf: createDeviceReader() },
  );
  const events = method === 'GET' ? [Object.fromEntries(new URLSearchParams(query))] : eventsIn(JSON.parse(body));
  return { outcome, events };
}

function eventsIn(body: unknown): Record<string, unknown>[] {
  if (Array.isArray(body)) return body;
  const { batch, data, ...single } = body as Record<string, unknown>;
  const several = batch ?? data;
  return Array.isArray(several) ? several : [single];
}

/** Times are read, addresses cut, kinds named by our words; keys stand in `source`; the rest is the library's own bookkeeping. */
const told = new Set([
  ...['timestamp', 'originalTimestamp', 'sentAt', 'dtm', 'stm', 'ip', 'userAgent', 'e', 'type', 'event_type', 'event'],
  ...['aid', 'app_id', 'writeKey', 'search', '_metadata', 'integrations', 'channel', 'set_timestamp', 'ue_px', 'cx'],
]);

/** Snowplow's wrappings, and what PostHog puts where an event has no visitor. */
const wrapping = /^(iglu:com\.snowplowanalytics\.snowplow\/(unstruct_event|contexts)\/|\$company_g1$)/;

/** Everything that an event says, as text, with what is JSON inside of it read. */
function leavesOf(value: unknown, key = ''): string[] {
  if (told.has(key) || value === null || value === '') return [];
  if (typeof value === 'object') return Object.entries(value).flatMap(([name, inner]) => leavesOf(inner, name));
  const text = String(value);
  if (text.startsWith('{"')) return leavesOf(JSON.parse(text));
  return wrapping.test(text) ? [] : [text];
}

const columnText = (row: object) =>
  leavesOf(
    Object.values(row).map(value => (typeof value === 'string' && value.startsWith('{') ? JSON.parse(value) : value)),
  );

const isHere = existsSync(captures);
const files = isHere ? globSync('*/*.json', { cwd: captures }) : ['nothing, because ../shared/captures is absent,'];

describe.skipIf(!isHere)('every captured request', () => {
  test.each(files)('in %s is taken in with no loss', file => {
    const { requests }: { requests: Captured[] } = JSON.parse(readFileSync(join(captures, file), 'utf8'));
    for (const request of requests) {
      // Preflights are the gateway's, the settings' and the flags' answers another handler's; one path was made up.
      if (request.method === 'OPTIONS' || /settings$|flags\/$|^\/com\.acme\//.test(request.path)) continue;
      const { outcome, events } = sent(request);
      // One scenario sends an event beyond the limit, to see it refused.
      expect(failed(outcome).map(row => row.code)).toEqual(file.endsWith('big.json') ? ['too-large'] : []);
      const rows = stored(outcome);
      expect(rows.length + failed(outcome).length).toBe(events.length);
      for (const row of rows) {
        expect(row.event_id).not.toMatch(/^request-/);
        const kept = columnText(row).join('\n');
        expect(leavesOf(events[row.ingest_seq]).filter(leaf => !kept.includes(leaf))).toEqual([]);
      }
    }
  });
});
