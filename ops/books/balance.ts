import type { Kept } from './lake.ts';
import type { Received } from './received.ts';

/** How many events are somewhere else than in the lake's tables, by the table they belong to. */
export interface Away {
  readonly events: number;
  readonly failedEvents: number;
}

export interface Entries {
  readonly received: Received;
  readonly kept: Kept;
  /** What Firehose could not deliver; `unreadable` documents are none of collect's. */
  readonly undelivered: Away & { readonly unreadable: number };
  /** What `forget` removed. */
  readonly forgotten: Away;
}

export interface Balance {
  readonly received: number;
  readonly stored: number;
  readonly failed: number;
  readonly undelivered: number;
  readonly forgotten: number;
  /** Accepted, acknowledged and nowhere. */
  readonly missingEvents: number;
  /** Rejected, acknowledged and nowhere. */
  readonly missingFailedEvents: number;
  /** Kept beyond what was acknowledged. Up to the unacknowledged that is as it should be. */
  readonly surplus: number;
}

/**
 * Draws up the books: received = stored + failed + undelivered + forgotten. Each of the two ways is held to its own count, so that
 * more than expected on one cannot hide a loss on the other.
 */
export function balanceOf({ received, kept, undelivered, forgotten }: Entries): Balance {
  const foundEvents = kept.stored + undelivered.events + forgotten.events;
  const foundFailed = kept.failed + kept.replayed + undelivered.failedEvents + forgotten.failedEvents;
  return {
    received: received.accepted + received.rejected,
    stored: kept.stored + kept.replayed,
    failed: kept.failed,
    undelivered: undelivered.events + undelivered.failedEvents,
    forgotten: forgotten.events + forgotten.failedEvents,
    missingEvents: Math.max(0, received.accepted - foundEvents),
    missingFailedEvents: Math.max(0, received.rejected - foundFailed),
    surplus: Math.max(0, foundEvents - received.accepted) + Math.max(0, foundFailed - received.rejected),
  };
}

export const isShort = ({ missingEvents, missingFailedEvents }: Balance): boolean =>
  missingEvents + missingFailedEvents > 0;
