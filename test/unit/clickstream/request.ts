import { createDeviceReader } from '../../../src/lib/clickstream/device.ts';
import type { ClickEvent } from '../../../src/lib/clickstream/event.ts';
import type { FailedEvent } from '../../../src/lib/clickstream/failed-event.ts';
import { type Intake, takeIn } from '../../../src/lib/clickstream/intake.ts';
import type { PackedRecord } from '../../../src/lib/clickstream/pack.ts';
import type { Refusal, TrackerRequest } from '../../../src/lib/clickstream/protocols/protocol.ts';

export const receivedAtMs = Date.parse('2026-11-20T10:00:00.250Z');
export const chrome =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36';
export const googlebot = 'Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)';

/** Sends a body to a route as its tracker would, up to the records that would be put. */
export function send(body: unknown, request: Partial<TrackerRequest> = {}): Intake | Refusal {
  const whole = { path: '/v1/batch', headers: {}, body: typeof body === 'string' ? body : JSON.stringify(body) };
  const settings = { sources: new Map([['wk_test', 'website']]), deviceOf: createDeviceReader() };
  return takeIn({ ...whole, ...request }, { requestId: 'request', receivedAtMs }, settings);
}

/** Events of an intake, read back from its records. Fails where the request was refused. */
export function stored(outcome: Intake | Refusal): ClickEvent[] {
  return rows(accepted(outcome).eventRecords);
}

export function failed(outcome: Intake | Refusal): FailedEvent[] {
  return rows(accepted(outcome).failedRecords);
}

export function accepted(outcome: Intake | Refusal): Intake {
  if ('refused' in outcome) throw new Error(`The request was refused: ${outcome.detail}`);
  return outcome;
}

export function rows<Row>(records: readonly PackedRecord[]): Row[] {
  const text = records.map(({ data }) => Buffer.from(data).toString()).join('');
  return text.split('\n').flatMap(line => (line === '' ? [] : [JSON.parse(line)]));
}

/** The only event of a batch of one. */
export function storedEvent(event: object, request: Partial<TrackerRequest> = {}): ClickEvent {
  const [row, ...others] = stored(send({ writeKey: 'wk_test', batch: [event] }, request));
  if (row === undefined || others.length > 0) throw new Error('Exactly one event should have been stored.');
  return row;
}
