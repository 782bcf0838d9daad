import { hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { basename, extname, join, relative, sep } from 'node:path';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

// The web app, which every node serves at `/`. All its files are read once, at the start, into a map from address to bytes: nothing that a request
// says is ever made into a path of the disk. Compressing is the build's work (`scripts/build-web.mjs`), so that starting stays quick.
//
// The page comes in variants, which differ in what they have the browser load along with the script, the texts of a language and what is drawn for somebody
// with a session or without; and the one for somebody without says that there is none, so that the app need not ask. The request says which.
//
// An address that no file, call or page has is the app's own (`/c/@ada/m/7`) when a person goes there: who asks for HTML gets index.html, and the app
// reads the address. Everybody else, a script or a client of the calls, is told that there is nothing.

/** Where the build puts the app: the same place seen from this file's source and from what is compiled of it. */
export const webFolder = join(import.meta.dirname, '../../../web/dist');

/** The app as built. */
export interface WebApp {
  /** By address; index.html is at `/`. */
  files: ReadonlyMap<string, WebFile>;
  /** The page's variants, by language and visitor: `de.signed-in`. */
  pages: ReadonlyMap<string, WebFile>;
}

interface WebFile {
  headers: Readonly<Record<string, string>>;
  /** The smallest first. The last one is the file as it is. */
  variants: readonly { encoding: string; etag: string; bytes: Buffer }[];
}

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

const encodings = [
  { encoding: 'br', suffix: '.br' },
  { encoding: 'gzip', suffix: '.gz' },
] as const;

/** No address but its own, no text that becomes script, no frame around it: what the app may do, and by that what a message shown in it could ever do. */
const policy = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self' data:", "font-src 'self'", "manifest-src 'self'"],
  ...["base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"],
].join('; ');

const pageHeaders = {
  'content-security-policy': policy,
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=()',
};

/** A year, the most that caches keep anything (RFC 9111). The name of such a file has its hash in it, so another content has another name. */
const immutable = 'public, max-age=31536000, immutable';

/** Addresses below which everything is the server's own: a wrong one there is said to be wrong, also to a person. */
const serversOwn = /^\/(v1|classic|docs|first-admin)(\/|$)/;

/** Reads the app; undefined when it is not built. */
export function readWebApp(folder: string): WebApp | undefined {
  if (!existsSync(join(folder, 'index.html'))) return undefined;
  const files = new Map<string, WebFile>();
  const pages = new Map<string, WebFile>();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || encodings.some(({ suffix }) => entry.name.endsWith(suffix))) continue;
    const path = join(entry.parentPath, entry.name);
    const address = `/${relative(folder, path).split(sep).join('/')}`;
    if (address.startsWith('/.pages/')) pages.set(basename(path, '.html'), readFile(path, address));
    if (address.includes('/.')) continue; // The build's own notes.
    files.set(address === '/index.html' ? '/' : address, readFile(path, address));
  }
  return { files, pages };
}

function readFile(path: string, address: string): WebFile {
  const isPage = extname(path) === '.html';
  const whole = readFileSync(path);
  const compressed = encodings.flatMap(({ encoding, suffix }) => {
    if (!existsSync(path + suffix)) return [];
    const bytes = readFileSync(path + suffix);
    return bytes.length < whole.length ? [{ encoding, etag: etagOf(bytes), bytes }] : [];
  });
  return {
    headers: {
      'content-type': contentTypes[extname(path)] ?? 'application/octet-stream',
      // A page that says there is no session must not come back from a cache when there is one: browsers do that without asking when a tab is opened again.
      'cache-control': address.startsWith('/assets/') ? immutable : address.endsWith('.signed-out.html') ? 'no-store' : 'no-cache',
      'cross-origin-resource-policy': 'same-origin',
      // A page is what one asker gets at an address where another gets a problem.
      vary: isPage ? 'accept, accept-encoding, accept-language, cookie' : 'accept-encoding',
      ...(isPage && pageHeaders),
    },
    variants: [...compressed, { encoding: 'identity', etag: etagOf(whole), bytes: whole }],
  };
}

const etagOf = (bytes: Buffer): string => `"${hash('sha256', bytes, 'base64url').slice(0, 22)}"`;

const notBuilt = 'This Parlance server runs, but its web app is not built: run `npm run build` and start it again (what it answers is described at /docs).\n';

/**
 * Serves the app. Answers what to do with a request that no address matches: it sends index.html when the address may be one of the app's and answers
 * whether it did. `hasSession` tells whether a browser's request comes with a session, be it in force or not. Call it before the server is ready.
 */
export function addWebApp(
  app: FastifyInstance,
  web: WebApp | undefined,
  hasSession: (headers: IncomingHttpHeaders) => boolean,
): (request: FastifyRequest, reply: FastifyReply) => boolean {
  if (web === undefined) {
    app.get('/', (_, reply) => reply.type('text/plain; charset=utf-8').send(notBuilt));
    return () => false;
  }
  const sendPage = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const visitor = hasSession(request.headers) ? 'signed-in' : 'signed-out';
    const page = acceptedLanguages(request.headers['accept-language'])
      .map((language) => web.pages.get(`${language}.${visitor}`))
      .find((found) => found !== undefined);
    return send(page ?? web.files.get('/')!, request, reply);
  };
  for (const [address, file] of web.files) app.get(address, address === '/' ? sendPage : (request, reply) => send(file, request, reply));

  // A person who opens the first administrator's link goes to the app, which has them sign in and then makes the call of the same address.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.raw.url!.startsWith('/first-admin/') && asksForPage(request)) {
      void sendPage(request, reply);
      return;
    }
    done();
  });

  return (request, reply) => {
    if (!asksForPage(request) || serversOwn.test(request.raw.url!.split('?')[0]!)) return false;
    void sendPage(request, reply);
    return true;
  };
}

const asksForPage = ({ method, headers }: FastifyRequest): boolean => (method === 'GET' || method === 'HEAD') && (headers.accept ?? '').includes('text/html');

function send({ headers, variants }: WebFile, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const accepted = acceptedEncodings(request.headers['accept-encoding']);
  const { encoding, etag, bytes } = variants.find((variant) => accepted.has(variant.encoding)) ?? variants.at(-1)!;
  reply.headers(headers).header('etag', etag);
  if (encoding !== 'identity') reply.header('content-encoding', encoding);
  const known = request.headers['if-none-match']?.split(',').map((one) => one.trim().replace(/^W\//, ''));
  return known?.includes(etag) ? reply.code(304).send() : reply.send(bytes);
}

/** The languages a visitor reads, the best first as browsers send them; English, which the app falls back to, is the last. */
const acceptedLanguages = (header: string | undefined): string[] => [...(header ?? '').split(',').map((offer) => offer.trim().slice(0, 2).toLowerCase()), 'en'];

/** The encodings a client takes, without those it gives no weight (RFC 9110, 12.5.3). */
function acceptedEncodings(header: string | string[] | undefined): Set<string> {
  const offers = String(header ?? '')
    .toLowerCase()
    .split(',');
  return new Set(offers.filter((offer) => !/;\s*q=0(\.0*)?\s*$/.test(offer)).map((offer) => offer.split(';')[0]!.trim()));
}
