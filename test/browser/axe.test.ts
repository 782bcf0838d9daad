import { expect, it } from 'vitest';
import type { Person } from '../conformance/protocol-client.ts';
import type { App } from './app.ts';
import { violations } from './axe.ts';
import { networkTrouble, refusedWith, type Seat } from './browser.ts';
import { playerOf } from './pair.ts';
import type { Stage } from './stage.ts';
import { useStage } from './use-stage.ts';

// What axe-core finds, in each state of each screen: nothing. Light and dark, wide and narrow, left to right and right to left. Nothing here is looked for by what
// it is called, for it is called otherwise in every language.

const stage = useStage();

const looks = [
  { colorScheme: 'light', viewport: { width: 1280, height: 800 }, locale: 'en-GB' },
  { colorScheme: 'dark', viewport: { width: 1280, height: 800 }, locale: 'ar' },
  { colorScheme: 'dark', viewport: { width: 390, height: 844 }, locale: 'en-GB' },
  { colorScheme: 'light', viewport: { width: 390, height: 844 }, locale: 'ar' },
] as const;

interface Scene {
  app: App;
  seat: Seat;
  stage: Stage;
  /** Who wrote, who never did, a group of one's own, and one that one was removed from. */
  ann: Person;
  carol: Person;
  group: string;
  lost: string;
}

type State = readonly [name: string, reach: (scene: Scene) => Promise<unknown>];

/** Presses a key that opens a dialog. */
const opens =
  (key: string) =>
  async ({ app }: Scene): Promise<void> => {
    await app.page.keyboard.press(key);
    await app.dialog.waitFor();
  };

const closeDialog = async ({ app }: Scene): Promise<void> => {
  await app.page.keyboard.press('Escape');
  await app.dialog.waitFor({ state: 'hidden' });
};

/** Of somebody who is signed out, one after another. */
const signedOut: readonly State[] = [
  ['logging in', ({ app }) => app.page.goto('/').then(() => app.page.locator('input[type=password]').waitFor())],
  ['what is missing', ({ app }) => app.page.locator('button[type=submit]').click()],
  ['registering', ({ app }) => app.page.goto('/register').then(() => app.page.locator('input[type=email]').waitFor())],
];

/** Of somebody who is signed in; each begins where the one before ended. */
const signedIn: readonly State[] = [
  ['the list', ({ app }) => app.page.goto('/').then(() => app.ready())],
  ['people', ({ app }) => app.page.goto('/people').then(() => app.page.locator('nav ul a').first().waitFor())],
  ['groups', ({ app }) => app.page.goto('/groups').then(() => app.page.locator('nav h2').first().waitFor())],
  [
    'a new group',
    ({ app }) =>
      app.page
        .locator('nav button')
        .first()
        .click()
        .then(() => app.dialog.waitFor()),
  ],
  [
    'a conversation',
    async ({ app, ann }) => {
      await app.open(`@${ann.id}`);
      await app.messages.first().waitFor();
    },
  ],
  ['a message with the pointer on it', ({ app }) => app.messages.last().hover()],
  ['a message being edited', ({ app }) => app.composer.press('ArrowUp').then(() => app.editor.waitFor())],
  [
    'a message that can be had back',
    async ({ app }) => {
      await app.page.keyboard.press('Escape');
      await app.messages.last().hover();
      await app.messages.last().getByRole('toolbar').getByRole('button').last().click();
    },
  ],
  ['the switcher', opens('Control+k')],
  ['the keys', (scene) => closeDialog(scene).then(() => opens('Control+/')(scene))],
  [
    'members',
    async (scene) => {
      await closeDialog(scene);
      await scene.app.open(`#${scene.group}`);
      await scene.app.page.keyboard.press('Alt+m');
      await scene.app.page.locator('main [aria-haspopup=menu]').first().waitFor();
    },
  ],
  ['the menu of a member', ({ app }) => app.page.locator('main [aria-haspopup=menu]').first().click()],
  [
    'a question',
    ({ app }) =>
      app.page
        .getByRole('menuitem')
        .nth(1)
        .click()
        .then(() => app.dialog.waitFor()),
  ],
  ['a group one was removed from', ({ app, lost }) => app.open(`#${lost}`)],
  ['an empty conversation', ({ app, carol }) => app.open(`@${carol.id}`)],
  ['settings', ({ app }) => app.page.goto('/settings').then(() => app.page.locator('main input[type=radio]').first().waitFor())],
  [
    'no network, and a message that waits for it',
    async ({ app, seat, stage: { line }, ann }) => {
      await app.open(`@${ann.id}`);
      await app.messages.first().waitFor();
      seat.expectWrong(...networkTrouble);
      line.cut();
      await app.offlineBar.waitFor();
      await app.send('later');
    },
  ],
];

it.each(looks)(
  'is content with every state, $colorScheme, $viewport.width px, $locale',
  async (look) => {
    const [ann, bob, carol] = await Promise.all([stage.person('ann'), stage.person('bob'), stage.person('carol')]);
    await ann.send(`@${bob.id}`, 'Hello **Bob**, see https://example.org\n\n- one\n- two\n\n> quoted `code`');
    await ann.send(`@${bob.id}`, 'مرحبا');
    await ann.delete(`@${bob.id}`, '2');
    await bob.send(`@${ann.id}`, 'Hello Ann');
    const [group, lost] = [await bob.group(), await ann.group()];
    for (const { id } of [ann, carol]) await bob.put(group, id);
    await ann.put(lost, bob.id);
    await ann.send(`#${lost}`, 'farewell');
    const wrong: string[] = [];
    const walk = async (states: readonly State[], scene: Scene): Promise<void> => {
      for (const [name, reach] of states) {
        await reach(scene).catch((error: Error) => {
          throw new Error(`${name} was not reached`, { cause: error });
        });
        for (const one of await violations(scene.app.page)) wrong.push(`${name}: ${one}`);
      }
    };

    const visitor = await playerOf(stage, bob, look);
    visitor.seat.expectWrong(refusedWith(401));
    await visitor.seat.context.clearCookies();
    await walk(signedOut, { ...visitor, stage, ann, carol, group, lost });

    const reader = await playerOf(stage, bob, look);
    await reader.app.open(`#${lost}`);
    await reader.app.messages.first().waitFor();
    await ann.remove(lost, bob.id);
    reader.seat.expectWrong(refusedWith(403), refusedWith(404));
    await walk(signedIn, { ...reader, stage, ann, carol, group, lost });
    expect(wrong).toEqual([]);
  },
  120_000,
);
