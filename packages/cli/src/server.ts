import { type Environment, platform, Rest, restDefaults } from '@parlance/sdk';
import { WrongUsage } from './failure.ts';

// The server as the command line sees it: an address, and the SDK's calls.

export const defaultUrl = 'http://127.0.0.1:8080';

/** The address without a trailing slash. Throws WrongUsage for what is no address of a server. */
export function serverUrl(given: string | undefined): string {
  const url = given === undefined || given === '' ? defaultUrl : given;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (
    parsed === undefined ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.pathname !== '/' ||
    parsed.search !== '' ||
    parsed.hash !== '' ||
    parsed.username !== ''
  ) {
    throw new WrongUsage(`"${url}" is not the address of a server: write it like ${defaultUrl} or https://chat.example.org.`);
  }
  return parsed.origin;
}

/** Whether what is sent to this address can be read on the way. */
export function isInTheClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === 'http:' && hostname !== 'localhost' && hostname !== '[::1]' && !/^127\.\d+\.\d+\.\d+$/.test(hostname);
}

const userAgent = 'parlance command line';

/** What the SDK needs of the platform. The server shows the user agent in the list of sessions. */
export const environment: Pick<Environment, 'fetch'> = {
  fetch: (url, init) => fetch(url, { ...init, headers: { 'user-agent': userAgent, ...(init.headers as Record<string, string>) } }),
};

/** The server’s calls; null is nobody’s token. */
export const restOf = (url: string, token: string | null): Rest => new Rest({ ...restDefaults, url, token, environment: { ...platform(), ...environment } });
