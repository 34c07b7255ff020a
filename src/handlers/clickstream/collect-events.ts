import { createClickstreamSink } from '../../lib/aws/clickstream-sink.ts';
import { createFailedEventsSink } from '../../lib/aws/failed-events-sink.ts';
import { createCollect } from '../../lib/clickstream/collect.ts';
import { maxBatchBytes } from '../../lib/clickstream/limits.ts';
import { httpHandler, ok } from '../../lib/http/handler.ts';
import { systemClock } from '../../lib/runtime/clock.ts';
import { readCollectConfig } from '../../lib/runtime/config.ts';
import { AppError } from '../../lib/runtime/errors.ts';
import { createCounter } from '../../lib/runtime/metrics.ts';

const { sources, streamName, failedStreamName } = readCollectConfig();
const events = createClickstreamSink(streamName);
const failedEvents = createFailedEventsSink(failedStreamName);
const count = createCounter();
const collect = createCollect({ ...systemClock, sources, events, failedEvents, count });
const statuses = { malformed: 400, 'unknown-write-key': 401, 'too-large': 413, 'not-durable': 503 };

export const handler = httpHandler(
  async ({ rawPath: path, rawQueryString: query, headers, body = '', requestContext: { http } }) => {
    const outcome = await collect({ path, query, headers, body, sourceIp: http.sourceIp });
    if ('refused' in outcome) throw new AppError(statuses[outcome.refused], outcome.detail, outcome);
    return ok({ success: true, ...outcome });
  },
  { body: { maxBytes: maxBatchBytes, onRefused: refused => count({ RequestsRefused: 1 }, { refused }) } },
);
