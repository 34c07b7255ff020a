import { createDeviceReader } from './device.ts';
import { type RejectedEvent, takeIn } from './intake.ts';
import { retryAfterSeconds } from './limits.ts';
import type { Refusal, TrackerRequest } from './protocols/protocol.ts';
import { type Clock, putAll, type RecordSink } from './put-all.ts';

interface CollectPorts extends Clock {
  /** Source names by write key. */
  readonly sources: ReadonlyMap<string, string>;
  readonly events: RecordSink;
  readonly failedEvents: RecordSink;
  readonly newId: () => string;
  /** `atMs`: when what is counted was received; now, where absent. */
  readonly count: (
    counts: Readonly<Record<string, number>>,
    properties: Readonly<Record<string, string>>,
    atMs?: number,
  ) => void;
}

/** A request whose every event is durable: the accepted ones in the stream, the rejected ones among the failed events. */
interface Collected {
  /** Absent where none was. */
  readonly rejected?: readonly RejectedEvent[];
}

/**
 * The use case of POST /v1/batch and its like. Answers with a Refusal where the request is turned away or not every one
 * of its events is durable. Rejects where a sink does: then an operator must look.
 */
export function createCollect(ports: CollectPorts): (request: TrackerRequest) => Promise<Collected | Refusal> {
  const settings = { sources: ports.sources, deviceOf: createDeviceReader() };

  return async request => {
    const outcome = await collect(request, ports, settings);
    if ('refused' in outcome) ports.count({ RequestsRefused: 1 }, { refused: outcome.refused });
    return outcome;
  };
}

async function collect(
  request: TrackerRequest,
  ports: CollectPorts,
  settings: Parameters<typeof takeIn>[2],
): Promise<Collected | Refusal> {
  const receivedAtMs = ports.now();
  const intake = takeIn(request, { requestId: ports.newId(), receivedAtMs }, settings);
  if ('refused' in intake) return intake;
  const results = await Promise.allSettled([
    putAll(intake.eventRecords, ports.events, ports),
    putAll(intake.failedRecords, ports.failedEvents, ports),
  ]);
  const { received, rejected, source, protocol } = intake;
  const thrown = results.find(result => result.status === 'rejected');
  const answers = results.flatMap(result => (result.status === 'fulfilled' ? result.value : []));
  const undone = answers.find(({ refused }) => refused.length > 0);
  if (thrown !== undefined || undone !== undefined) {
    // Some of them may be stored all the same: the books must know that nobody was told so.
    ports.count({ EventsUnacknowledged: received }, { source, protocol }, receivedAtMs);
  }
  if (thrown !== undefined) throw thrown.reason;
  if (undone !== undefined) return notDurable(undone.cause);
  const counts = {
    EventsReceived: received,
    EventsAccepted: received - rejected.length,
    EventsRejected: rejected.length,
  };
  ports.count(counts, { source, protocol }, receivedAtMs);
  return rejected.length > 0 ? { rejected } : {};
}

function notDurable(cause: unknown): Refusal {
  const detail = 'The events could not be stored just now: send them again.';
  return { refused: 'not-durable', detail, retryAfterSeconds, cause };
}
