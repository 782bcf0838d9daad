import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryFolder } from '../support/server-process.ts';

// The real logs, read by rules of the tests' own, and the command line that brings them into a running server and out again.

const root = join(import.meta.dirname, '../..');
/** Thirty days of a busy channel. */
export const logs: string = join(root, '../shared/data/ubuntu-irc');
/** Why these tests cannot run here; undefined when they can. */
export const logsMissing = (): string | undefined => (existsSync(logs) ? undefined : 'the logs of ../shared/data/ubuntu-irc are not beside this checkout');

/** The names of the logs, oldest first. */
export const logFiles = (): string[] =>
  readdirSync(logs)
    .filter((name) => name.endsWith('.raw.txt'))
    .sort();
export const password = 'correct horse battery';
/** The secret of the link with which the first person becomes administrator. */
export const link = 'import-import-import';

export interface Message {
  nick: string;
  kind: string;
  text: string;
  time: string;
}

/** What the logs hold, by the plainest reading there is: `[hh:mm] <nick> text` and `[hh:mm] * nick text`; the rest is no message. */
export function expected(files: string[]): Message[] {
  return files.flatMap((file) => {
    let days = 0;
    let before = '';
    return readFileSync(join(logs, file), 'utf8')
      .split('\n')
      .flatMap((line): Message[] => {
        const clock = /^\[(\d\d:\d\d)\]/.exec(line)?.[1];
        if (clock === undefined) return [];
        if (clock < before) days += 1;
        before = clock;
        const said = /^\[\d\d:\d\d\] <([^>]+)> ?(.*)$/.exec(line);
        const done = /^\[\d\d:\d\d\] {1,2}\* (\S+) (.*)$/.exec(line);
        const [, nick, text] = said ?? done ?? [];
        if (nick === undefined || text === undefined || text.trim() === '') return [];
        const day = new Date(Date.parse(`${file.slice(0, 10)}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
        return [{ nick, kind: said === null ? 'action' : 'message', text, time: `${day}T${clock}:00.000Z` }];
      });
  });
}

/** The command line as somebody who is logged in uses it. */
export class Shell {
  readonly config: string;
  url: string;

  constructor(config: string, url: string) {
    this.config = config;
    this.url = url;
  }

  begin(...args: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; out: string }> } {
    const child = spawn(process.execPath, [join(root, 'packages/cli/bin/parlance.js'), ...args], {
      env: { ...process.env, PARLANCE_URL: this.url, PARLANCE_PASSWORD: password, XDG_CONFIG_HOME: this.config },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    child.stdout.on('data', (chunk) => (out += chunk));
    let noise = '';
    child.stderr.on('data', (chunk) => (noise += chunk));
    return { child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, out: code === 0 ? out : out + noise }))) };
  }

  async run(...args: string[]): Promise<string> {
    const { code, out } = await this.begin(...args).ended;
    expect(code, `parlance ${args.join(' ')}: ${out}`).toBe(0);
    return out;
  }
}

/** The first person, who is the administrator and may import. */
export async function signUp(url: string): Promise<Shell> {
  const shell = new Shell(await temporaryFolder(), url);
  const body = JSON.stringify({ user_id: 'root', email: 'root@example.org', password });
  await fetch(`${url}/v1/accounts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await shell.run('login', 'root');
  await shell.run('admin', 'claim', `${url}/first-admin/${link}`);
  return shell;
}

/** Every event of the imported group. */
export async function exported(shell: Shell): Promise<any[]> {
  const out = await shell.run('export', '#ubuntu');
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Every message of the export beside the logs'. One nick is one author; nicks that differ by more than case are different authors. */
export function expectEqual(events: any[], messages: Message[]): void {
  expect(events[0]).toMatchObject({ seq: 1, kind: 'created' });
  const found = events.slice(1);
  expect(found.map((event) => event.seq)).toEqual(found.map((_, index) => index + 2));
  expect(found.length).toBe(messages.length);
  expect(found.map(({ kind, message }) => ({ kind, text: message.text, time: message.time }))).toEqual(
    messages.map(({ kind, text, time }) => ({ kind, text, time })),
  );
  const authors = new Map<string, string>();
  for (const [index, { nick }] of messages.entries()) {
    // The oldest of these logs put a space behind each ] of a nick.
    const folded = nick
      .replaceAll('] ', ']')
      .toLowerCase()
      .replace(/[[\]\\~]/g, (one) => ({ '[': '{', ']': '}', '\\': '|', '~': '^' })[one]!);
    const author = found[index].message.author as string;
    expect(authors.get(folded) ?? author).toBe(author);
    authors.set(folded, author);
  }
  expect(new Set(authors.values()).size).toBe(authors.size);
}
