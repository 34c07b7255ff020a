import { occurredAt } from './clock.ts';
import { schemaVersion } from './contract.ts';
import type { Device } from './device.ts';
import { createEncoder } from './encode.ts';
import type { FailedEvent } from './failed-event.ts';
import { isRecord, type JsonRecord } from './json.ts';
import {
  maxBatchBytes,
  maxBatchEvents,
  maxEventBytes,
  maxFailedBytes,
  maxRecordBytes,
  maxStreamBytes,
} from './limits.ts';
import { type PackedRecord, packLines } from './pack.ts';
import { rawWithoutAddresses } from './privacy.ts';
import { awsClickstream } from './protocols/aws-clickstream.ts';
import { jitsu } from './protocols/jitsu.ts';
import { posthog } from './protocols/posthog.ts';
import type { Envelope, Protocol, Refusal, Rejection, TrackerRequest } from './protocols/protocol.ts';
import { rudder } from './protocols/rudder.ts';
import { segment } from './protocols/segment.ts';
import { snowplow } from './protocols/snowplow.ts';
import { type Receipt, type Stamp, stampOf, userAgentOf } from './stamp.ts';

// Rudder speaks Segment's dialect at Segment's paths and is known by its headers: it must be asked first.
export const protocols: readonly Protocol[] = [rudder, segment, snowplow, posthog, jitsu, awsClickstream];

export interface IntakeSettings {
  /** Source names by write key. */
  readonly sources: ReadonlyMap<string, string>;
  readonly deviceOf: (userAgent: string | undefined) => Device;
}

/** A request understood, ready to be made durable. */
export interface Intake {
  readonly source: string;
  readonly protocol: string;
  /** Accepted and rejected together. */
  readonly received: number;
  readonly rejected: readonly RejectedEvent[];
  readonly eventRecords: readonly PackedRecord[];
  readonly failedRecords: readonly PackedRecord[];
}

export interface RejectedEvent {
  /** Position in the request, from 0. */
  readonly index: number;
  readonly reason: string;
}

/**
 * Everything between a request's body and the records to put: opens it, checks and enriches each event, packs. Answers
 * with a Refusal where the whole request must be turned away; never throws for anything a client can send.
 */
export function takeIn(request: TrackerRequest, receipt: Receipt, settings: IntakeSettings): Intake | Refusal {
  const protocol = protocols.find(candidate => candidate.matches(request));
  if (protocol === undefined) return refuse('malformed', 'No tracker protocol is spoken at this path.');
  const envelope = protocol.open(request);
  if ('refused' in envelope) return envelope;
  const source = settings.sources.get(writeKeyOf(request, envelope) ?? '');
  if (source === undefined) {
    return refuse(
      'unknown-write-key',
      'Send a known write key: where your tracker has a place for it, as Basic user name or as X-Write-Key.',
    );
  }
  try {
    const tooLarge = sizeProblem(request.body, envelope);
    if (tooLarge !== undefined) return refuse('too-large', tooLarge);
    const stamp = stampOf(request, envelope, receipt, { protocol: protocol.name, source });
    return sort(envelope, protocol, stamp, settings);
  } catch (error) {
    // JSON.parse takes any depth, JSON.stringify only what the stack holds: some 4,000 levels. V8 has RangeErrors for
    // other things too, such as a string beyond 512 MB.
    const isStackFull = error instanceof RangeError && error.message.includes('call stack');
    if (isStackFull) return refuse('malformed', 'The body nests objects too deeply.');
    throw error;
  }
}

const refuse = (refused: Refusal['refused'], detail: string): Refusal => ({ refused, detail });

function writeKeyOf(request: TrackerRequest, envelope: Envelope): string | undefined {
  return envelope.writeKey ?? request.headers['x-write-key'] ?? basicUser(request.headers.authorization);
}

function basicUser(authorization: string | undefined): string | undefined {
  const encoded = /^Basic\s+(\S+)$/i.exec(authorization ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString().split(':', 1)[0];
}

function sizeProblem(body: string, envelope: Envelope): string | undefined {
  if (envelope.type !== undefined) {
    return isLongerThan(body, maxEventBytes) ? `An event may be ${maxEventBytes / 1024} KB.` : undefined;
  }
  if (isLongerThan(body, maxBatchBytes)) return `A batch may be ${maxBatchBytes / 1024} KB: send fewer events in it.`;
  if (envelope.items.length > maxBatchEvents) return `A batch may hold ${maxBatchEvents} events: send fewer in it.`;
  return sharedProblem(envelope);
}

/** What a request says once is written with each of its events: it may not be larger than one. */
function sharedProblem({ sharedContext, sentAt = '' }: Envelope): string | undefined {
  const limit = `${maxEventBytes / 1024} KB`;
  if (isLongerThan(sentAt, maxEventBytes)) return `The time of sending may be ${limit}: send a date.`;
  const isContextTooLong = sharedContext !== undefined && isLongerThan(JSON.stringify(sharedContext), maxEventBytes);
  return isContextTooLong ? `The context of a batch may be ${limit}: send less in it.` : undefined;
}

/** Counts bytes only where it could matter: one UTF-16 unit is at most three. */
function isLongerThan(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes;
}

/** Sorts the events of a request into those to store and those to keep as failed. Throws RangeError for absurd nesting. */
function sort(envelope: Envelope, protocol: Protocol, stamp: Stamp, settings: IntakeSettings): Intake | Refusal {
  const lineOf = createReader(envelope, protocol, stamp, settings);
  const rejected: RejectedEvent[] = [];
  let accepted = '';
  let failed = '';
  let index = 0;
  for (const sent of envelope.items) {
    const item = withContext(sent, envelope.sharedContext);
    const line = lineOf(item, index);
    if (typeof line === 'string') {
      accepted += line;
      accepted += '\n';
    } else {
      rejected.push({ index, reason: line.reason });
      failed += `${JSON.stringify(failedEvent(line, item, index, { envelope, protocol, stamp }))}\n`;
    }
    // An event can become many times its size. A length in UTF-16 units is never more than the bytes.
    if (accepted.length > maxStreamBytes || failed.length > maxFailedBytes) return tooLargeTogether;
    index++;
  }
  const eventRecords = packLines(accepted, stamp.requestId);
  const failedRecords = packLines(failed, stamp.requestId);
  if (!fits(eventRecords, maxStreamBytes) || !fits(failedRecords, maxFailedBytes)) return tooLargeTogether;
  return { source: stamp.source, protocol: protocol.name, received: index, rejected, eventRecords, failedRecords };
}

const tooLargeTogether = refuse('too-large', 'The events of this batch are too large together: send fewer in it.');

/** The event with what its batch says for it, as it is read and as it is kept where it fails. */
function withContext(item: unknown, shared: JsonRecord | undefined): unknown {
  if (shared === undefined || !isRecord(item)) return item;
  return { ...item, context: isRecord(item.context) ? { ...shared, ...item.context } : shared };
}

/** One event to its line of JSON, or to why it is rejected: the rules that a replay goes by as well. */
export function createReader(
  envelope: Envelope,
  protocol: Protocol,
  stamp: Stamp,
  settings: Pick<IntakeSettings, 'deviceOf'>,
): (item: unknown, index: number) => string | Rejection {
  const encode = createEncoder(stamp);
  return (item, index) => {
    const reading = protocol.read(item, envelope);
    if ('code' in reading) return reading;
    const occurredMs = occurredAt(reading.timestamp, stamp.skewMs, stamp.receivedAtMs);
    if (typeof occurredMs !== 'number') return occurredMs;
    const line = encode(reading, index, occurredMs, settings.deviceOf(userAgentOf(reading, stamp)));
    return isEventTooLarge(line, item) ? tooLargeEvent : line;
  };
}
const tooLargeEvent: Rejection = { code: 'too-large', reason: `An event may be ${maxEventBytes / 1024} KB.` };

/** The event itself is only measured where its line is long: what it carried beyond that has not been stored. */
function isEventTooLarge(line: string, item: unknown): boolean {
  return isLongerThan(line, maxEventBytes) && isLongerThan(JSON.stringify(item), maxEventBytes);
}

function fits(records: readonly PackedRecord[], maxBytes: number): boolean {
  let bytes = 0;
  for (const { data } of records) {
    if (data.byteLength > maxRecordBytes) return false;
    bytes += data.byteLength;
  }
  return bytes <= maxBytes;
}

function failedEvent(
  rejection: Rejection,
  item: unknown,
  index: number,
  { envelope, protocol, stamp }: { envelope: Envelope; protocol: Protocol; stamp: Stamp },
): FailedEvent {
  return {
    ingest_id: `${stamp.requestId}-${index}`,
    ingest_seq: index,
    received_at: stamp.receivedAt,
    code: rejection.code,
    reason: rejection.reason,
    event_id: isRecord(item) ? protocol.eventIdOf(item) : undefined,
    type: envelope.type,
    sent_at: envelope.sentAt,
    protocol: stamp.protocol,
    source: stamp.source,
    user_agent: stamp.userAgent,
    ip: stamp.ip,
    is_private: stamp.isPrivate,
    raw: rawWithoutAddresses(item, stamp.isPrivate),
    schema_version: schemaVersion,
  };
}
