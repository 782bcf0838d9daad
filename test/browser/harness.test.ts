import { createServer, type Server } from 'node:http';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { violations } from './axe.ts';
import { launch, Seat } from './browser.ts';

// The watching itself: each thing that must not happen in a page is planted in one, and must be seen.

const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' http://127.0.0.1:1; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'";
const files: Record<string, string> = {
  '/': '<!doctype html><html lang="en"><title>Page</title><link rel="icon" href="data:,"><main><h1>Page</h1><p>Well.</p></main></html>',
  '/wrong':
    '<!doctype html><html lang="en"><title>Wrong</title><link rel="icon" href="data:,"><main><h1>Wrong</h1></main><script src="/wrong.js"></script></html>',
  '/inline': '<!doctype html><html lang="en"><title>Inline</title><link rel="icon" href="data:,"><main><h1>Inline</h1></main><script>1</script></html>',
  '/bad': '<!doctype html><html><title></title><link rel="icon" href="data:,"><img src="data:,"><button></button></html>',
  '/wrong.js': `console.error('planted'); setTimeout(() => { throw new Error('thrown'); }); setTimeout(() => alert('hello'));
    fetch('http://127.0.0.1:1/elsewhere').catch(() => {}); try { document.querySelector('main').innerHTML = '<b>x</b>'; } catch {}`,
};

let server: Server;
let browser: Browser | undefined;
let url: string;

beforeAll(async () => {
  server = createServer(({ url: path = '' }, response) => {
    response.setHeader('content-security-policy', policy);
    response.setHeader('content-type', path.endsWith('.js') ? 'text/javascript' : 'text/html');
    response.end(files[path]);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(async () => {
  await browser?.close();
  server.close();
});

it('notices whatever must not happen in a page', async (context) => {
  browser = await launch(context);
  const good = await Seat.take(browser, { url });
  await good.page.goto('/');
  await good.page.getByText('Well.').waitFor();
  expect(await violations(good.page)).toEqual([]);
  await good.leave();

  const bad = await Seat.take(browser, { url });
  await bad.page.goto('/wrong');
  for (const sign of [/^console error: planted/, /^uncaught: Error: thrown/, /^dialog: hello/, /^request to elsewhere/, /^policy: require-trusted-types-for/]) {
    await expect.poll(() => bad.wrong.some((one) => sign.test(one)), { message: String(sign) }).toBe(true);
  }
  const second = await bad.tab();
  await second.goto('/inline');
  await expect.poll(() => bad.wrong.some((one) => /^policy: script-src-elem inline/.test(one))).toBe(true);
  await second.goto('/bad');
  expect((await violations(second)).map((one) => one.split(':')[0])).toEqual(
    expect.arrayContaining(['html-has-lang', 'document-title', 'image-alt', 'button-name']),
  );
  await expect(bad.leave()).rejects.toThrow('planted');
});
