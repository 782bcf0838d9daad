import { expect, it } from 'vitest';
import { playerOf } from './pair.ts';
import { soon, useStage } from './use-stage.ts';

// The life of a group, as its people see it.

const stage = useStage();

it('a group is made, people come, rise, go and are removed, and each change is a line that everybody sees', async () => {
  const [owner, member, other] = await Promise.all(['owner', 'member', 'other'].map(async (name) => playerOf(stage, await stage.person(name))));
  await owner!.seat.page.goto('/');
  const name = `team-${owner!.person.id.slice(6)}`;
  await owner!.app.createGroup({ name, title: 'The team' });
  await owner!.app.composer.waitFor();
  await owner!.app.openMembers();
  for (const { person } of [member!, other!]) await owner!.app.addMember(person.id);

  await member!.app.open(`#${name}`);
  await other!.app.open(`#${name}`);
  await member!.app.send('glad to be here');
  for (const { app } of [owner!, other!]) await app.message('glad to be here').waitFor();

  await owner!.app.changeMember(member!.person.id, 'Make administrator');
  await other!.seat.page
    .getByText(new RegExp(`${member!.person.id}.*administrator`))
    .first()
    .waitFor();
  await owner!.app.changeMember(other!.person.id, 'Remove');
  await other!.seat.page
    .getByText(/removed/i)
    .first()
    .waitFor();
  await expect.poll(() => other!.app.composer.isEditable().catch(() => false), soon).toBe(false);
  await member!.seat.page
    .getByText(new RegExp(`${other!.person.id}.*removed|removed.*${other!.person.id}`))
    .first()
    .waitFor();
  await owner!.app.send('only two of us now');
  await member!.app.message('only two of us now').waitFor();
  expect(await other!.app.message('only two of us now').count(), 'the removed hear nothing more').toBe(0);
});

it('who is added finds the group in the list at once, by its title, and who is removed is told by whom', async () => {
  const [owner, member] = await Promise.all(['owner', 'member'].map(async (name) => playerOf(stage, await stage.person(name))));
  const name = `choir-${owner!.person.id.slice(6)}`;
  await owner!.person.call('POST', '/v1/groups', { name, title: 'The choir' });
  await member!.seat.page.goto('/');
  await member!.app.ready();
  await owner!.person.put(name, member!.person.id);
  await member!.app.conversation('The choir').click();
  await member!.app.send('which voice is missing?');
  await member!.app.until('stored', 'which voice');
  await owner!.person.remove(name, member!.person.id);
  await expect.poll(() => member!.app.composer.getAttribute('placeholder'), soon).toBe(`${owner!.person.id} removed you from this group.`);
  expect(await member!.app.message('which voice').count(), 'what was said is still there to be read').toBe(1);
});

it('somebody finds an open group, joins it, becomes its owner, renames it, and the one before leaves', async () => {
  const [owner, member] = await Promise.all(['owner', 'member'].map(async (name) => playerOf(stage, await stage.person(name))));
  const name = `open-${owner!.person.id.slice(6)}`;
  await owner!.person.call('POST', '/v1/groups', { name, title: 'Sunday walks', open: true });
  await member!.seat.page.goto('/groups');
  const search = member!.seat.page.getByRole('navigation').getByRole('searchbox');
  await search.fill(name);
  await member!.app.button('Join').click();
  await member!.seat.page.getByRole('heading', { level: 1, name: 'Sunday walks' }).waitFor();

  await owner!.app.open(`#${name}`);
  await owner!.app.openMembers();
  await owner!.app.changeMember(member!.person.id, 'Make owner');
  await owner!.app.dialog.getByRole('button', { name: 'Make owner' }).click();
  await member!.seat.page.getByText(`${owner!.person.id} made ${member!.person.id} the owner`).waitFor();
  await member!.app.openMembers();
  await member!.app.panel.getByLabel('Title').fill('Monday walks');
  await member!.app.panel.getByRole('button', { name: 'Rename' }).click();
  for (const { seat } of [owner!, member!]) await seat.page.getByRole('heading', { level: 1, name: 'Monday walks' }).waitFor();

  await owner!.app.panel.getByRole('button', { name: 'Leave group' }).click();
  await owner!.app.dialog.getByRole('button', { name: 'Leave group' }).click();
  await expect.poll(() => owner!.app.composer.getAttribute('placeholder'), soon).toBe('You left this group.');
  await member!.seat.page.getByText(`${owner!.person.id} left`).waitFor();
});
