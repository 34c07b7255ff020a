import { clockSkewMs, parseTime } from './clock.ts';
import type { FailedEvent } from './failed-event.ts';
import { createReader, type IntakeSettings, protocols } from './intake.ts';
import { tryParseJson } from './json.ts';
import { type Envelope, eventTypes, type Rejection, reject } from './protocols/protocol.ts';
import type { Stamp } from './stamp.ts';

/**
 * Puts a failed event through today's rules as if it came in the request it came in: the same times, address, source and
 * position. Answers its line of JSON where it passes now, else why not; never throws for anything a row can hold.
 *
 * The line keeps the row's `ingest_id`, so that the books know it for the same event, and its `event_id` is the one it
 * would have had: the tracker's, or the `ingest_id` where the tracker gave none. So it is the same however often it is
 * replayed.
 */
export function replayEvent(row: FailedEvent, settings: Pick<IntakeSettings, 'deviceOf'>): string | Rejection {
  const protocol = protocols.find(({ name }) => name === row.protocol);
  if (protocol === undefined) return reject('unknown-protocol', `There is no protocol "${row.protocol}" any more.`);
  const item = tryParseJson(row.raw);
  if (item === undefined) return reject('unreadable-row', 'The row\'s "raw" is not JSON.');
  const stamp = stampOfRow(row);
  if (stamp === undefined)
    return reject('unreadable-row', 'The row\'s "ingest_id" or "received_at" is not as collect writes it.');
  const envelope: Envelope = { items: [item], type: eventTypes.find(type => type === row.type), sentAt: row.sent_at };
  try {
    return createReader(envelope, protocol, stamp, settings)(item, row.ingest_seq);
  } catch (error) {
    // As in takeIn: JSON.parse takes any depth, JSON.stringify only what the stack holds.
    if (error instanceof RangeError) return reject('too-deep', 'The event nests objects too deeply.');
    throw error;
  }
}

/** The stamp of the request that a failed event came in; undefined where the row is none of collect's. */
function stampOfRow(row: FailedEvent): Stamp | undefined {
  const position = `-${row.ingest_seq}`;
  const receivedAtMs = parseTime(row.received_at);
  if (receivedAtMs === undefined || !row.ingest_id.endsWith(position)) return undefined;
  return {
    requestId: row.ingest_id.slice(0, -position.length),
    receivedAtMs,
    receivedAt: row.received_at,
    skewMs: clockSkewMs(receivedAtMs, row.sent_at),
    protocol: row.protocol,
    source: row.source,
    isPrivate: row.is_private,
    ip: row.ip,
    userAgent: row.user_agent,
  };
}
