// Segment's limits, under "Errors" in https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
/** One batch, inflated. */
export const maxBatchBytes = 500 * 1024;
export const maxBatchEvents = 2500;
/** One event, alone or in a batch. */
export const maxEventBytes = 32 * 1024;

/** Trackers' clocks are put right beyond this: less is network and queueing, not a wrong clock. */
export const maxClockSkewMs = 5 * 60_000;

/** Nothing was clicked before Unix time began, and nothing will be tomorrow. */
export const earliestEventMs = 0;
export const maxFutureMs = 24 * 3_600_000;

/**
 * One packed record. Kinesis takes 1 MiB with the partition key, Firehose 1,000 KiB
 * (https://docs.aws.amazon.com/firehose/latest/dev/limits.html): the smaller, with room to spare.
 */
export const maxRecordBytes = 900 * 1024;

/**
 * What the events of one request may come to on the stream. A shard takes 1 MB/s
 * (https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html) and a provisioned stream may have only
 * one: it takes two full records within `putRule`, and more would be refused however often they were sent. It is enough
 * for a batch that is full both ways, whose 2,500 events of 200 bytes become 1.5 MB.
 */
export const maxStreamBytes = 2 * maxRecordBytes;

/** What the failed events of one request may come to: PutRecordBatch takes 4 MiB (same page), less room for framing. */
export const maxFailedBytes = 4 * 1024 * 1024 - 64 * 1024;

/** User agents are parsed by regular expressions and kept in a cache: what is longer than this is cut. */
export const maxUserAgentLength = 512;
export const maxCachedUserAgents = 1000;

/** How long a tracker should wait before it sends again what was not durable. */
export const retryAfterSeconds = 5;

/**
 * How hard to try to make a request durable. The longest attempt takes 2 s (see lib/aws/clients.ts), so the answer comes
 * within about 5 s: well inside the function's timeout and API Gateway's 30 s, and soon enough for a tracker to wait.
 */
export const putRule = { maxAttempts: 6, lastStartMs: 3000, baseDelayMs: 50, maxDelayMs: 1000 };
