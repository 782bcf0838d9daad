import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { killAndWait, notRun, removeFolders, type ServerProcess, startServerProcess, temporaryFolder } from '../support/server-process.ts';

// The main job on real input: thirty days of a busy channel into a running server by the command line, out again, and every message
// compared with the logs, which are read here by rules of their own. Then the same once more, and once with the server killed in the middle.

const root = join(import.meta.dirname, '../..');
const logs = join(root, '../shared/data/ubuntu-irc');
const password = 'correct horse battery';
const link = 'import-import-import';

interface Message {
  nick: string;
  kind: string;
  text: string;
  time: string;
}

/** What the logs hold, by the plainest reading there is: `[hh:mm] <nick> text` and `[hh:mm] * nick text`; the rest is no message. */
function expected(files: string[]): Message[] {
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

class Shell {
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

async function signUp(server: ServerProcess): Promise<Shell> {
  const shell = new Shell(await temporaryFolder(), server.url);
  const body = JSON.stringify({ user_id: 'root', email: 'root@example.org', password });
  await fetch(`${server.url}/v1/accounts`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  await shell.run('login', 'root');
  await shell.run('admin', 'claim', `${server.url}/first-admin/${link}`);
  return shell;
}

async function exported(shell: Shell): Promise<any[]> {
  const out = await shell.run('export', '#ubuntu');
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const start = (dataDir: string) => startServerProcess({ dataDir, env: { PARLANCE_ADMIN_LINK_SECRET: link } });

/** Every message of the export beside the logs'. One nick is one author; nicks that differ by more than case are different authors. */
function expectEqual(events: any[], messages: Message[]): void {
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

afterAll(removeFolders);

it('brings the real logs in, every message equal and in order; again, and nothing is added; killed in the middle, and it is exact', async (context) => {
  if (!existsSync(logs)) notRun(context, 'the logs of ../shared/data/ubuntu-irc are not beside this checkout');
  const files = readdirSync(logs)
    .filter((name) => name.endsWith('.raw.txt'))
    .sort();
  const paths = files.map((name) => join(logs, name));
  const lines = files.reduce((sum, name) => sum + readFileSync(join(logs, name), 'utf8').split('\n').filter(Boolean).length, 0);
  expect(lines).toBe(42_835);
  const messages = expected(files);

  let server = await start(await temporaryFolder());
  const shell = await signUp(server);
  const first = JSON.parse(await shell.run('--json', 'import', 'irc', ...paths, '--group', 'ubuntu'));
  expect(first).toMatchObject({ lines, messages: messages.length, imported: messages.length, already_there: 0, refused: 0 });
  const events = await exported(shell);
  expectEqual(events, messages);
  const second = JSON.parse(await shell.run('--json', 'import', 'irc', ...paths, '--group', 'ubuntu'));
  expect(second).toMatchObject({ imported: 0, already_there: messages.length });
  expect(await exported(shell)).toEqual(events);
  await shell.run('verify');
  await killAndWait(server);

  const folder = await temporaryFolder();
  server = await start(folder);
  const other = await signUp(server);
  const { child, ended } = other.begin('import', 'irc', ...paths, '--group', 'ubuntu');
  // Looked at with a session of its own, so that the import is not held up.
  const session = await fetch(`${server.url}/v1/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ user_id: 'root', password }),
  });
  const { token } = (await session.json()) as { token: string };
  const count = async (): Promise<number> => {
    const answer = await fetch(`${server.url}/v1/conversations/g:ubuntu`, { headers: { authorization: `Bearer ${token}` } });
    return answer.ok ? ((await answer.json()) as { seq: number }).seq : 0;
  };
  while ((await count()) < messages.length / 3) await new Promise((resolve) => setImmediate(resolve));
  await killAndWait(server);
  child.kill('SIGKILL');
  await ended;
  server = await start(folder);
  other.url = server.url;
  await other.run('login', 'root');
  await other.run('import', 'irc', ...paths, '--group', 'ubuntu');
  expectEqual(await exported(other), messages);
  await other.run('verify');
}, 180_000);
