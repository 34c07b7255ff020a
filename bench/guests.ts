import { campaigns, dishes, guestPlaces, pages, userAgents } from './restaurant.ts';

type Fields = Record<string, unknown>;

/** What one browser sends in one request. */
export interface Visit {
  readonly userAgent: string;
  readonly events: readonly Fields[];
  readonly sentAtMs: number;
}

export interface Guests {
  /** The next visit, of that many events. */
  readonly visit: (eventCount: number) => Visit;
}

export const writeKey = 'wk_local';
const guestCount = 500;
const startMs = Date.parse('2026-11-20T10:00:00.000Z');

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Guests of the restaurant's site, always the same for the same seed. Their events look as Segment's analytics.js sends
 * them: the ids are as random as real ones (they hardly compress), while pages, dishes, browsers and languages repeat as
 * they do on a real site, a few of them making up most of the traffic.
 */
export function createGuests(seed = 20_261_120): Guests {
  const random = createRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() ** 2 * from.length)] as T;
  const chance = (share: number) => random() < share;
  const newId = () => uuidFrom(random);
  const guests = Array.from({ length: guestCount }, (_, number) => ({
    anonymousId: newId(),
    userId: chance(0.3) ? `guest-${number}` : null,
    userAgent: pick(userAgents),
    place: pick(guestPlaces),
  }));
  let nowMs = startMs;

  function pageOf(path: string, title: string, search: string): Fields {
    const url = `https://tableside.example${path}${search}`;
    return { path, referrer: chance(0.4) ? 'https://www.google.com/' : '', search, title, url };
  }

  /** What a guest does on a page, and what is told of it. */
  function action(): Fields {
    const dish = pick(dishes);
    const what = random();
    if (what < 0.45) return { event: 'Dish viewed', properties: { ...dish, position: Math.floor(random() * 24) } };
    if (what < 0.7) return { event: 'Dish added', properties: { ...dish, quantity: 1 + Math.floor(random() * 3) } };
    if (what < 0.85)
      return { event: 'Menu filtered', properties: { category: dish.category, vegetarian: chance(0.3) } };
    if (what < 0.95) return { event: 'Order started', properties: { table: 1 + Math.floor(random() * 40) } };
    return { event: 'Order placed', properties: { orderId: newId(), total: 900 + Math.floor(random() * 9000) } };
  }

  function visit(eventCount: number): Visit {
    const guest = pick(guests);
    const campaign = chance(0.2) ? pick(campaigns) : undefined;
    const search = campaign ? `?utm_source=${campaign.source}&utm_medium=${campaign.medium}` : '';
    let context: Fields = {};
    const events = Array.from({ length: eventCount }, (_, index): Fields => {
      nowMs += Math.floor(200 + random() * 900);
      const turnsPage = index === 0 || chance(0.3);
      if (turnsPage) {
        const { path, title } = pick(pages);
        const [locale, timezone] = guest.place;
        const library = { name: 'analytics.js', version: 'npm:next-1.84.3' };
        const page = pageOf(path, title, index === 0 ? search : '');
        context = { page, userAgent: guest.userAgent, locale, library, ...(campaign && { campaign }), timezone };
      }
      const { page } = context;
      const what = turnsPage ? { type: 'page', properties: page } : { type: 'track', ...action() };
      return {
        timestamp: new Date(nowMs).toISOString(),
        integrations: { 'Segment.io': true },
        ...what,
        context,
        messageId: `ajs-next-${nowMs}-${newId()}`,
        anonymousId: guest.anonymousId,
        userId: guest.userId,
      };
    });
    return { userAgent: guest.userAgent, events, sentAtMs: nowMs + 40 };
  }

  return { visit };
}

/** A random (version 4) UUID. */
export function uuidFrom(random: () => number): string {
  const hex = Array.from({ length: 8 }, () =>
    Math.floor(random() * 0x10000)
      .toString(16)
      .padStart(4, '0'),
  );
  const [a, b, c, d, e, ...rest] = hex;
  return `${a}${b}-${c}-4${d?.slice(1)}-a${e?.slice(1)}-${rest.join('')}`;
}

/** The body of a visit's request, as analytics.js writes it. */
export function bodyOf({ events, sentAtMs }: Visit): string {
  return JSON.stringify({ writeKey, batch: events, sentAt: new Date(sentAtMs).toISOString() });
}

/** A batch of events of exactly that many bytes each, as sent: what a bill is reckoned with. */
export function bodyOfSize(eventBytes: number, eventCount: number, random: () => number): string {
  const batch = Array.from({ length: eventCount }, () => {
    const event = {
      timestamp: '2026-11-20T10:00:00.000Z',
      type: 'track',
      event: 'Dish viewed',
      properties: { sku: 'soup-01', price: 1250, currency: 'EUR', category: 'starters', note: '' },
      context: {
        library: { name: '@segment/analytics-node', version: '3.1.0' },
        page: { url: 'https://tableside.example/menu', path: '/menu', title: 'Menu' },
        locale: 'fr-FR',
      },
      anonymousId: uuidFrom(random),
      messageId: `node-next-1795216303466-${uuidFrom(random)}`,
    };
    const missing = eventBytes - JSON.stringify(event).length;
    if (missing < 0) throw new RangeError(`An event cannot be ${eventBytes} bytes: it has ${-missing} more.`);
    return { ...event, properties: { ...event.properties, note: 'x'.repeat(missing) } };
  });
  return JSON.stringify({ writeKey, batch, sentAt: '2026-11-20T10:00:00.100Z' });
}
