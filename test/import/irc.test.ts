import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { killAndWait, notRun, removeFolders, startServerProcess, temporaryFolder } from '../support/server-process.ts';
import { expectEqual, expected, exported, link, logFiles, logs, logsMissing, password, signUp } from './logs.ts';

// The main job on real input: thirty days of a busy channel into a running server by the command line, out again, and every message
// compared with the logs, which are read here by rules of their own. Then the same once more, and once with the server killed in the middle.

const start = (dataDir: string) => startServerProcess({ dataDir, env: { PARLANCE_ADMIN_LINK_SECRET: link } });

afterAll(removeFolders);

it('brings the real logs in, every message equal and in order; again, and nothing is added; killed in the middle, and it is exact', async (context) => {
  const missing = logsMissing();
  if (missing !== undefined) notRun(context, missing);
  const files = logFiles();
  const paths = files.map((name) => join(logs, name));
  const lines = files.reduce((sum, name) => sum + readFileSync(join(logs, name), 'utf8').split('\n').filter(Boolean).length, 0);
  expect(lines).toBe(42_835);
  const messages = expected(files);

  let server = await start(await temporaryFolder());
  const shell = await signUp(server.url);
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
  const other = await signUp(server.url);
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
