import { clockSkewMs } from './clock.ts';
import { toTimestamp } from './contract.ts';
import { maxUserAgentLength } from './limits.ts';
import { asksForPrivacy, truncateIp } from './privacy.ts';
import type { Envelope, Reading, TrackerRequest } from './protocols/protocol.ts';

/** What collect itself says of a request. */
export interface Receipt {
  readonly requestId: string;
  readonly receivedAtMs: number;
}

/** What the events of one request have in common. */
export interface Stamp extends Receipt {
  readonly receivedAt: string;
  readonly skewMs: number;
  readonly protocol: string;
  readonly source: string;
  readonly isPrivate: boolean;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
}

export function stampOf(
  request: TrackerRequest,
  envelope: Envelope,
  receipt: Receipt,
  origin: { readonly protocol: string; readonly source: string },
): Stamp {
  const isPrivate = asksForPrivacy(request.headers);
  return {
    requestId: receipt.requestId,
    receivedAtMs: receipt.receivedAtMs,
    receivedAt: toTimestamp(receipt.receivedAtMs),
    skewMs: clockSkewMs(receipt.receivedAtMs, envelope.sentAt),
    protocol: origin.protocol,
    source: origin.source,
    isPrivate,
    ip: isPrivate || request.sourceIp === undefined ? undefined : truncateIp(request.sourceIp),
    userAgent: request.headers['user-agent']?.slice(0, maxUserAgentLength).toWellFormed(),
  };
}

/** The visitor's address as it may be kept. A tracker on a server tells it; otherwise the sender is the visitor. */
export function addressOf(reading: Reading, stamp: Stamp): string | undefined {
  if (reading.ip === undefined) return stamp.ip;
  return stamp.isPrivate ? undefined : truncateIp(reading.ip);
}

/**
 * The visitor's user agent. A tracker library that calls from a server says nothing of the visitor by its own, such as
 * `analytics-node/3.0.13`, and isbot would take every event of it for a bot's.
 */
export function userAgentOf(reading: Reading, stamp: Stamp): string | undefined {
  if (reading.userAgent !== undefined || reading.library === undefined) return reading.userAgent ?? stamp.userAgent;
  return stamp.userAgent?.startsWith('Mozilla/') ? stamp.userAgent : undefined;
}
