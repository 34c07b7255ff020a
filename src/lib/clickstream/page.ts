import type { ClickEvent } from './event.ts';
import type { Reading } from './protocols/protocol.ts';

type Campaign = Pick<ClickEvent, 'utm_source' | 'utm_medium' | 'utm_campaign' | 'utm_term' | 'utm_content'>;

/** Path of an address, for trackers that send the whole only. */
export function pathOf(url: string | undefined): string | undefined {
  const match = url === undefined ? null : /^https?:\/\/[^/?#]+([^?#]*)/i.exec(url);
  return match === null ? undefined : match[1] || '/';
}

/** The campaign as the tracker states it, else as the address of the page does. */
export function campaignOf(reading: Reading): Campaign {
  const { utm_source, utm_medium, utm_campaign, utm_term, utm_content, page_url } = reading;
  const stated = { utm_source, utm_medium, utm_campaign, utm_term, utm_content };
  if (page_url === undefined || !page_url.includes('utm_') || Object.values(stated).some(Boolean)) return stated;
  const query = new URLSearchParams(/\?([^#]*)/.exec(page_url)?.[1]);
  const parameter = (name: string) => query.get(name)?.toWellFormed() || undefined;
  return {
    utm_source: parameter('utm_source'),
    utm_medium: parameter('utm_medium'),
    utm_campaign: parameter('utm_campaign'),
    utm_term: parameter('utm_term'),
    utm_content: parameter('utm_content'),
  };
}
