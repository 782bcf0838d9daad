import type { IncomingMessage } from 'node:http';
import { type BlockList, isIPv4, isIPv6 } from 'node:net';

/**
 * The address a request comes from: the peer's, or, as long as the peer is a trusted proxy, the last one that X-Forwarded-For names before the proxies. What
 * stands further left in that header was written by the client and means nothing.
 */
export function addressOf(request: IncomingMessage, proxies: BlockList): string {
  let address = plain(request.socket.remoteAddress ?? '');
  const header = request.headers['x-forwarded-for'];
  const hops = typeof header === 'string' ? header.split(',').map((hop) => plain(hop.trim())) : [];
  while (hops.length > 0 && isTrusted(address, proxies)) {
    const hop = hops.pop()!;
    if (!isIPv4(hop) && !isIPv6(hop)) break;
    address = hop;
  }
  return address;
}

/** What stands for an address in limits: a household or host has a whole /64 of IPv6 to send from. */
export function limitKeyOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const groups = address.includes('::') ? [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right] : left;
  return `${groups.slice(0, 4).join(':')}::/64`;
}

const plain = (address: string): string => (address.startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address);

const isTrusted = (address: string, proxies: BlockList): boolean =>
  (isIPv4(address) && proxies.check(address, 'ipv4')) || (isIPv6(address) && proxies.check(address, 'ipv6'));
