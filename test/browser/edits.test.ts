import { expect, it } from 'vitest';
import { App } from './app.ts';
import { pair } from './pair.ts';
import { soon, useStage } from './use-stage.ts';

// A message that is changed in two places, and one that is taken back.

const stage = useStage();

it('who loses an edit race sees both texts and is asked which shall stand', async () => {
  const { ann, bob } = await pair(stage);
  await ann.app.send('meet at one');
  await bob.app.message('meet at one').waitFor();
  const second = new App(await ann.seat.tab());
  await second.open(`@${bob.person.id}`);

  await ann.app.act('meet at one', 'Edit');
  await ann.app.editor.fill('meet at two');
  await second.act('meet at one', 'Edit');
  await second.editor.fill('meet at three');
  await second.editor.press('Enter');
  await bob.app.message('meet at three').waitFor();

  await ann.app.editor.press('Enter');
  await ann.app.dialog.waitFor();
  const asked = await ann.app.dialog.innerText();
  expect(asked, 'what stands now').toContain('meet at three');
  expect(asked, 'what was just written').toContain('meet at two');
  expect(await bob.app.message('meet at two').count(), 'nothing is written over unasked').toBe(0);
  await ann.app.dialog.getByRole('button', { name: 'Use mine' }).click();
  for (const app of [ann.app, second, bob.app]) await app.message('meet at two').waitFor();
});

it('who keeps the other text after a lost race leaves it as it is', async () => {
  const { ann, bob } = await pair(stage);
  await ann.app.send('soup today');
  await ann.app.act('soup today', 'Edit');
  await ann.app.editor.fill('soup tomorrow');
  await bob.app.message('soup today').waitFor();
  await ann.person.edit(`@${bob.person.id}`, '1', 'no soup at all');
  await bob.app.message('no soup at all').waitFor();
  await ann.app.editor.press('Enter');
  await ann.app.dialog.getByRole('button', { name: 'Keep it as it is' }).click();
  await ann.app.message('no soup at all').waitFor();
  await expect.poll(() => ann.app.texts(), soon).toEqual(['no soup at all']);
});

it('a deleted message is gone here at once, and from the server only when the time to undo is over', async () => {
  const { ann, bob } = await pair(stage);
  await ann.app.send('said too soon');
  await bob.app.message('said too soon').waitFor();
  const began = Date.now();
  await ann.app.act('said too soon', 'Delete');
  await ann.app.button('Undo').waitFor();
  expect(await ann.app.texts()).toEqual([]);
  await expect.poll(() => bob.app.texts(), soon).toEqual([]);
  expect(Date.now() - began, 'eight seconds to think it over').toBeGreaterThanOrEqual(7900);
  await ann.app.button('Undo').waitFor({ state: 'hidden' });
});
