import { isRecord, recordOf } from '../json.ts';
import type { Protocol, TrackerRequest } from './protocol.ts';
import { segment } from './segment.ts';

// RudderStack's HTTP API: https://www.rudderstack.com/docs/api/http-api/
// It is Segment's, at Segment's paths, but for the traits of identify.
export const rudder: Protocol = {
  ...segment,
  name: 'rudder',
  matches: request => isFromRudder(request) && segment.matches(request),
  read: (item, envelope) => segment.read(withTraits(item, envelope.type), envelope),
};

/**
 * Its server library calls itself analytics-node, as Segment's did before it became analytics-node-next; its browser
 * library sends a header of its own. What neither tells is read as Segment's, which loses nothing.
 */
function isFromRudder({ headers }: TrackerRequest): boolean {
  return headers['user-agent']?.startsWith('analytics-node/') === true || headers.anonymousid !== undefined;
}

/** Traits are told in the context, and by some of its libraries nowhere else. */
function withTraits(item: unknown, impliedType: string | undefined): unknown {
  if (!isRecord(item) || (impliedType ?? item.type) !== 'identify' || !isRecord(item.context)) return item;
  const { traits, ...context } = item.context;
  return isRecord(traits) ? { ...item, context, traits: { ...traits, ...recordOf(item.traits) } } : item;
}
