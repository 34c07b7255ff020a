/**
 * Whether the visitor asked not to be followed, by Do Not Track or Global Privacy Control (https://w3c.github.io/gpc/), or
 * the site did so for them: Jitsu's `ipPolicy`.
 */
export function asksForPrivacy(headers: Readonly<Record<string, string | undefined>>): boolean {
  return headers.dnt === '1' || headers['sec-gpc'] === '1' || headers['x-ip-policy'] === 'remove';
}

const ipv4 = /^(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/;
const hexGroup = /^[\da-f]{1,4}$/i;

// With a port, as proxies write it: 203.0.113.77:443 or [2001:db8::1]:443.
const withPort = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d+)?$/;

/**
 * The address cut to its network, /24 (IPv4) or /48 (IPv6), so that it names no household; undefined for anything else.
 * Of a list, such as X-Forwarded-For's, the first is the visitor's.
 */
export function truncateIp(text: string): string | undefined {
  const first = text.split(',', 1)[0]?.trim() ?? '';
  const [, inBrackets, plain] = withPort.exec(first) ?? [];
  const ip = inBrackets ?? plain ?? first;
  const network = ipv4.exec(ip.startsWith('::ffff:') ? ip.slice(7) : ip)?.[1];
  return network === undefined ? truncateIpv6(ip) : `${network}.0`;
}

function truncateIpv6(ip: string): string | undefined {
  const [left = [], right = [], ...more] = ip.split('::').map(half => (half === '' ? [] : half.split(':')));
  const isWhole = ip.includes('::') ? left.length + right.length < 8 : left.length === 8;
  if (!isWhole || more.length > 0 || ![...left, ...right].every(group => hexGroup.test(group))) return undefined;
  const zeros = Array<string>(8 - left.length - right.length).fill('0');
  const groups = [...left, ...zeros, ...right].slice(0, 3);
  return `${groups.map(group => Number.parseInt(group, 16).toString(16)).join(':')}::`;
}

/** Whether trackers call a visitor's address by this name. */
export const isAddressKey = (key: string): boolean => key === 'ip' || key === '$ip';

/** JSON text of a rejected event as it may be kept: raw, but for addresses, of which no more than the network stays. */
export function rawWithoutAddresses(event: unknown, isPrivate: boolean): string {
  return JSON.stringify(event, (key, value: unknown) => {
    if (!isAddressKey(key)) return value;
    // What cannot be read as an address may still hold one.
    return isPrivate || typeof value !== 'string' ? undefined : truncateIp(value);
  });
}
