import type { EventType, Protocol } from './protocol.ts';
import { openAs, segment } from './segment.ts';

// Jitsu's HTTP API: https://docs.jitsu.com/sending-data/http
// Its events are Segment's, one a request, at paths of their own: `s2s` is for servers.
const eventPaths = new Map<string, EventType>(
  (['track', 'page', 'identify', 'group', 'screen', 'alias'] as const).flatMap(type => [
    [`/api/s/${type}`, type],
    [`/api/s/s2s/${type}`, type],
  ]),
);

export const jitsu: Protocol = {
  ...segment,
  name: 'jitsu',
  matches: ({ path }) => eventPaths.has(path),
  open: request => {
    const envelope = openAs(eventPaths.get(request.path), request);
    if ('refused' in envelope) return envelope;
    // A key reads `id:secret`, and in the body `id:***`: the id is the write key.
    const key = request.headers['x-write-key'] ?? envelope.writeKey;
    return { ...envelope, writeKey: key?.split(':', 1)[0] };
  },
};
