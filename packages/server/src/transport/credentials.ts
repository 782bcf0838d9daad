import type { IncomingHttpHeaders } from 'node:http';
import { sessionDays } from '@parlance/schema/limits';
import type { Config } from '../config.ts';

// How a request says who makes it: a bearer token (programs) or a cookie (browsers). A cookie is sent by the browser whoever wrote the page, so what changes
// something must then come from a page of this server.

export interface Credentials {
  token: string;
  from: 'bearer' | 'cookie';
}

/** The token of a request; a bearer token beats a cookie. Undefined when there is none. */
export function credentialsOf(headers: IncomingHttpHeaders, config: Config): Credentials | undefined {
  const { authorization, cookie } = headers;
  if (authorization !== undefined) {
    const [scheme, token, ...rest] = authorization.split(' ');
    // Another scheme is no credential here, and must not fall back to a cookie the client may not mean.
    return scheme?.toLowerCase() === 'bearer' && token !== undefined && rest.length === 0 ? { token, from: 'bearer' } : undefined;
  }
  const name = cookieName(config);
  for (const part of cookie?.split(';') ?? []) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return { token: part.slice(at + 1).trim(), from: 'cookie' };
  }
  return undefined;
}

/**
 * Whether a request comes from a page of this server, or from no page at all: browsers send Origin with every unsafe request and every WebSocket, or at
 * least Sec-Fetch-Site, and programs neither.
 */
export function isOwnOrigin(headers: IncomingHttpHeaders, config: Config): boolean {
  const { origin, host } = headers;
  if (origin === undefined) {
    const site = headers['sec-fetch-site'];
    return site === undefined || site === 'same-origin' || site === 'none';
  }
  if (!URL.canParse(origin)) return false; // "null": a sandboxed page or a file.
  const { origin: own, host: ownHost, protocol } = new URL(origin);
  if (config.publicUrl !== undefined && new URL(config.publicUrl).origin === own) return true;
  const isRightProtocol = protocol === (isSecure(config) ? 'https:' : 'http:');
  const called = `${protocol}//${host}`; // Through URL, so that a default port is left out on both sides.
  return isRightProtocol && host !== undefined && URL.canParse(called) && ownHost === new URL(called).host;
}

/** The Set-Cookie header that hands a browser its session. */
export const sessionCookie = (token: string, config: Config): string => cookie(token, sessionDays * 86_400, config);

/** The Set-Cookie header that takes it away. */
export const noCookie = (config: Config): string => cookie('', 0, config);

const isSecure = (config: Config): boolean => config.tlsCert !== undefined || config.behindTlsProxy;

const cookieName = (config: Config): string => (isSecure(config) ? '__Host-parlance' : 'parlance');

const cookie = (value: string, maxAgeS: number, config: Config): string =>
  `${cookieName(config)}=${value}; Path=/; Max-Age=${maxAgeS}; HttpOnly; SameSite=Lax${isSecure(config) ? '; Secure' : ''}`;
