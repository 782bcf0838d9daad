import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { at } from '../conformance/protocol-client.ts';
import { temporaryFolder } from '../support/server-process.ts';
import { App } from './app.ts';
import { importHistory, makeAdmin } from './history.ts';
import { conversations, founded, groups, now, people, unread } from './picture-content.ts';
import { Stage } from './stage.ts';

// Takes pictures of the main screens of the built app on a real server, in light and dark, wide and narrow: `node_modules/.bin/node test/browser/pictures.ts`
// takes those that the README shows into docs/pictures, `… pictures.ts all FOLDER [part of a name]` every one, to be looked at. The server's clock is set to the day
// of the story, and so is the browser's, so that the pictures are the same on any day.

/** Those that are kept. */
const shown = ['conversation-wide-light', 'conversation-wide-dark', 'members-wide-light', 'conversation-narrow-dark', 'log-in-wide-light'];

const [which, given, part = ''] = process.argv.slice(2);
const folder = which === 'all' && given !== undefined ? given : join(import.meta.dirname, '../../docs/pictures');
const tempest = `/c/${encodeURIComponent('#the-tempest')}`;
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
  { name: 'conversation', path: tempest, steps: (app) => app.message('they float').waitFor() },
  {
    name: 'members',
    path: tempest,
    steps: async (app) => {
      await app.message('they float').waitFor();
      await app.openMembers();
      await app.panel.getByText('Jonas Weber').waitFor();
    },
  },
  { name: 'list', path: '/', steps: (app) => app.conversation('The Tempest').waitFor() },
  { name: 'groups', path: '/groups', steps: (app) => app.button('Join').first().waitFor() },
  {
    name: 'switcher',
    path: tempest,
    steps: async (app, page) => {
      await app.message('they float').waitFor();
      await page.keyboard.press('Control+k');
      await app.dialog.getByRole('combobox').fill('o');
      await app.dialog.getByRole('option', { name: 'Jonas' }).waitFor();
    },
  },
  { name: 'settings', path: '/settings', steps: (_, page) => page.getByText('This device').waitFor() },
];

await useFont('Liberation Sans');
const stage = new Stage();
try {
  await stage.light(undefined);
  await stage.open({ env: clockAt(founded) });
  const chiara = await makePeopleAndGroups();
  await stage.restart({ env: clockAt(now) });
  for (const [conversation, said] of Object.entries(conversations)) await importHistory(chiara, conversation, said);
  await markRead();
  await mkdir(folder, { recursive: true });
  for (const screen of screens) {
    for (const [size, viewport] of Object.entries(sizes)) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const name = `${screen.name}-${size}-${colorScheme}`;
        if (which === 'all' ? name.includes(part) : shown.includes(name)) await take(name, screen, viewport, colorScheme);
      }
    }
  }
} finally {
  await stage.close();
}

/** The app is set in the system's own font; here in one that every Debian has, for the pictures to be the same everywhere. */
async function useFont(family: string): Promise<void> {
  const file = join(await temporaryFolder(), 'fonts.conf');
  const alias = (name: string) =>
    `<match target="pattern"><test name="family"><string>${name}</string></test><edit name="family" mode="assign" binding="strong"><string>${family}</string></edit></match>`;
  await writeFile(
    file,
    `<?xml version="1.0"?><fontconfig><include>/etc/fonts/fonts.conf</include>${['system-ui', 'sans-serif'].map(alias).join('')}</fontconfig>`,
  );
  process.env.FONTCONFIG_FILE = file;
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
  // Nobody looks: what is unread stays so for the next picture.
  await seat.context.addInitScript(() => {
    document.hasFocus = () => false;
  });
  await seat.page.goto(screen.path);
  await screen.steps?.(new App(seat.page), seat.page);
  await seat.page.evaluate(() => document.fonts.ready);
  await seat.page.waitForLoadState('networkidle');
  await seat.page.screenshot({ path: join(folder, `${name}.png`) });
  console.log(join(folder, `${name}.png`));
  await stage.clear();
}
