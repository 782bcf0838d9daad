import { expect, it } from 'vitest';
import { at, type Person } from '../conformance/protocol-client.ts';
import { App } from './app.ts';
import { pair, playerOf } from './pair.ts';
import { password } from './stage.ts';
import { soon, useStage } from './use-stage.ts';

// Without a mouse: everything here is done with keys alone, and the focus is never nowhere.

const stage = useStage();

it('somebody logs in, finds a person, chats, edits and deletes with keys alone', async () => {
  const [ann, bob] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  const seat = await stage.seat();
  const { page } = seat;
  const app = new App(page);
  const { keyboard } = page;
  await page.goto('/');
  await page.getByLabel('Password', { exact: true }).waitFor();
  await tabTo(app, /User name/);
  await keyboard.type(ann.id);
  await tabTo(app, /^Password/);
  await keyboard.type(password);
  await keyboard.press('Enter');
  await app.ready();

  await keyboard.press('Control+k');
  await app.dialog.waitFor();
  await keyboard.type(bob.id.slice(0, 10));
  await app.dialog.getByRole('option', { name: bob.id }).first().waitFor();
  await keyboard.press('Enter');
  await app.composer.waitFor();
  await expect.poll(() => app.composer.evaluate((one) => one === document.activeElement), soon).toBe(true);

  await keyboard.type('from the kyboard');
  await keyboard.press('Enter');
  await app.until('stored', 'from the kyboard');
  await keyboard.press('ArrowUp');
  await app.editor.waitFor();
  await keyboard.press('Control+a');
  await keyboard.type('from the keyboard');
  await keyboard.press('Enter');
  await app.message('from the keyboard').waitFor();
  await expect.poll(() => app.composer.evaluate((one) => one === document.activeElement), { ...soon, message: 'the focus comes back' }).toBe(true);

  await keyboard.press('Control+/');
  await app.dialog.waitFor();
  await keyboard.press('Escape');
  await app.dialog.waitFor({ state: 'hidden' });
  for (let round = 0; round < 6; round++) {
    await keyboard.press('F6');
    expect(await page.evaluate(() => document.activeElement !== null && document.activeElement !== document.body), 'F6 leads somewhere').toBe(true);
  }
});

it('what comes in the open conversation is said by one log, at most one message in 1.5 s', async () => {
  const { ann, bob } = await pair(stage);
  const { page } = bob.seat;
  const log = page.getByRole('log');
  expect(await log.count()).toBe(1);
  await page.evaluate(() => {
    const said: { at: number; text: string }[] = [];
    Object.assign(window, { said });
    const element = document.querySelector('[role=log]')!;
    new MutationObserver((changes) => {
      const text = changes
        .flatMap(({ addedNodes }) => [...addedNodes])
        .map((node) => node.textContent ?? '')
        .join(' ');
      if (text.trim() !== '') said.push({ at: performance.now(), text });
    }).observe(element, { childList: true, subtree: true, characterData: true });
  });
  for (const text of ['first of three', 'second of three', 'third of three']) await ann.app.send(text);
  const said = (): Promise<{ at: number; text: string }[]> => page.evaluate(() => (window as unknown as { said: { at: number; text: string }[] }).said);
  await expect.poll(async () => (await said()).map(({ text }) => text).join(' '), soon).toMatch(/three/);
  await expect.poll(() => bob.app.message('third of three').count(), soon).toBe(1);
  const times = (await said()).map(({ at }) => at);
  for (const [index, time] of times.slice(1).entries()) expect(time - times[index]!).toBeGreaterThanOrEqual(1400);
});

it('Alt with the arrows leads through the conversations, with Shift through the unread ones only', async () => {
  const [ann, bob, carol, dora] = await Promise.all(['ann', 'bob', 'carol', 'dora'].map((name) => stage.person(name)));
  for (const other of [dora!, carol!, bob!]) await other.send(`@${ann!.id}`, `from ${other.id}`);
  const { app, seat } = await playerOf(stage, ann!);
  const { keyboard } = seat.page;
  const isOpen = ({ id }: Person) => seat.page.getByRole('heading', { level: 1, name: id }).waitFor();
  await app.open(`@${bob!.id}`);
  await isOpen(bob!);
  await keyboard.press('Alt+ArrowDown');
  await isOpen(carol!);
  await expect.poll(async () => (await ann!.get(at(`@${carol!.id}`))).body.unread_count, soon).toBe(0);
  await keyboard.press('Alt+ArrowUp');
  await isOpen(bob!);
  await keyboard.press('Alt+Shift+ArrowDown');
  await isOpen(dora!);
  await expect.poll(() => app.composer.evaluate((one) => one === document.activeElement), soon).toBe(true);
});

it('Escape undoes one thing at a time: the dialog, the edit, the members, and being further up', async () => {
  const [ann, bob] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  const group = await ann.group();
  await ann.put(group, bob.id);
  for (let index = 1; index <= 40; index++) await ann.send(`#${group}`, `line ${index}.`);
  const { app, seat } = await playerOf(stage, ann);
  const { keyboard } = seat.page;
  await app.open(`#${group}`);
  await app.message('line 40.').waitFor();
  await app.scroller.hover();
  await seat.page.mouse.wheel(0, -900);
  await app.button(/^Jump to latest/).waitFor();
  await keyboard.press('Alt+m');
  await app.panel.waitFor();
  await keyboard.press('Control+/');
  await app.dialog.waitFor();
  await keyboard.press('Escape');
  await app.dialog.waitFor({ state: 'hidden' });
  expect(await app.panel.isVisible()).toBe(true);
  await keyboard.press('Escape');
  await app.panel.waitFor({ state: 'hidden' });
  expect(await app.button(/^Jump to latest/).isVisible()).toBe(true);
  await keyboard.press('Escape');
  await expect.poll(() => app.button(/^Jump to latest/).count(), soon).toBe(0);
  await keyboard.press('ArrowUp');
  await app.editor.waitFor();
  await keyboard.press('Escape');
  await app.editor.waitFor({ state: 'hidden' });
  await expect.poll(() => app.composer.evaluate((one) => one === document.activeElement), soon).toBe(true);
});

it('the arrow keys go from message to message, each says who and when, and its id and exact time are there', async () => {
  const { ann, bob } = await pair(stage);
  for (const text of ['the first', 'the second', 'the third']) await bob.person.send(`@${ann.person.id}`, text);
  const { page } = ann.seat;
  await ann.app.message('the third').focus();
  await page.keyboard.press('ArrowUp');
  const second = ann.app.message('the second');
  await expect.poll(() => second.evaluate((one) => one === document.activeElement), soon).toBe(true);
  expect(await second.getAttribute('aria-label')).toMatch(new RegExp(`^${bob.person.id}, \\d\\d:\\d\\d$`));
  const details = second.getByRole('toolbar').getByRole('link');
  await expect.poll(() => details.innerText(), soon).toMatch(/\d{4}.*\d\d:\d\d:\d\d.*#2$/);
  await page.keyboard.press('Home');
  await expect.poll(() => ann.app.message('the first').evaluate((one) => one === document.activeElement), soon).toBe(true);
});

/** Goes on with Tab until something of this name has the focus. */
async function tabTo(app: App, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 30; presses++) {
    const label = await app.page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      return element?.labels?.[0]?.textContent ?? element?.getAttribute('aria-label') ?? '';
    });
    if (name.test(label)) return;
    await app.page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${name}`);
}
