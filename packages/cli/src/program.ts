import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { type Act, prose } from './act.ts';
import { addAdmin } from './commands/admin.ts';
import { addChat } from './commands/chat.ts';
import { addDoctor } from './commands/doctor.ts';
import { addExport } from './commands/export.ts';
import { addGroups } from './commands/groups.ts';
import { addImport } from './commands/import.ts';
import { addLists } from './commands/lists.ts';
import { addLogIn } from './commands/log-in.ts';
import { addServe } from './commands/serve.ts';
import { addUser } from './commands/user.ts';
import { addVerify } from './commands/verify.ts';
import { exitWrongUsage, WrongUsage } from './failure.ts';
import { defaultUrl } from './server.ts';
import { type GlobalOptions, Shell, type World } from './shell.ts';

// The commands, put together. What they share is here: the options each of them takes, the help, and how each of them ends.

const description = `The chat server that keeps its word, and its tools.

All commands but serve talk to a running server: --url, else PARLANCE_URL, else ${defaultUrl}.
They ask as whoever is logged in: --token, else PARLANCE_TOKEN, else what \`parlance login\` saved. The environment
is the better place for a token: other users of the machine can see a command line.

Exit codes: 0 it worked, 1 it was refused or failed or a check found something, 2 wrong usage.`;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };

/** Runs one command line, without the name of the program. Resolves with the exit code; throws nothing. */
export async function run(argv: readonly string[], world: World): Promise<number> {
  let exitCode = 0;
  let shell = new Shell(world, { json: argv.includes('--json') });
  const act: Act =
    (perform) =>
    async (...given: unknown[]) => {
      const command = given.pop() as Command;
      const options = given.pop();
      shell = new Shell(world, command.optsWithGlobals<GlobalOptions>());
      exitCode = (await perform(shell, given as never, options as never)) ?? 0;
    };
  try {
    await programOf(world, act).parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Help and version come this way too, with 0; what is wrong has been said by then, but for programs that want it in JSON.
    if (!(error instanceof CommanderError)) return shell.fail(error);
    if (error.exitCode === 0) return 0;
    if (shell.isJson) shell.fail(new WrongUsage(error.message.replace(/^error: /, '')));
    return exitWrongUsage;
  }
}

/** The whole tree of commands. */
export function programOf(world: World, act: Act): Command {
  const isJson = (): boolean => program.opts<GlobalOptions>().json === true;
  const program = new Command('parlance')
    .description(prose(description))
    .version(version, '--version', 'print the version')
    .option('--url <address>', 'where the server is')
    .option('--token <token>', 'session token')
    .option('--json', 'answer in JSON, for programs')
    .exitOverride()
    .showHelpAfterError('(--help says how it is used)')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void (isJson() || world.stderr.write(text)),
    });
  for (const add of [addServe, addLogIn, addUser, addAdmin, addChat, addGroups, addLists, addImport, addExport, addVerify, addDoctor]) add(program, act);
  return program;
}
