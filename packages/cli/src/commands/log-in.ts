import type { Command } from 'commander';
import { type Act, examples } from '../act.ts';
import { readPassword } from '../password.ts';
import { logInFile, saveLogIn } from '../saved-log-in.ts';
import { isInTheClear } from '../server.ts';
import type { Shell } from '../shell.ts';

const passwordHelp = '\nThe password is typed, or comes from --password-stdin or PARLANCE_PASSWORD; never from the command line, which others can see.';

interface PasswordOption {
  passwordStdin?: boolean;
}

/** register, login, logout. */
export function addLogIn(program: Command, act: Act): void {
  program
    .command('register')
    .description('Make an account and log in to it.')
    .argument('<user>', 'user id: 1-32 of a-z 0-9 . _ -')
    .requiredOption('--email <address>', 'shown to its owner only')
    .option('--name <name>', 'name shown to people; the user id when left out')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .addHelpText('after', passwordHelp + examples('parlance register alice --email alice@example.org'))
    .action(
      act<[string], PasswordOption & { email: string; name?: string }>(async (shell, [userId], { email, name, passwordStdin }) => {
        warnInTheClear(shell);
        const password = await readPassword(shell.world, `New password for ${userId}`, { passwordStdin, isNew: true });
        await shell.publicRest().call('register', { user_id: userId, email, password, ...(name !== undefined && { display_name: name }) });
        await logIn(shell, userId, password);
      }),
    );
  program
    .command('login')
    .description('Log in, and stay logged in for the commands to come.')
    .argument('<user>', 'user id')
    .option('--password-stdin', 'read the password from the first line of stdin')
    .addHelpText(
      'after',
      passwordHelp + examples('parlance login alice', 'parlance login alice --url https://chat.example.org --password-stdin < password.txt'),
    )
    .action(
      act<[string], PasswordOption>(async (shell, [userId], options) => {
        warnInTheClear(shell);
        await logIn(shell, userId, await readPassword(shell.world, `Password of ${userId}`, options));
      }),
    );
  program
    .command('logout')
    .description('End the session at the server and forget it here.')
    .addHelpText('after', examples('parlance logout'))
    .action(
      act<[], object>(async (shell) => {
        const { token, url } = shell;
        try {
          await shell.rest().call('log_out', {});
        } catch (error) {
          // Ended already, which is what was wanted.
          if ((error as { code?: string }).code !== 'not_signed_in') throw error;
        }
        if (shell.isSaved(token)) saveLogIn(shell.world.environment, url, undefined);
        shell.answer({ logged_out: true }, `Logged out of ${url}.`);
      }),
    );
}

async function logIn(shell: Shell, userId: string, password: string): Promise<void> {
  const { url } = shell;
  const { token, ...session } = await shell.publicRest().call('log_in', { user_id: userId, password });
  const { user_id, expires_time } = session;
  saveLogIn(shell.world.environment, url, { user_id, token, expires_time });
  shell.answer(session, `Logged in to ${url} as ${user_id}, until ${expires_time.slice(0, 10)}. The session is kept in ${logInFile(shell.world.environment)}.`);
}

function warnInTheClear(shell: Shell): void {
  if (isInTheClear(shell.url)) shell.note(`Careful: ${shell.url} is not encrypted, so the password can be read on the way. Use https.`);
}
