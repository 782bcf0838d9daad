import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { Failure } from './failure.ts';

// What `parlance login` leaves behind: the session of each server, in one file that nobody else can read. It holds tokens, never passwords.

type Variables = Readonly<Record<string, string | undefined>>;

export interface LogIn {
  user_id: string;
  token: string;
  expires_time: string;
}

/** The file, by the XDG Base Directory Specification: $XDG_CONFIG_HOME/parlance, or ~/.config/parlance. */
export function logInFile({ XDG_CONFIG_HOME, HOME }: Variables): string {
  // The specification: a relative path is to be ignored.
  const folder = XDG_CONFIG_HOME !== undefined && isAbsolute(XDG_CONFIG_HOME) ? XDG_CONFIG_HOME : join(HOME ?? homedir(), '.config');
  return join(folder, 'parlance', 'log-ins.json');
}

/** The log-in at a server, if there is one. Throws Failure when the file is open to others or not ours. */
export const savedLogIn = (variables: Variables, url: string): LogIn | undefined => readAll(logInFile(variables))[url];

/** Keeps a log-in, in place of an earlier one at the same server; undefined forgets it. */
export function saveLogIn(variables: Variables, url: string, logIn: LogIn | undefined): void {
  const path = logInFile(variables);
  const { [url]: _, ...others } = readAll(path);
  const all = logIn === undefined ? others : { ...others, [url]: logIn };
  if (Object.keys(all).length === 0) {
    rmSync(path, { force: true });
    return;
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600); // A draft left over from a crash keeps its own mode.
  renameSync(draft, path);
}

function readAll(path: string): Record<string, LogIn> {
  let content: string;
  try {
    // Windows has no such mode and says 0o666 of everything.
    const isOpen = process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
    if (isOpen)
      throw new Failure(
        'log_in_exposed',
        `Others can read your log-ins in ${path}: end that with \`chmod 600\` on it, and log in anew if that may have happened.`,
      );
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    return JSON.parse(content) as Record<string, LogIn>;
  } catch {
    throw new Failure('log_in_damaged', `${path} is damaged: remove it and log in again.`);
  }
}
