import type { Command } from 'commander';
import { type Act, examples } from '../act.ts';
import { readPassword } from '../password.ts';

/** user add. */
export function addUser(program: Command, act: Act): void {
  program
    .command('user')
    .description('Manage accounts (administrators).')
    .command('add')
    .description('Make an account for somebody, also when registration is closed; or give an imported account its e-mail and password.')
    .argument('<user>', 'user id: 1-32 of a-z 0-9 . _ -')
    .requiredOption('--email <address>', 'shown to its owner only')
    .option('--name <name>', 'name shown to people; the user id when left out')
    .option('--password-stdin', 'read the password from the first line of stdin; otherwise it is typed, or PARLANCE_PASSWORD')
    .addHelpText(
      'after',
      examples('parlance user add bob --email bob@example.org', 'pwgen 20 1 | parlance user add bob --email bob@example.org --password-stdin'),
    )
    .action(
      act<[string], { email: string; name?: string; passwordStdin?: boolean }>(async (shell, [userId], { email, name, passwordStdin }) => {
        const rest = shell.rest();
        const password = await readPassword(shell.world, `Password for ${userId}`, { passwordStdin, isNew: true });
        const account = await rest.call('add_user', { user_id: userId, email, password, ...(name !== undefined && { display_name: name }) });
        shell.answer(account, `${account.user_id} can log in now.`);
      }),
    );
}
