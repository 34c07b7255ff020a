import { type GlueColumn, glueColumnsOf, type RowOf, schemaVersion, type Table, violationOf } from './contract.ts';

/**
 * The event contract. Add a column by adding a line; never remove or retype one, because files already in the lake
 * keep what they were written with (a test holds what was published).
 */
export const eventTable = {
  event_id: {
    type: 'string',
    required: true,
    description: 'Message id given by the tracker; one event has one, however often it is sent. Deduplicate by it.',
    example: 'ajs-next-1795216743173-34ce3a23-d23a-4ae5-b7cc-f4f471de2574',
  },
  ingest_id: {
    type: 'string',
    required: true,
    description: 'Id stamped on receipt, unique to each event of each request: what the books count.',
    example: '0193490e-5d3c-4f0b-8a44-9f2f1d6c7b1e-0',
  },
  ingest_seq: {
    type: 'int',
    required: true,
    description: 'Position in its request, from 0. A visitor’s order is (received_at, ingest_seq).',
    example: 0,
  },
  type: {
    type: 'string',
    required: true,
    description: 'What happened: track, page, screen, identify, group or alias.',
    example: 'page',
  },
  name: {
    type: 'string',
    required: false,
    description: 'Name of the tracked event, page or screen; the group’s id for group, the previous id for alias.',
    example: 'Menu viewed',
  },
  occurred_at: {
    type: 'timestamp',
    required: true,
    description: 'When it happened by the client’s clock, put right where that is more than 5 minutes wrong. UTC.',
    example: '2026-11-20 10:00:00.000',
  },
  received_at: {
    type: 'timestamp',
    required: true,
    description: 'When the API received the request. UTC. The lake is partitioned by its day.',
    example: '2026-11-20 10:00:00.250',
  },
  anonymous_id: {
    type: 'string',
    required: false,
    description: 'The visitor before they are known.',
    example: 'ce3a23d2-3a4a-4577-8cf4-f471de257420',
  },
  user_id: { type: 'string', required: false, description: 'The known visitor.', example: 'guest-42' },
  session_id: {
    type: 'string',
    required: false,
    description: 'The tracker’s own session, where it keeps one.',
    example: '1795216743173',
  },
  page_url: {
    type: 'string',
    required: false,
    description: 'Address of the page.',
    example: 'https://tableside.example/menu?utm_source=news',
  },
  page_path: { type: 'string', required: false, description: 'Path of that address.', example: '/menu' },
  page_title: { type: 'string', required: false, description: 'Title of the page.', example: 'Menu' },
  referrer: {
    type: 'string',
    required: false,
    description: 'Address of the page before it.',
    example: 'https://search.example/',
  },
  utm_source: { type: 'string', required: false, description: 'Campaign: source.', example: 'news' },
  utm_medium: { type: 'string', required: false, description: 'Campaign: medium.', example: 'email' },
  utm_campaign: { type: 'string', required: false, description: 'Campaign: name.', example: 'winter-menu' },
  utm_term: { type: 'string', required: false, description: 'Campaign: term.', example: 'dinner' },
  utm_content: { type: 'string', required: false, description: 'Campaign: content.', example: 'header' },
  browser: { type: 'string', required: false, description: 'Browser, without its version.', example: 'Chrome' },
  os: { type: 'string', required: false, description: 'Operating system, without its version.', example: 'macOS' },
  device_type: {
    type: 'string',
    required: false,
    description: 'desktop, mobile, tablet, tv or bot.',
    example: 'desktop',
  },
  is_bot: {
    type: 'boolean',
    required: true,
    description: 'Whether a program rather than a person caused it. Such events are marked, never dropped.',
    example: false,
  },
  bot_reason: {
    type: 'string',
    required: false,
    description: 'Why it is taken for a bot.',
    example: 'user agent: Googlebot',
  },
  ip: {
    type: 'string',
    required: false,
    description: 'Address of the visitor, cut to /24 (IPv4) or /48 (IPv6); absent under DNT or GPC.',
    example: '203.0.113.0',
  },
  country: { type: 'string', required: false, description: 'Country, where the tracker tells.', example: 'FR' },
  locale: { type: 'string', required: false, description: 'Language of the visitor.', example: 'fr-FR' },
  library: {
    type: 'string',
    required: false,
    description: 'Tracker library and its version.',
    example: '@segment/analytics-node 3.1.0',
  },
  protocol: { type: 'string', required: true, description: 'Protocol it came by.', example: 'segment' },
  source: { type: 'string', required: true, description: 'Name of the write key it came with.', example: 'website' },
  properties: {
    type: 'string',
    required: false,
    description: 'The event’s own properties, as JSON text.',
    example: '{"sku":"soup-01","price":1250}',
  },
  traits: {
    type: 'string',
    required: false,
    description: 'What identify or group said of the user or group, as JSON text.',
    example: '{"plan":"regular"}',
  },
  context: {
    type: 'string',
    required: false,
    description: 'What the tracker told of its surroundings and has no column of its own, as JSON text.',
    example: '{"timezone":"Europe/Paris"}',
  },
  schema_version: {
    type: 'int',
    required: true,
    description: 'Version of this contract that wrote the row.',
    example: schemaVersion,
  },
} as const satisfies Table;

/** One event as the lake stores it. The partition `day` is no part of it: Firehose derives it from the time of receipt. */
export type ClickEvent = RowOf<typeof eventTable>;

/** Columns of the Glue table `events`. */
export const eventColumns: readonly GlueColumn[] = glueColumnsOf(eventTable);

/** What keeps `row` from being a ClickEvent, in one sentence; undefined where it is one. */
export const eventViolation = (row: unknown): string | undefined => violationOf(eventTable, row);
