import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfig } from '@parlance/server/config';
import { startServer } from '@parlance/server/main';
import { expect, onTestFinished, test } from 'vitest';
import { emptyFolder, parlance, type Ran } from '../world.fixture.ts';

// Every command against a real server, as one story: what one of them leaves is what the next one finds.

const password = 'correct horse battery staple';

test('people register, administer, import, chat, look around, export, verify and log out', async () => {
  const server = await startServer(readConfig({ PARLANCE_PORT: '0', PARLANCE_DATA_DIR: await emptyFolder(), PARLANCE_LOG_LEVEL: 'silent' }));
  onTestFinished(() => server.stop());
  const personOf = async (): Promise<(argv: string[], input?: string) => Promise<Ran>> => {
    const environment = { XDG_CONFIG_HOME: await emptyFolder(), PARLANCE_URL: server.url };
    return (argv, input = '') => parlance(argv, environment, input);
  };
  const [alice, bob] = [await personOf(), await personOf()];
  const well = async (ran: Promise<Ran>): Promise<string> => {
    const { exitCode, stdout, stderr } = await ran;
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    return stdout;
  };

  expect(await well(alice(['register', 'alice', '--email', 'a@example.org', '--password-stdin'], `${password}\n`))).toMatch(/^Logged in to .* as alice/);
  expect(await alice(['verify'])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^Only an administrator/) });
  expect(await well(alice(['admin', 'claim', server.adminLink!]))).toBe('alice is administrator now.\n');
  expect(await alice(['admin', 'claim', server.adminLink!])).toMatchObject({ exitCode: 1 });
  expect(await well(alice(['user', 'add', 'bob', '--email', 'b@example.org', '--password-stdin'], password))).toBe('bob can log in now.\n');
  expect(await bob(['login', 'bob', '--password-stdin'], 'not the password')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringMatching(/^The user id or the password is wrong\./),
  });
  const logIn = await well(bob(['login', 'bob', '--password-stdin', '--json'], password));
  expect(JSON.parse(logIn)).toEqual({ user_id: 'bob', session_id: expect.any(String), expires_time: expect.any(String) });

  const log = join(await emptyFolder(), '2006-01-12.txt');
  await writeFile(log, '[23:59] <Carol[1] > hello\n=== dave is now known as eve\n[00:01]  * ubuntu waves\n');
  const imported = JSON.parse(await well(alice(['import', 'irc', log, '--group', '#ubuntu', '--title', 'Help', '--json'])));
  expect(imported).toMatchObject({ lines: 3, left_out: { nick_change: 1 }, imported: 2, already_there: 0, refused: 0 });
  expect(JSON.parse(await well(alice(['import', 'irc', log, '--group', 'ubuntu', '--json'])))).toMatchObject({ imported: 0, already_there: 2 });
  expect(await bob(['import', 'irc', log, '--group', 'other'])).toMatchObject({ exitCode: 1, stderr: 'Only an administrator may import, and bob is none.\n' });

  expect(await bob(['chat', '#ubuntu'], 'hi\n')).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^You are not a member/) });
  expect(await well(bob(['join', '#ubuntu']))).toBe('bob has joined #ubuntu.\n');
  expect(await well(bob(['join', 'ubuntu']))).toBe('bob is a member of #ubuntu already.\n');
  const chat = await bob(['chat', '#ubuntu', '--json'], 'hi \u001b[31mall\n/edit 5 hi everyone\n/members\n/nonsense\n//end\n/delete 7\n');
  expect(chat.exitCode).toBe(1);
  expect(JSON.parse(chat.stderr)).toMatchObject({ type: 'error', error: { code: 'unknown_command' } });
  expect(chat.stdout).toContain('{"type":"members","members":["alice (owner)","bob"]}');
  const talk = await well(bob(['history', '#ubuntu']));
  expect(talk.replaceAll(/^\[[^\]]*\] /gm, '')).toBe('#2 carol.7b1.7d: hello\n#3 * ubuntu. waves\n#5 bob: hi everyone (edited)\n#7 bob: (deleted)\n');

  expect(await well(bob(['users', 'ubuntu']))).toBe('ubuntu.\n');
  expect(await well(bob(['conversations']))).toMatch(/^#ubuntu {2}Help {2}/);
  const file = join(await emptyFolder(), 'ubuntu.jsonl');
  expect(await well(bob(['export', '#ubuntu', '--out', file]))).toBe(`8 events are in ${file}.\n`);
  const events = (await readFile(file, 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.map(({ seq, kind }) => `${seq} ${kind}`)).toEqual(
    ['created', 'message', 'action', 'joined', 'message', 'edit', 'message', 'delete'].map((kind, index) => `${index + 1} ${kind}`),
  );
  expect(events[1].time).toBe('2006-01-12T23:59:00.000Z');
  expect(events[2].time).toBe('2006-01-13T00:01:00.000Z');
  expect(await well(bob(['export', '#ubuntu', '--after', '7']))).toMatch(/^\{[^\n]*"seq":8[^\n]*\}\n$/);

  expect(JSON.parse(await well(alice(['verify', '--json'])))).toMatchObject({ conversations: 1, messages: 4, findings: [] });
  // Not all of it: the rest is about the machine that the test runs on.
  expect(JSON.parse((await alice(['doctor', '--json'])).stdout).findings).toContainEqual({ check: 'ready', found: 'ready' });
  expect(await well(bob(['leave', '#ubuntu']))).toBe('bob is not a member of #ubuntu any more.\n');
  expect(await alice(['leave', '#ubuntu'])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^The owner cannot leave/) });
  expect(await well(bob(['logout']))).toBe(`Logged out of ${server.url}.\n`);
  expect(await bob(['users'])).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^You are not logged in/) });
});
