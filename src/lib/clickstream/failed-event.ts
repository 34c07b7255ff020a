import { type GlueColumn, glueColumnsOf, type RowOf, schemaVersion, type Table, violationOf } from './contract.ts';

/**
 * A rejected event as it is kept: its raw JSON, why it was rejected, and everything of the request that a replay needs
 * to send it down the same path again.
 */
export const failedEventTable = {
  ingest_id: {
    type: 'string',
    required: true,
    description: 'Id stamped on receipt, unique to each event of each request: what the books count.',
    example: '0193490e-5d3c-4f0b-8a44-9f2f1d6c7b1e-3',
  },
  ingest_seq: { type: 'int', required: true, description: 'Position in its request, from 0.', example: 3 },
  received_at: {
    type: 'timestamp',
    required: true,
    description: 'When the API received the request. UTC.',
    example: '2026-11-20 10:00:00.250',
  },
  code: {
    type: 'string',
    required: true,
    description: 'The broken rule, by a name that stays: filter replays by it.',
    example: 'invalid-timestamp',
  },
  reason: {
    type: 'string',
    required: true,
    description: 'What is wrong, in a sentence.',
    example: '"timestamp" is not a date that can be read.',
  },
  event_id: {
    type: 'string',
    required: false,
    description: 'The tracker’s message id, where it had one.',
    example: 'ajs-next-1795216743173-34ce3a23',
  },
  type: {
    type: 'string',
    required: false,
    description: 'Event type that the route implied (single routes only).',
    example: 'track',
  },
  sent_at: {
    type: 'string',
    required: false,
    description: 'The request’s own sentAt, exactly as sent.',
    example: '2026-11-20T10:00:00.100Z',
  },
  protocol: { type: 'string', required: true, description: 'Protocol it came by.', example: 'segment' },
  source: { type: 'string', required: true, description: 'Name of the write key it came with.', example: 'website' },
  user_agent: {
    type: 'string',
    required: false,
    description: 'User agent of the request.',
    example: 'analytics-node-next/latest',
  },
  ip: {
    type: 'string',
    required: false,
    description: 'Address of the sender, cut to /24 (IPv4) or /48 (IPv6); absent under DNT or GPC.',
    example: '203.0.113.0',
  },
  is_private: {
    type: 'boolean',
    required: true,
    description: 'Whether the request asked for privacy (DNT or GPC), so that a replay drops the address as well.',
    example: false,
  },
  country: {
    type: 'string',
    required: false,
    description: 'Not written: no header that tells it can be trusted. What the tracker told is in `raw`.',
    example: 'FR',
  },
  raw: {
    type: 'string',
    required: true,
    description: 'The event as received, as JSON text.',
    example: '{"type":"track","event":"Order placed","timestamp":"yesterday"}',
  },
  schema_version: {
    type: 'int',
    required: true,
    description: 'Version of the contract that rejected it.',
    example: schemaVersion,
  },
} as const satisfies Table;

/** One rejected event as the lake keeps it. */
export type FailedEvent = RowOf<typeof failedEventTable>;

/** Columns of the Glue table `failed_events`. */
export const failedEventColumns: readonly GlueColumn[] = glueColumnsOf(failedEventTable);

/** What keeps `row` from being a FailedEvent, in one sentence; undefined where it is one. */
export const failedEventViolation = (row: unknown): string | undefined => violationOf(failedEventTable, row);
