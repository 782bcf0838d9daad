import { expect, it } from 'vitest';
import { App } from './app.ts';
import { networkTrouble, refusedWith, type Seat } from './browser.ts';
import { pair, playerOf } from './pair.ts';
import { password } from './stage.ts';
import { soon, useStage } from './use-stage.ts';

// How somebody likes it, where they are logged in, and how they get in.

const stage = useStage();

const background = (seat: Seat): Promise<string> => seat.page.evaluate(() => getComputedStyle(document.body).backgroundColor);

it('the theme that is chosen shows at once and is kept', async () => {
  const { app, seat } = await playerOf(stage, await stage.person('ann'), { colorScheme: 'light' });
  await app.openSettings();
  const light = await background(seat);
  await seat.page.getByRole('radio', { name: 'Dark' }).check();
  const dark = await background(seat);
  expect(dark).not.toBe(light);
  await seat.page.reload();
  await seat.page.getByRole('radio', { name: 'Dark' }).waitFor();
  expect(await background(seat)).toBe(dark);
  expect(await seat.page.getByRole('radio', { name: 'Dark' }).isChecked()).toBe(true);
  await seat.page.getByRole('radio', { name: 'Light' }).check();
  expect(await background(seat)).toBe(light);
});

it('the language that is chosen is spoken at once, from right to left where it is written so, and is kept', async () => {
  const { app, seat } = await playerOf(stage, await stage.person('ann'));
  await app.openSettings();
  const { page } = seat;
  const root = page.locator('html');
  await page.getByRole('radio', { name: 'Deutsch' }).check();
  await page.getByRole('heading', { level: 1, name: 'Einstellungen' }).waitFor();
  expect(await root.getAttribute('lang')).toBe('de');
  await page.getByRole('radio', { name: 'العربية' }).check();
  await expect.poll(() => root.getAttribute('dir'), soon).toBe('rtl');
  await page.reload();
  await page.getByRole('radio', { name: 'العربية' }).waitFor();
  expect(await root.getAttribute('dir')).toBe('rtl');
  await page.getByRole('radio', { name: 'English' }).check();
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
  expect(await root.getAttribute('dir')).toBe('ltr');
});

it('the name that one chooses to be shown as is what others see', async () => {
  const { ann, bob } = await pair(stage);
  await ann.app.openSettings();
  const field = ann.seat.page.getByLabel('Shown as');
  await expect.poll(() => field.inputValue(), soon).not.toBe('');
  await field.fill('Ann of the Garden');
  await ann.seat.page.getByRole('button', { name: 'Save' }).click();
  await ann.seat.page.getByText('Saved.').waitFor();
  await ann.person.send(`@${bob.person.id}`, 'hello');
  await bob.seat.page.goto('/');
  await bob.app.conversation('Ann of the Garden').waitFor();
});

it('with Ctrl+Enter as the sending key, Enter begins a new line', async () => {
  const { ann, bob } = await pair(stage);
  await ann.app.openSettings();
  await ann.seat.page.getByRole('radio', { name: 'Ctrl+Enter' }).check();
  await ann.app.open(`@${bob.person.id}`);
  await ann.app.composer.fill('one line');
  await ann.app.composer.press('Enter');
  await ann.app.composer.pressSequentially('and another');
  expect(await ann.app.composer.inputValue()).toBe('one line\nand another');
  await ann.app.composer.press('Control+Enter');
  await bob.app.message('and another').waitFor();
  expect(await ann.app.composer.inputValue()).toBe('');
});

it('one device is logged out from another, then all others, and is told so', async () => {
  const ann = await stage.person('ann');
  // The session by which the test itself calls is one of them.
  const [here, first, second] = await Promise.all([1, 2, 3].map(async () => playerOf(stage, await stage.returning(ann.id))));
  for (const { seat, app } of [first!, second!]) {
    seat.expectWrong(refusedWith(401), ...networkTrouble);
    await seat.page.goto('/');
    await app.ready();
  }
  await here!.app.openSettings();
  const { page } = here!.seat;
  const devices = page.getByRole('listitem').filter({ has: page.getByRole('button', { name: /^Log out / }) });
  await expect.poll(() => devices.count(), soon).toBe(3);
  const mine = (await here!.person.get('/v1/sessions')).body.sessions.map((one: { session_id: string }) => one.session_id);
  expect(mine).toHaveLength(4);
  await devices.first().getByRole('button').click();
  await expect.poll(() => devices.count(), soon).toBe(2);
  await page.getByRole('button', { name: 'Log out all others' }).click();
  await expect.poll(() => devices.count(), soon).toBe(0);
  for (const { seat } of [first!, second!]) {
    await seat.page.getByText('Your session has ended').waitFor();
    await seat.page.locator('input[type=password]').waitFor();
  }
  expect((await here!.person.get('/v1/me')).status, 'this device stays').toBe(200);
});

it('a changed password logs the other devices out, and the old one no longer lets anybody in', async () => {
  const ann = await stage.person('ann');
  const [here, there] = await Promise.all([1, 2].map(async () => playerOf(stage, await stage.returning(ann.id))));
  there!.seat.expectWrong(refusedWith(401), ...networkTrouble);
  here!.seat.expectWrong(refusedWith(401), refusedWith(403));
  await there!.seat.page.goto('/');
  await there!.app.ready();
  await here!.app.openSettings();
  const { page } = here!.seat;
  const change = async (before: string, next: string): Promise<void> => {
    await page.getByLabel('Current password').fill(before);
    await page.getByLabel('New password').fill(next);
    await page.getByRole('button', { name: 'Change password' }).click();
  };
  await change('not the password', 'another long password');
  await page.getByRole('alert').filter({ hasText: 'wrong' }).waitFor();
  await change(password, 'another long password');
  await page.getByText('Your other devices have been logged out').waitFor();
  await there!.seat.page.getByText('Your session has ended').waitFor();
  const again = new App(there!.seat.page);
  await again.logIn(ann.id);
  await there!.seat.page.getByRole('alert').first().waitFor();
  await again.logIn(ann.id, 'another long password');
  await again.ready();
});
