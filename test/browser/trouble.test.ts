import { expect, it } from 'vitest';
import { App } from './app.ts';
import { networkTrouble, refusedWith } from './browser.ts';
import { numbered, type Player, pair, playerOf } from './pair.ts';
import { soon, useStage } from './use-stage.ts';

// Bad days: no network, a slow one, a server that is killed, two tabs. Whatever happens, each message is there once and in order, at both.

const stage = useStage();

/** What the server has, oldest first. */
async function stored({ person }: Player, other: Player): Promise<string[]> {
  const { body } = await person.get(`/v1/conversations/${encodeURIComponent(`@${other.person.id}`)}/messages?limit=200`);
  return body.messages.map((message: { text?: string }) => message.text);
}

it('twenty messages written in ten minutes without a network are queued, sent once and in order when it is back', async () => {
  const { ann, bob } = await pair(stage);
  // Ann's ten minutes: whatever her page does after a while without a network it does, and nobody waits for it.
  const { clock } = ann.seat.context;
  await clock.install();
  await ann.app.open(`@${bob.person.id}`);
  await ann.app.send('number 0');
  await bob.app.message('number 0').waitFor();
  for (const { seat } of [ann, bob]) seat.expectWrong(...networkTrouble);
  stage.line.cut();
  await clock.fastForward(2000);
  await ann.app.offlineBar.waitFor();
  for (const text of numbered(1, 20)) {
    await ann.app.send(text);
    await clock.fastForward('00:30');
  }
  await expect.poll(() => ann.app.texts(), soon).toContain('number 20');
  stage.line.mend();
  await clock.fastForward('00:30');
  for (const { app } of [ann, bob]) await expect.poll(() => app.texts(), soon).toEqual(numbered(0, 20));
  expect(await stored(bob, ann)).toEqual(numbered(0, 20));
  await ann.app.offlineBar.waitFor({ state: 'hidden' });
});

it('what is queued outlives a reload without a network', async () => {
  const { ann, bob } = await pair(stage);
  for (const { seat } of [ann, bob]) seat.expectWrong(...networkTrouble);
  await ann.app.send('number 1');
  await bob.app.message('number 1').waitFor();
  stage.line.hold();
  for (const text of numbered(2, 5)) await ann.app.send(text);
  await ann.app.message('number 5').waitFor();
  stage.line.cut();
  stage.line.release();
  stage.line.mend();
  await ann.seat.page.reload();
  await expect.poll(() => ann.app.texts(), soon).toEqual(numbered(1, 5));
  expect(await stored(bob, ann)).toEqual(numbered(1, 5));
});

it('two tabs of one person never send a message twice, not even when both come back from nowhere', async () => {
  const { ann, bob } = await pair(stage);
  for (const { seat } of [ann, bob]) seat.expectWrong(...networkTrouble);
  const second = new App(await ann.seat.tab());
  await second.open(`@${bob.person.id}`);
  await ann.app.send('number 1');
  await second.message('number 1').waitFor();
  stage.line.cut();
  await Promise.all([ann.app.offlineBar.waitFor(), second.offlineBar.waitFor()]);
  for (const text of numbered(2, 4)) await ann.app.send(text);
  await second.send('from the second tab');
  stage.line.mend();
  await expect.poll(() => bob.app.texts().then((texts) => texts.length), soon).toBe(5);
  await ann.seat.page.reload();
  await second.page.reload();
  for (const app of [ann.app, second, bob.app]) {
    await expect.poll(() => app.texts().then((texts) => texts.filter((text) => text.startsWith('number'))), soon).toEqual(numbered(1, 4));
    expect((await app.texts()).filter((text) => text === 'from the second tab')).toHaveLength(1);
  }
  expect(await stored(bob, ann)).toHaveLength(5);
});

it('a server that is killed in mid-chat and comes back leaves no gap and nothing double', async () => {
  const { ann, bob } = await pair(stage);
  for (const { seat } of [ann, bob]) seat.expectWrong(...networkTrouble);
  for (const text of numbered(1, 10)) await ann.app.send(text);
  await stage.restart({
    between: async () => {
      for (const text of numbered(11, 15)) await ann.app.send(text);
    },
  });
  for (const text of numbered(16, 20)) await ann.app.send(text);
  for (const { app } of [ann, bob]) await expect.poll(() => app.texts(), soon).toEqual(numbered(1, 20));
  expect(await stored(bob, ann)).toEqual(numbered(1, 20));
});

it('on a slow line the own words show before anything can have been answered, and are sent when they are', async () => {
  const { ann, bob } = await pair(stage);
  stage.line.shape({ latencyMs: 400, bytesPerSecond: 20_000 });
  // While nothing at all comes through, what is shown cannot have waited for an answer; a clock would only measure this machine.
  stage.line.hold();
  await ann.app.send('slowly');
  await ann.app.until('sending', 'slowly');
  stage.line.release();
  await bob.app.message('slowly').waitFor();
  await ann.app.until('stored', 'slowly');
  expect(await stored(bob, ann)).toEqual(['slowly']);
});

it('what is sent before the conversation is there waits in its field and is sent once, when it is; what is written on meanwhile is not', async () => {
  const { ann, bob } = await pair(stage);
  await bob.person.send(`@${ann.person.id}`, 'from before');
  const { page } = ann.seat;
  const hold = async (): Promise<() => void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await page.route('**/v1/conversations/*/messages?*', async (route) => {
      await promise;
      await route.continue();
    });
    return resolve;
  };
  let release = await hold();
  await page.goto(`/c/${encodeURIComponent(`@${bob.person.id}`)}`);
  await ann.app.send('are you there?');
  expect(await ann.app.composer.inputValue(), 'nothing is lost while it waits').toBe('are you there?');
  release();
  await bob.app.message('are you there?').waitFor();
  await expect.poll(() => ann.app.composer.inputValue(), soon).toBe('');
  expect(await ann.app.message('are you there?').count()).toBe(1);

  await page.unrouteAll();
  release = await hold();
  await page.reload();
  await ann.app.send('no hurry');
  await ann.app.composer.press('End');
  await ann.app.composer.pressSequentially(', really');
  release();
  await ann.app.message('are you there?').waitFor();
  expect(await ann.app.composer.inputValue()).toBe('no hurry, really');
  expect(await ann.app.message('no hurry').count()).toBe(0);
});

it('a part of the app that cannot be loaded is said to be missing, and comes when one tries again', async () => {
  const { app, seat, person } = await playerOf(stage, await stage.person('ann'));
  await person.call('POST', '/v1/groups', { name: `ferns-${person.id.slice(4)}`, title: 'The ferns' });
  seat.expectWrong(...networkTrouble);
  await seat.page.route('**/assets/group-list-*.js', (route) => route.abort('connectionfailed'));
  await seat.page.goto('/groups');
  await seat.page.getByText('The server cannot be reached').waitFor();
  await seat.page.unrouteAll();
  await app.button('Try again').click();
  await seat.page.getByRole('navigation').getByText('The ferns').waitFor();
});

it('what the server refuses stays where it was written, with the reason, and can be tried again or taken away', async () => {
  const [ann, bob] = await Promise.all([stage.person('ann'), stage.person('bob')]);
  const group = await bob.group();
  await bob.put(group, ann.id);
  const { app, seat } = await playerOf(stage, ann);
  await app.open(`#${group}`);
  await app.send('still here');
  await app.until('stored', 'still here');
  // What ann does is held up on its way, and so is the news for her; meanwhile bob removes her.
  stage.line.hold();
  await app.send('too late');
  await app.send('much too late');
  await bob.remove(group, ann.id);
  stage.line.release();
  for (const text of ['much too late', 'too late']) await app.message(text).first().getByText('Not sent.').waitFor();

  await bob.put(group, ann.id);
  await expect.poll(() => app.composer.isEditable(), soon).toBe(true);
  await app.message('much too late').getByRole('button', { name: 'Delete' }).click();
  await app.message('much too late').waitFor({ state: 'hidden' });
  await app.message('too late').getByRole('button', { name: 'Retry' }).click();
  await app.until('stored', 'too late');
  const { body } = await bob.get(`/v1/conversations/${encodeURIComponent(`#${group}`)}/messages?limit=200`);
  expect(body.messages.map((message: { text?: string }) => message.text)).toEqual(['still here', 'too late']);
  seat.expectWrong(refusedWith(403), refusedWith(404));
});
