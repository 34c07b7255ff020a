import type { ClickEvent } from '../event.ts';
import { isInexact, type JsonRecord, textOf } from '../json.ts';

/** What a protocol may look at in an HTTP request. Header names are lower case, the body is inflated. */
export interface TrackerRequest {
  readonly path: string;
  /** As it was sent, without the question mark. */
  readonly query?: string | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  readonly sourceIp?: string | undefined;
}

/** A request that is turned away as a whole: nothing of it is kept, and its sender must know. */
export interface Refusal {
  readonly refused: 'malformed' | 'unknown-write-key' | 'too-large' | 'not-durable';
  /** For the sender: a sentence to act on. */
  readonly detail: string;
  readonly retryAfterSeconds?: number;
  /** For our log. */
  readonly cause?: unknown;
}

export const malformed = (detail: string): Refusal => ({ refused: 'malformed', detail });

/**
 * An opened request: its events still as they came. With the shared context each must say by itself what `read` needs to
 * know of it, because a replay has no more than the event, its `type` and `sentAt`.
 */
export interface Envelope {
  readonly writeKey?: string | undefined;
  readonly sentAt?: string | undefined;
  /** Set by routes that take one event, whose type they imply. */
  readonly type?: EventType | undefined;
  readonly items: readonly unknown[];
  /**
   * Holds for each of the events, unless an event's own `context` says otherwise. It stays apart until an event's turn
   * comes: 2,500 copies of what one request may tell would not fit the memory.
   */
  readonly sharedContext?: JsonRecord | undefined;
}

export const eventTypes = ['track', 'page', 'screen', 'identify', 'group', 'alias'] as const;
export type EventType = (typeof eventTypes)[number];

/** One event put into the contract's words; what collect adds by itself (times, ids, device, address) is still missing. */
export type Reading = Omit<Stated, 'type'> & {
  readonly type: EventType;
  /** Client time as sent; absent where the tracker gave none. */
  readonly timestamp?: unknown;
  /** Of the visitor, where the tracker tells; the request's own otherwise. */
  readonly userAgent?: string | undefined;
  readonly ip?: string | undefined;
};

type Stated = Pick<
  ClickEvent,
  | 'type'
  | 'name'
  | 'anonymous_id'
  | 'user_id'
  | 'session_id'
  | 'page_url'
  | 'page_path'
  | 'page_title'
  | 'referrer'
  | 'utm_source'
  | 'utm_medium'
  | 'utm_campaign'
  | 'utm_term'
  | 'utm_content'
  | 'country'
  | 'locale'
  | 'library'
  | 'properties'
  | 'traits'
  | 'context'
> & { readonly event_id?: string | undefined };

/** A library and its version, as the contract writes them. */
export function libraryOf(name: unknown, version: unknown): string | undefined {
  const [library, release] = [textOf(name), textOf(version)];
  return library === undefined || release === undefined ? library : `${library} ${release}`;
}

/** Why one event was rejected. It is data: the rest of its request goes on. */
export interface Rejection {
  readonly code: string;
  readonly reason: string;
}

export const reject = (code: string, reason: string): Rejection => ({ code, reason });

export const wrongId = (key: string): Rejection =>
  reject('invalid-id', `"${key}" must be a string or a number: write one of more than 15 digits as a string.`);

/** The rejection of an event of whose ids, by name, one is a number that is not exact. */
export function inexactId(ids: JsonRecord): Rejection | undefined {
  const key = Object.keys(ids).find(name => isInexact(ids[name]));
  return key === undefined ? undefined : wrongId(key);
}

/** One tracker protocol: how its requests are opened and its events read. Both answer with data and never throw for bad input. */
export interface Protocol {
  readonly name: string;
  /** Whether a request speaks this protocol, by its path and headers. Paths are compared whole. */
  readonly matches: (request: TrackerRequest) => boolean;
  readonly open: (request: TrackerRequest) => Envelope | Refusal;
  readonly read: (item: unknown, envelope: Envelope) => Reading | Rejection;
  /** The id that the tracker gave an event, also where the event cannot be read. */
  readonly eventIdOf: (item: JsonRecord) => string | undefined;
}
