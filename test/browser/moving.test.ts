import { expect, it } from 'vitest';
import { App } from './app.ts';
import { refusedWith } from './browser.ts';
import { pair, playerOf } from './pair.ts';
import { password } from './stage.ts';
import { soon, useStage } from './use-stage.ts';

// Getting from one place to another, and finding there what one left.

const stage = useStage();

it('what was begun is kept for each conversation over a reload, marked in the list, and gone once it is sent', async () => {
  const [ann, bob, carol] = await Promise.all(['ann', 'bob', 'carol'].map((name) => stage.person(name)));
  for (const other of [bob!, carol!]) await other.send(`@${ann!.id}`, 'hello');
  const { app, seat } = await playerOf(stage, ann!);
  await app.open(`@${bob!.id}`);
  await app.composer.fill('half a thought');
  await app.conversation(carol!.id).click();
  await expect.poll(() => app.composer.inputValue(), soon).toBe('');
  await expect.poll(() => app.conversation(bob!.id).innerText(), soon).toMatch(/Draft:\s*half a thought/);
  await seat.page.reload();
  await app.conversation(bob!.id).click();
  await expect.poll(() => app.composer.inputValue(), soon).toBe('half a thought');
  await app.composer.press('Enter');
  await app.message('half a thought').waitFor();
  await app.conversation(carol!.id).click();
  await expect.poll(() => app.conversation(bob!.id).innerText(), soon).not.toMatch(/Draft/);
});

it('Ctrl+K leads to a group by letters of its title, and to a person one never wrote to', async () => {
  const [ann, bob] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  const { app, seat } = await playerOf(stage, ann);
  await ann.call('POST', '/v1/groups', { name: `swi-${ann.id.slice(4)}`, title: 'Winter Garden Fête' });
  await seat.page.goto('/');
  await app.ready();
  await app.switchTo('wgf', 'Winter Garden Fête');
  await seat.page.getByRole('heading', { level: 1, name: 'Winter Garden Fête' }).waitFor();
  await app.switchTo(bob.id.slice(0, 9), bob.id);
  await seat.page.getByRole('heading', { level: 1, name: bob.id }).waitFor();
  await app.send('found you');
  await expect.poll(async () => (await bob.get(`/v1/conversations/${encodeURIComponent(`@${ann.id}`)}`)).body.last_message?.text, soon).toBe('found you');
});

it('who reads further up is not moved by news, sees how many there are, and jumps to the latest', async () => {
  const { ann, bob } = await pair(stage);
  // Bob looks at something else meanwhile, or he would have read them.
  await bob.seat.page.goto('/');
  for (let index = 1; index <= 60; index++) await ann.person.send(`@${bob.person.id}`, `line ${index}`);
  await bob.app.open(`@${ann.person.id}`);
  await bob.app.button(/^Jump to latest/).click();
  await expect.poll(() => bob.app.isInView(bob.app.message('line 60')), soon).toBe(true);
  await bob.app.scroller.hover();
  const jump = bob.app.button(/^Jump to latest/);
  const turned = async (): Promise<number> => {
    await bob.seat.page.mouse.wheel(0, -400);
    return jump.count();
  };
  await expect.poll(turned, soon).toBe(1);
  // Which message is at the top, and where: older ones that load above it are no matter to the reader.
  const where = () =>
    bob.app.scroller.evaluate((element) => {
      const { top } = element.getBoundingClientRect();
      const row = [...element.querySelectorAll('article')].find((one) => one.getBoundingClientRect().bottom > top)!;
      return `${row.textContent} at ${Math.round(row.getBoundingClientRect().top)}`;
    });
  let before = '';
  const hasMoved = async (): Promise<boolean> => before !== (before = await where());
  await expect.poll(hasMoved, { ...soon, interval: 200, message: 'it comes to rest' }).toBe(false);
  for (const text of ['news one', 'news two']) await ann.app.send(text);
  await bob.app.button('Jump to latest, 2 new').waitFor();
  expect(await where(), 'what is read stays where it is').toBe(before);
  await bob.app.button('Jump to latest, 2 new').click();
  await expect.poll(() => bob.app.isInView(bob.app.message('news two')), soon).toBe(true);
  await expect.poll(() => bob.app.button(/^Jump to latest/).count(), soon).toBe(0);
  await ann.app.send('news three');
  await expect
    .poll(() => bob.app.isInView(bob.app.message('news three').first()).catch(() => false), { ...soon, message: 'at the end one stays there' })
    .toBe(true);
});

it('a link to a message far back opens there, lights it up, and leads on to the newest', async () => {
  const { ann, bob } = await pair(stage);
  for (let index = 1; index <= 220; index++) await ann.person.send(`@${bob.person.id}`, `line ${index}.`);
  await bob.seat.page.goto(`/c/${encodeURIComponent(`@${ann.person.id}`)}/m/40`);
  const linked = bob.app.message('line 40.');
  await expect.poll(() => bob.app.isInView(linked), soon).toBe(true);
  expect(await linked.getAttribute('data-lit')).not.toBeNull();
  await expect.poll(() => linked.getAttribute('data-lit'), soon).toBeNull();
  await bob.app.button(/^Jump to latest/).click();
  await expect.poll(() => bob.app.isInView(bob.app.message('line 220.')).catch(() => false), soon).toBe(true);
});

it('Refresh reads again what is shown, be it far back, and says what was not heard of', async () => {
  const { ann, bob } = await pair(stage);
  for (let index = 1; index <= 120; index++) await ann.person.send(`@${bob.person.id}`, `line ${index}.`);
  await bob.seat.page.goto(`/c/${encodeURIComponent(`@${ann.person.id}`)}/m/20`);
  await bob.app.message('line 20.').waitFor();
  bob.seat.expectWrong(/ERR_FAILED/);
  // Of an edit so far back the page hears that there is one, and asks which.
  await bob.seat.page.route('**/changes?**', (route) => route.abort());
  const asked = bob.seat.page.waitForEvent('requestfailed');
  await ann.person.call('PATCH', `/v1/conversations/${encodeURIComponent(`@${bob.person.id}`)}/messages/20`, { text: 'line twenty.' });
  await asked;
  expect(await bob.app.message('line twenty.').count()).toBe(0);
  await bob.seat.page.keyboard.press('Alt+r');
  await bob.app.message('line twenty.').waitFor();
  expect(await bob.app.isInView(bob.app.message('line twenty.'))).toBe(true);
});

it('the field over the list finds among one’s conversations by letters of their titles', async () => {
  const ann = await stage.person('ann');
  const suffix = ann.id.slice(4);
  for (const [name, title] of [
    ['win', 'Winter Garden'],
    ['sum', 'Summer Kitchen'],
  ] as const)
    await ann.call('POST', '/v1/groups', { name: `${name}-${suffix}`, title });
  const { app, seat } = await playerOf(stage, ann);
  await seat.page.goto('/');
  await app.conversation('Summer Kitchen').waitFor();
  const field = seat.page.getByRole('navigation').getByRole('searchbox');
  await field.fill('wgar');
  await expect.poll(() => app.conversation('Summer Kitchen').count(), soon).toBe(0);
  expect(await app.conversation('Winter Garden').count()).toBe(1);
  await field.fill('nothing like it');
  await seat.page.getByText('Nothing matches.').waitFor();
  await field.fill('');
  await app.conversation('Summer Kitchen').waitFor();
});

it('the first-admin link makes a newcomer who registers there the administrator, and nobody after', async () => {
  const seat = await stage.seat();
  const app = new App(seat.page);
  const { pathname } = new URL(stage.adminLink);
  await seat.page.goto(pathname);
  await seat.page.getByText('to become the administrator').waitFor();
  await app.register({ id: 'first', email: 'first@example.org', password });
  await seat.page.getByText('You are the administrator of this server now.').waitFor();
  const late = await playerOf(stage, await stage.person('late'));
  late.seat.expectWrong(refusedWith(409), refusedWith(403), refusedWith(404));
  await late.seat.page.goto(pathname);
  await late.seat.page.getByText(/already been made|not valid/).waitFor();
  expect((await late.person.get('/v1/me')).body.admin).toBe(false);
});
