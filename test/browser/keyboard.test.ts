import { expect, it } from 'vitest';
import { App } from './app.ts';
import { refusedWith } from './browser.ts';
import { pair } from './pair.ts';
import { password } from './stage.ts';
import { soon, useStage } from './use-stage.ts';

// Without a mouse: everything here is done with keys alone, and the focus is never nowhere.

const stage = useStage();

it('somebody logs in, finds a person, chats, edits and deletes with keys alone', async () => {
  const [ann, bob] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  const seat = await stage.seat();
  seat.expectWrong(refusedWith(401));
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
  await app.message('from the kyboard').waitFor();
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
