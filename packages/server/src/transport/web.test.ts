import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addWebApp, readWebApp } from './web.ts';

// The serving of the app, on a folder as the build leaves it.

const page = '<!doctype html><title>Parlance</title><script type="module" src="/assets/index-1a2b3c4d.js"></script>\n'.padEnd(600);
const script = `console.log('${'hello '.repeat(100)}');\n`;
const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

const pageOf = (variant: string): string => page.replace('</title>', `</title><!-- ${variant} -->`);
const variants = ['en.signed-in', 'en.signed-out', 'de.signed-in', 'de.signed-out'];

const parent = mkdtempSync(join(tmpdir(), 'parlance-web-'));
const folder = join(parent, 'dist');
let app: FastifyInstance;

beforeAll(async () => {
  mkdirSync(join(folder, 'assets'), { recursive: true });
  mkdirSync(join(folder, '.vite'));
  mkdirSync(join(folder, '.pages'));
  writeFileSync(join(parent, 'secret.txt'), 'not for the world');
  writeFileSync(join(folder, '.vite/manifest.json'), '{}');
  for (const [name, text] of [
    ['index.html', page],
    ['assets/index-1a2b3c4d.js', script],
  ] as const) {
    writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, `${name}.br`), brotliCompressSync(text));
    writeFileSync(join(folder, `${name}.gz`), gzipSync(text));
  }
  for (const variant of variants) writeFileSync(join(folder, `.pages/${variant}.html`), pageOf(variant));
  writeFileSync(join(folder, 'icon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  app = await serverOf(folder);
});
afterAll(async () => {
  await app.close();
  rmSync(parent, { recursive: true });
});

async function serverOf(of: string): Promise<FastifyInstance> {
  const made = fastify();
  made.get('/v1/me', () => 'me');
  made.get('/first-admin/:link', () => 'claimed');
  const answerAsWebApp = addWebApp(made, readWebApp(of), ({ cookie }) => cookie !== undefined);
  made.setNotFoundHandler((request, reply) => (answerAsWebApp(request, reply) ? reply : reply.code(404).send({ code: 'not_found' })));
  await made.ready();
  return made;
}

test('the page may do nothing but what the app needs, and is asked for anew each time', async () => {
  const { statusCode, headers, body } = await app.inject({ url: '/', headers: html });
  expect([statusCode, body]).toEqual([200, pageOf('en.signed-out')]);
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['cache-control']).toBe('no-store');
  expect((await app.inject({ url: '/', headers: { ...html, cookie: 'parlance=x' } })).headers['cache-control']).toBe('no-cache');
  expect(headers['content-security-policy']).toBe(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  );
  expect(headers).toMatchObject({ 'cross-origin-opener-policy': 'same-origin', 'permissions-policy': expect.stringContaining('camera=()') });
});

test('a page that the browser has is not sent again', async () => {
  const ask = (more: Record<string, string>) => app.inject({ url: '/', headers: { cookie: 'parlance=x', ...more } });
  const first = await ask({});
  const again = await ask({ 'if-none-match': `"other", W/${first.headers.etag}` });
  expect([again.statusCode, again.body, again.headers.etag]).toEqual([304, '', first.headers.etag]);
  expect((await ask({ 'if-none-match': '"other"' })).statusCode).toBe(200);
});

test.each([
  ['de-AT,de;q=0.9,en;q=0.8', undefined, 'de.signed-out'],
  ['fr,de;q=0.5', 'parlance=x', 'de.signed-in'],
  ['fr', 'parlance=x', 'en.signed-in'],
  [undefined, undefined, 'en.signed-out'],
  ['../../secret, */*;q=x', undefined, 'en.signed-out'],
])('to a browser that wants %s and has the cookies %s the page is %s', async (language, cookie, variant) => {
  for (const url of ['/', '/c/@bob']) {
    const { body, headers } = await app.inject({ url, headers: { ...html, ...(language && { 'accept-language': language }), ...(cookie && { cookie }) } });
    expect(body, url).toBe(pageOf(variant));
    expect(headers.vary).toBe('accept, accept-encoding, accept-language, cookie');
  }
});

test('a file with a hash in its name is kept for a year, another one is asked for anew', async () => {
  const hashed = await app.inject({ url: '/assets/index-1a2b3c4d.js' });
  expect([hashed.body, hashed.headers['content-type'], hashed.headers['cache-control']]).toEqual([
    script,
    'text/javascript; charset=utf-8',
    'public, max-age=31536000, immutable',
  ]);
  const icon = await app.inject({ url: '/icon.svg' });
  expect([icon.statusCode, icon.headers['content-type'], icon.headers['cache-control']]).toEqual([200, 'image/svg+xml', 'no-cache']);
});

test('a file is sent in the smallest form that the browser takes', async () => {
  const ask = (accepted: string) => app.inject({ url: '/assets/index-1a2b3c4d.js', headers: { 'accept-encoding': accepted } });
  const brotli = await ask('gzip, deflate, br, zstd');
  expect([brotli.headers['content-encoding'], brotliDecompressSync(brotli.rawPayload).toString()]).toEqual(['br', script]);
  const gzip = await ask('gzip;q=0.5, br;q=0');
  expect([gzip.headers['content-encoding'], gunzipSync(gzip.rawPayload).toString()]).toEqual(['gzip', script]);
  const plain = await ask('deflate');
  expect([plain.headers['content-encoding'], plain.body]).toEqual([undefined, script]);
  expect(new Set([brotli, gzip, plain].map(({ headers }) => headers.etag)).size).toBe(3);
  for (const one of [brotli, gzip, plain]) expect(one.headers.vary).toBe('accept-encoding');
});

test('a person who goes to an address of the app gets the app, a program is told that there is nothing', async () => {
  for (const url of ['/c/@bob/m/17', '/login?return=%2Fc%2F%40bob', '/settings', '/%ff', '//evil.example/x']) {
    const { statusCode, headers } = await app.inject({ url, headers: html });
    expect([statusCode, headers['content-type']], url).toEqual([url === '/%ff' ? 400 : 200, expect.anything()]);
    expect((await app.inject({ url })).body, url).not.toContain('<!doctype');
  }
  expect((await app.inject({ url: '/c/@bob' })).json()).toEqual({ code: 'not_found' });
  expect((await app.inject({ url: '/c/@bob', headers: html, method: 'POST' })).statusCode).toBe(404);
});

test('a wrong address of the server’s own is said to be wrong, to a person too', async () => {
  for (const url of ['/v1/nothing', '/v1', '/docs/nothing', '/classic/nothing']) {
    expect((await app.inject({ url, headers: html })).json(), url).toEqual({ code: 'not_found' });
  }
  expect((await app.inject({ url: '/assets/index-00000000.js', headers: { accept: '*/*' } })).statusCode).toBe(404);
});

test('the first administrator’s link is the app to a person and the call to a program', async () => {
  expect((await app.inject({ url: '/first-admin/0123456789abcdef', headers: html })).body).toBe(pageOf('en.signed-out'));
  expect((await app.inject({ url: '/first-admin/0123456789abcdef', headers: { accept: 'application/json' } })).body).toBe('claimed');
});

test('no address leads out of the folder, to the build’s notes or to a compressed form itself', async () => {
  for (const url of ['/../secret.txt', '/assets/../../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt', '/assets/%2e%2e%2f%2e%2e%2fsecret.txt']) {
    const { body } = await app.inject({ url });
    expect(body, url).not.toContain('not for the world');
  }
  for (const url of ['/.vite/manifest.json', '/.pages/en.signed-out.html', '/index.html.br', '/assets/index-1a2b3c4d.js.gz'])
    expect((await app.inject({ url })).statusCode, url).toBe(404);
});

test('a server without a built app says so in one sentence', async () => {
  await using bare = await serverOf(join(parent, 'nowhere'));
  const { statusCode, headers, body } = await bare.inject({ url: '/', headers: html });
  expect([statusCode, headers['content-type']]).toEqual([200, 'text/plain; charset=utf-8']);
  expect(body).toMatch(/^[^\n]*web app is not built: run `npm run build`[^\n]*\.\n$/);
  expect((await bare.inject({ url: '/c/@bob', headers: html })).statusCode).toBe(404);
  expect((await bare.inject({ url: '/first-admin/0123456789abcdef', headers: html })).body).toBe('claimed');
});
