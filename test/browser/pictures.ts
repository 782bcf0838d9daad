import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { at } from '../conformance/protocol-client.ts';
import { App } from './app.ts';
import { importHistory, makeAdmin } from './history.ts';
import { conversations, founded, groups, now, people, unread } from './picture-content.ts';
import { Stage } from './stage.ts';

// Takes the pictures of docs/pictures: `node_modules/.bin/node test/browser/pictures.ts [part of a name]`. The main screens of the built app on a real server, in
// light and dark, wide and narrow. The server's clock is set to the day of the story, and so is the browser's, so that the pictures are the same on any day.

const folder = join(import.meta.dirname, '../../docs/pictures');
const sizes = { wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } } as const;

/** Sets a process's clock: Node reads this before anything of the program. */
const clockAt = (time: string): Record<string, string> => {
  const shim = `{ const ahead = ${Date.parse(time)} - Date.now(); const real = Date.now; Date.now = () => real() + ahead;
    globalThis.Date = class extends Date { constructor(...given) { if (given.length === 0) super(real() + ahead); else super(...given); } }; }`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shim)}` };
};

/** A screen: how somebody gets there. */
interface Screen {
  name: string;
  signedOut?: true;
  path: string;
  steps?: (app: App, page: Page) => Promise<void>;
}

const screens: readonly Screen[] = [
  { name: 'log-in', signedOut: true, path: '/' },
  { name: 'conversation', path: `/c/${encodeURIComponent('#the-tempest')}`, steps: (app) => app.message('they float').waitFor() },
];

const stage = new Stage();
try {
  await stage.light(undefined);
  await stage.open({ env: clockAt(founded) });
  const chiara = await makePeopleAndGroups();
  await stage.restart({ env: clockAt(now) });
  for (const [conversation, said] of Object.entries(conversations)) await importHistory(chiara, conversation, said);
  await markRead();
  await mkdir(folder, { recursive: true });
  const wanted = process.argv[2] ?? '';
  for (const screen of screens) {
    for (const [size, viewport] of Object.entries(sizes)) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const name = `${screen.name}-${size}-${colorScheme}`;
        if (name.includes(wanted)) await take(name, screen, viewport, colorScheme);
      }
    }
  }
} finally {
  await stage.close();
}

async function makePeopleAndGroups() {
  const all = new Map<string, Awaited<ReturnType<typeof stage.named>>>();
  for (const [id, displayName] of Object.entries(people)) all.set(id, await stage.named(id, displayName));
  for (const { name, title, open, owner, members } of groups) {
    await all.get(owner)!.call('POST', '/v1/groups', { name, title, open });
    for (const member of members) await all.get(owner)!.put(name, member);
  }
  await makeAdmin(all.get('chiara')!, stage.adminLink);
  return all.get('chiara')!;
}

/** What Mira has read, and everybody else everything. */
async function markRead(): Promise<void> {
  const mira = await stage.returning('mira');
  const { conversations: mine } = (await mira.get('/v1/conversations')).body;
  for (const { conversation, seq } of mine) await mira.call('PUT', `${at(conversation)}/read`, { seq: seq - (unread[conversation] ?? 0) });
}

async function take(name: string, screen: Screen, viewport: { width: number; height: number }, colorScheme: 'light' | 'dark'): Promise<void> {
  const options = { viewport, colorScheme, deviceScaleFactor: 2, reducedMotion: 'reduce', timezoneId: 'UTC' } as const;
  const seat = screen.signedOut ? await stage.seat(options) : await stage.seatFor(await stage.returning('mira'), options);
  await seat.context.clock.setFixedTime(now);
  await seat.page.goto(screen.path);
  await screen.steps?.(new App(seat.page), seat.page);
  await seat.page.evaluate(() => document.fonts.ready);
  await seat.page.waitForLoadState('networkidle');
  await seat.page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(`docs/pictures/${name}.png`);
  await stage.clear();
}
