import { expect, test } from 'vitest';
import { readConfig } from '../config.ts';
import { credentialsOf, isOwnOrigin, noCookie, sessionCookie } from './credentials.ts';

const plain = readConfig({});
const proxied = readConfig({ PARLANCE_BEHIND_TLS_PROXY: 'true' });
const named = readConfig({ PARLANCE_BEHIND_TLS_PROXY: 'true', PARLANCE_PUBLIC_URL: 'https://chat.example.org' });

test('a bearer token beats a cookie, and another scheme does not fall back to it', () => {
  expect(credentialsOf({ authorization: 'Bearer abc', cookie: 'parlance=def' }, plain)).toEqual({ token: 'abc', from: 'bearer' });
  expect(credentialsOf({ authorization: 'bearer abc' }, plain)?.token).toBe('abc');
  expect(credentialsOf({ authorization: 'Basic abc', cookie: 'parlance=def' }, plain)).toBeUndefined();
  expect(credentialsOf({ cookie: 'a=1; parlance=def ; b=2' }, plain)).toEqual({ token: 'def', from: 'cookie' });
  expect(credentialsOf({}, plain)).toBeUndefined();
});

test('with TLS only the __Host- cookie counts, which no other host and no plain page can set', () => {
  expect(credentialsOf({ cookie: 'parlance=def' }, proxied)).toBeUndefined();
  expect(credentialsOf({ cookie: '__Host-parlance=def' }, proxied)?.token).toBe('def');
  expect(sessionCookie('abc', proxied)).toMatch(/^__Host-parlance=abc; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax; Secure$/);
  expect(sessionCookie('abc', plain)).toMatch(/^parlance=abc; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
  expect(noCookie(plain)).toMatch(/^parlance=; .*Max-Age=0/);
});

test.each([
  ['no page at all', {}, plain, true],
  ['our page', { origin: 'http://127.0.0.1:8080', host: '127.0.0.1:8080' }, plain, true],
  ['another port', { origin: 'http://127.0.0.1:9090', host: '127.0.0.1:8080' }, plain, false],
  ['another host', { origin: 'http://evil.example', host: '127.0.0.1:8080' }, plain, false],
  ['a sandboxed page', { origin: 'null', host: '127.0.0.1:8080' }, plain, false],
  ['rubbish', { origin: 'http://', host: '127.0.0.1:8080' }, plain, false],
  ['a rubbish host', { origin: 'http://a', host: 'a b' }, plain, false],
  ['our page behind a proxy', { origin: 'https://chat.example.org', host: 'chat.example.org' }, proxied, true],
  ['the same host without TLS', { origin: 'http://chat.example.org', host: 'chat.example.org' }, proxied, false],
  ['our public address, whatever the proxy calls us', { origin: 'https://chat.example.org', host: 'node1:8080' }, named, true],
  ['no origin, but the browser says it is ours', { 'sec-fetch-site': 'same-origin' }, plain, true],
  ['no origin, and the browser says it is not', { 'sec-fetch-site': 'cross-site' }, plain, false],
  ['no origin, and a sister site', { 'sec-fetch-site': 'same-site' }, plain, false],
])('a request from %s', (_, headers, config, expected) => {
  expect(isOwnOrigin(headers, config)).toBe(expected);
});
