import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { type Act, examples } from '../act.ts';
import { WrongUsage } from '../failure.ts';

/** join, leave. */
export function addGroups(program: Command, act: Act): void {
  program
    .command('join')
    .description('Join an open group.')
    .argument('<group>', 'its name, with or without #')
    .addHelpText('after', examples("parlance join '#ubuntu'"))
    .action(
      act<[string], object>(async (shell, [group]) => {
        const rest = shell.rest();
        const { user_id } = await rest.call('get_me', {});
        const name = groupName(group);
        const answer = await rest.call('put_member', { name, user: user_id, client_id: randomUUID() });
        shell.answer(answer, answer.seq === null ? `${user_id} is a member of #${name} already.` : `${user_id} has joined #${name}.`);
      }),
    );
  program
    .command('leave')
    .description('Leave a group.')
    .argument('<group>', 'its name, with or without #')
    .addHelpText('after', examples("parlance leave '#ubuntu'"))
    .action(
      act<[string], object>(async (shell, [group]) => {
        const rest = shell.rest();
        const { user_id } = await rest.call('get_me', {});
        const name = groupName(group);
        const answer = await rest.call('remove_member', { name, user: user_id, client_id: randomUUID() });
        shell.answer(answer, `${user_id} is not a member of #${name}${answer.seq === null ? '' : ' any more'}.`);
      }),
    );
}

/** The name of a group as people write it. Throws WrongUsage. */
export function groupName(given: string): string {
  const name = given.startsWith('#') ? given.slice(1) : given.startsWith('g:') ? given.slice(2) : given;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/.test(name))
    throw new WrongUsage(`"${given}" is not the name of a group: 1-32 of a-z 0-9 . _ -, first a letter or digit.`);
  return name.toLowerCase();
}
