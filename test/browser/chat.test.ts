import { textBytesMax } from '@parlance/schema/limits';
import { expect, it } from 'vitest';
import { App } from './app.ts';
import { refusedWith } from './browser.ts';
import { pair } from './pair.ts';
import { password } from './stage.ts';
import { soon, useStage } from './use-stage.ts';

// Two people and what they do all day.

const stage = useStage();

it('a newcomer registers, logs out, and comes back by a link to a conversation', async () => {
  const bob = await stage.person('bob');
  const seat = await stage.seat();
  const app = new App(seat.page);
  const id = `new-${bob.id.slice(4)}`;
  await seat.page.goto('/');
  await app.register({ id, email: `${id}@example.org`, password });
  await app.ready();
  await app.logOut();
  await seat.page.goto(`/c/${encodeURIComponent(`@${bob.id}`)}`);
  await app.logIn(id);
  await app.composer.waitFor();
  expect(decodeURIComponent(new URL(seat.page.url()).pathname)).toContain(bob.id);
});

it('who mistypes the password is told so in a sentence tied to the field, and can try again', async () => {
  const ann = await stage.person('ann');
  const seat = await stage.seat();
  seat.expectWrong(refusedWith(401));
  const app = new App(seat.page);
  await seat.page.goto('/');
  await app.logIn(ann.id, 'not the password');
  await seat.page.getByRole('alert').first().waitFor();
  const invalid = seat.page.locator('[aria-invalid="true"]').first();
  await invalid.waitFor();
  const described = (await invalid.getAttribute('aria-describedby'))!.split(' ');
  const said = (await Promise.all(described.map((one) => seat.page.locator(`[id="${one}"]`).innerText()))).join(' ');
  expect(said).toMatch(/^[^.]+\.$/);
  await app.logIn(ann.id);
  await app.ready();
});

it('two people chat, each sees the other’s words at once, once and in order', async () => {
  const { ann, bob } = await pair(stage);
  const said = ['Good morning!', 'Morning. Coffee?', 'Always.', 'At ten then'];
  for (const [index, text] of said.entries()) {
    await (index % 2 === 0 ? ann : bob).app.send(text);
    for (const { app } of [ann, bob]) await app.message(text).waitFor();
  }
  for (const { app } of [ann, bob]) await expect.poll(() => app.texts(), soon).toEqual(said);
});

it('an edit shows at both, marked; a delete leaves a stub at both, unless it is undone', async () => {
  const { ann, bob } = await pair(stage);
  await ann.app.send('see you at nein');
  await bob.app.message('see you at nein').waitFor();
  await ann.app.act('see you at nein', 'Edit');
  await ann.app.editor.fill('see you at nine');
  await ann.app.editor.press('Enter');
  await bob.app
    .message('see you at nine')
    .getByText(/edited/i)
    .waitFor();
  expect(await ann.app.message('nein').count()).toBe(0);

  await ann.app.send('a secret');
  await bob.app.message('a secret').waitFor();
  await ann.app.act('a secret', 'Delete');
  await ann.app.button('Undo').click();
  await ann.app.message('a secret').waitFor();
  await ann.app.send('a worse secret');
  await bob.app.message('a worse secret').waitFor();
  expect(await bob.app.message('a secret').count(), 'what was undone was never deleted').toBe(1);

  await ann.app.act('a worse secret', 'Delete');
  await expect.poll(() => bob.app.message('a worse secret').count(), soon).toBe(0);
  await bob.app.messages.getByText(/deleted/i).waitFor();
});

it('a link to a message opens there and lights it up', async () => {
  const { ann, bob } = await pair(stage);
  for (let index = 1; index <= 120; index++) await ann.person.send(`@${bob.person.id}`, `line ${index}`);
  await bob.seat.page.goto(`/c/${encodeURIComponent(`@${ann.person.id}`)}/m/20`);
  await expect.poll(() => bob.app.isInView(bob.app.message('line 20')), soon).toBe(true);
});

it('near its end a long text says how much still fits, and what is too long is not sent', async () => {
  const { ann, bob } = await pair(stage);
  const { app, seat } = ann;
  await app.composer.fill('x'.repeat(textBytesMax - 700));
  expect(await seat.page.getByText(/characters left/).count(), 'far from it nothing is said').toBe(0);
  await app.composer.fill('x'.repeat(textBytesMax - 10));
  await seat.page.getByText('10 characters left').waitFor();
  await app.composer.fill('x'.repeat(textBytesMax + 2));
  await seat.page.getByText('2 characters too many').waitFor();
  await app.composer.press('Enter');
  expect(await app.messages.count()).toBe(0);
  await app.send('short enough');
  await bob.app.message('short enough').waitFor();
  expect(await bob.app.messages.count()).toBe(1);
});

it('a password can be looked at while it is typed', async () => {
  const seat = await stage.seat();
  await seat.page.goto('/');
  const field = seat.page.getByLabel('Password', { exact: true });
  await field.fill(password);
  expect(await field.getAttribute('type')).toBe('password');
  await seat.page.getByRole('button', { name: 'Show password' }).click();
  expect(await field.getAttribute('type')).toBe('text');
  expect(await field.getAttribute('autocomplete')).toBe('current-password');
});
