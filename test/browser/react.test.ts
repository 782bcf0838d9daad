import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildOverReact, type OtherServer, serveBefore } from './other-build.ts';
import { type Player, pair } from './pair.ts';
import { soon, useStage } from './use-stage.ts';

// The same source over React 19 itself. What passes here keeps to what both have, so that neither is a cage.

const stage = useStage();
let other: OtherServer;
beforeAll(async () => {
  other = await serveBefore(stage.url, await buildOverReact());
}, 120_000);
afterAll(() => other?.close());

async function reactPair(): Promise<{ ann: Player; bob: Player }> {
  return pair(stage, { url: other.url });
}

it('two people chat, edit, delete and undo in the app built over React', async () => {
  const { ann, bob } = await reactPair();
  const isReact = await ann.seat.page.evaluate(() => Object.keys(document.querySelector('#app')!).some((key) => key.startsWith('__react')));
  expect(isReact, 'it is React that draws').toBe(true);
  const said = ['Good morning!', 'Morning. **Coffee**?', 'Always.'];
  for (const [index, text] of said.entries()) {
    await (index % 2 === 0 ? ann : bob).app.send(text);
    for (const { app } of [ann, bob]) await app.message(text.replaceAll('*', '')).waitFor();
  }
  await ann.app.act('Good morning!', 'Edit');
  await ann.app.editor.fill('Good evening!');
  await ann.app.editor.press('Enter');
  await bob.app.message('Good evening!').getByText('edited').waitFor();
  await ann.app.act('Always.', 'Delete');
  await ann.app.button('Undo').click();
  for (const { app } of [ann, bob]) await expect.poll(() => app.texts(), soon).toEqual(['Good evening!', 'Morning. Coffee?', 'Always.']);
});

it('keys, dialogs and settings work in the app built over React', async () => {
  const { ann, bob } = await reactPair();
  await ann.app.send('before');
  await ann.app.until('stored', 'before');
  await ann.app.composer.press('ArrowUp');
  await ann.app.editor.fill('after');
  await ann.app.editor.press('Enter');
  await bob.app.message('after').waitFor();
  await bob.seat.page.keyboard.press('Control+/');
  await bob.app.dialog.waitFor();
  await bob.seat.page.keyboard.press('Escape');
  await bob.app.dialog.waitFor({ state: 'hidden' });
  await bob.app.switchTo(ann.person.id, ann.person.id);
  await bob.app.createGroup({ name: `re-${bob.person.id.slice(4)}`, title: 'Reactors' });
  await bob.app.openMembers();
  await bob.app.addMember(ann.person.id);
  await ann.app.conversation('Reactors').click();
  await ann.app.openSettings();
  await ann.seat.page.getByRole('radio', { name: 'Deutsch' }).click();
  await ann.seat.page.getByRole('heading', { level: 1, name: 'Einstellungen' }).waitFor();
});
