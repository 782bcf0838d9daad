import { StringDecoder } from 'node:string_decoder';
import { Failure, WrongUsage } from './failure.ts';
import type { World } from './shell.ts';

// Passwords come from where others cannot look: typed without echo, from stdin, or from the environment. Never from the command line itself,
// which every user of the machine can list and the shell writes into its history.

const lengthMax = 4096;
/** What shells say of a program that Ctrl-C ended. */
const exitInterrupted = 130;

export interface PasswordOptions {
  passwordStdin?: boolean;
  /** Ask twice, for a new password. */
  isNew?: boolean;
}

/** Gets a password: the first line of stdin if asked so, else PARLANCE_PASSWORD, else typed. Throws WrongUsage when there is no way to ask. */
export async function readPassword(world: World, prompt: string, { passwordStdin = false, isNew = false }: PasswordOptions): Promise<string> {
  if (passwordStdin) return firstLine(world.stdin);
  const given = world.environment.PARLANCE_PASSWORD;
  if (given !== undefined && given !== '') return given;
  if (!world.stdin.isTTY) throw new WrongUsage('There is no terminal to ask for the password: give it with --password-stdin or in PARLANCE_PASSWORD.');
  const password = await typed(world, `${prompt}: `);
  if (isNew && (await typed(world, 'The same again: ')) !== password) throw new Failure('passwords_differ', 'The two passwords are not the same. Try again.');
  return password;
}

async function firstLine(stdin: AsyncIterable<Buffer | string>): Promise<string> {
  const decoder = new StringDecoder('utf8');
  let text = '';
  for await (const chunk of stdin) {
    text += typeof chunk === 'string' ? chunk : decoder.write(chunk);
    if (text.includes('\n') || text.length > lengthMax) break;
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') throw new WrongUsage('There is no password on stdin: write it as the first line.');
  return line;
}

function typed({ stdin, stderr }: World, prompt: string): Promise<string> {
  stderr.write(prompt);
  stdin.setRawMode(true);
  stdin.resume();
  const decoder = new StringDecoder('utf8');
  let password: string[] = [];
  return new Promise((resolve, reject) => {
    const end = (): void => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off('data', take);
      stderr.write('\n');
    };
    const take = (chunk: Buffer): void => {
      for (const character of decoder.write(chunk)) {
        switch (character) {
          case '\r':
          case '\n':
          case '\u0004': // Ctrl-D
            end();
            resolve(password.join(''));
            return;
          case '\u0003': // Ctrl-C
            end();
            reject(new Failure('interrupted', 'Interrupted.', exitInterrupted));
            return;
          case '\u007f': // Backspace
          case '\b':
            password.pop();
            break;
          case '\u0015': // Ctrl-U
            password = [];
            break;
          default:
            if (password.length < lengthMax) password.push(character);
        }
      }
    };
    stdin.on('data', take);
  });
}
