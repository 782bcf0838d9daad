import type { IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { proxiesOf } from '../config.ts';
import { addressOf, limitKeyOf } from './address.ts';

const request = (remoteAddress: string, forwarded?: string): IncomingMessage =>
  ({ socket: { remoteAddress }, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } }) as unknown as IncomingMessage;

const none = proxiesOf({ behindTlsProxy: false, trustedProxies: undefined });
const loopback = proxiesOf({ behindTlsProxy: true, trustedProxies: undefined });
const two = proxiesOf({ behindTlsProxy: true, trustedProxies: '127.0.0.1,10.0.0.0/8' });

test.each([
  ['nobody is believed without a proxy', none, '192.0.2.1', '203.0.113.9', '192.0.2.1'],
  ['a stranger is not believed', loopback, '192.0.2.1', '203.0.113.9', '192.0.2.1'],
  ['a trusted proxy is', loopback, '127.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['also as an IPv4 address in IPv6', loopback, '::ffff:127.0.0.1', '203.0.113.9', '203.0.113.9'],
  ['what the client wrote before it is not', loopback, '127.0.0.1', '127.0.0.1, 203.0.113.9', '203.0.113.9'],
  ['a chain is walked from the near end', two, '127.0.0.1', '198.51.100.1, 203.0.113.9, 10.1.1.1', '203.0.113.9'],
  ['rubbish ends the walk', two, '127.0.0.1', 'unknown', '127.0.0.1'],
  ['no header is the peer', two, '127.0.0.1', undefined, '127.0.0.1'],
])('%s', (_, proxies, peer, header, expected) => {
  expect(addressOf(request(peer, header), proxies)).toBe(expected);
});

test('a /64 of IPv6 is one sender, an address of IPv4 another', () => {
  expect(limitKeyOf('2001:db8:1:2:3:4:5:6')).toBe(limitKeyOf('2001:db8:1:2::9'));
  expect(limitKeyOf('2001:db8:1:2::9')).not.toBe(limitKeyOf('2001:db8:1:3::9'));
  expect(limitKeyOf('::1')).toBe('0:0:0:0::/64');
  expect(limitKeyOf('192.0.2.1')).toBe('192.0.2.1');
});
