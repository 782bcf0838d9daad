import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { programOf } from './program.ts';
import { emptyFolder, parlance as parlanceIn, type Ran } from './world.fixture.ts';

/** Where nobody listens, and nobody is logged in. */
const parlance = async (argv: string[], environment: Record<string, string> = {}): Promise<Ran> =>
  parlanceIn(argv, { XDG_CONFIG_HOME: await emptyFolder(), PARLANCE_URL: 'http://127.0.0.1:1', ...environment });

describe('wrong usage is told in a sentence with exit code 2', () => {
  test.each([
    [[], /Usage: parlance/],
    [['exprt'], /Did you mean export/],
    [['export'], /missing required argument 'conversation'/],
    [['export', 'ubuntu'], /write @user, or '#group' in quotes/],
    [['export', '#ubuntu', '--after', '-1'], /whole number from 0/],
    [['history', '@bob', '--limit', '1000'], /from 1 to 200/],
    [['users', '--nonsense'], /unknown option '--nonsense'/],
    [['users', '--url', 'chat.example.org'], /is not the address of a server/],
    [['login', 'alice'], /no terminal to ask for the password/],
    [['login', 'alice', '--password-stdin'], /no password on stdin/],
    [['user', 'add', 'bob'], /--email/],
    [['admin', 'claim', 'short'], /not such a link/],
    [['import', 'irc', '--group', 'a'], /missing required argument 'file'/],
    [['import', 'irc', 'a.log', '--group', 'a'], /no date .* --date/],
    [['import', 'irc', 'a.log', 'b.log', '--group', 'a', '--date', '2006-01-12'], /one by one/],
    [['import', 'irc', 'x/2006-01-12.txt', 'y/2006-01-12.txt', '--group', 'a'], /Two of the files are called/],
    [['import', 'irc', 'a.log', '--group', '-a', '--date', '2006-01-12'], /not the name of a group/],
    [['import', 'irc', 'a.log', '--group', 'a', '--date', '2006-02-30'], /YYYY-MM-DD/],
    [['import', 'irc', 'a.log', '--group', 'a', '--prefix', 'Ünï'], /A prefix is/],
    [['import', 'irc', 'a.log', '--group', 'a', '--utc-offset', '2'], /hh:mm/],
    [['--json', 'serve'], /Write `serve` first/],
  ])('%j', async (argv, expected) => {
    const environment: Record<string, string> = argv[0] === 'import' || argv[0] === 'admin' ? { PARLANCE_TOKEN: 'x' } : {};
    const { exitCode, stdout, stderr } = await parlance(argv, environment);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test('and as JSON for programs', async () => {
    for (const argv of [
      ['export', '--json'],
      ['export', 'ubuntu', '--json'],
      ['--json', 'exprt'],
    ]) {
      const { exitCode, stderr } = await parlance(argv);
      expect(exitCode).toBe(2);
      expect(JSON.parse(stderr).error).toEqual({ code: 'wrong_usage', detail: expect.stringMatching(/\w/) });
    }
  });
});

test('every command has help with an example', async () => {
  const root = programOf({} as never, () => async () => undefined);
  const paths = root.commands.flatMap((command) =>
    command.commands.length === 0 ? [[command.name()]] : command.commands.map((child) => [command.name(), child.name()]),
  );
  expect(paths.length).toBeGreaterThan(12);
  for (const path of paths) {
    const { exitCode, stdout } = await parlance([...path, '--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`Examples:\n  `);
    expect(stdout).toMatch(new RegExp(`\\n  .*parlance ${path.join(' ')}`));
  }
});

test('without a log-in a command says how to log in', async () => {
  const { exitCode, stderr } = await parlance(['users']);
  expect(exitCode).toBe(1);
  expect(stderr).toBe('You are not logged in to http://127.0.0.1:1. Do that with `parlance login USER`, or set PARLANCE_TOKEN.\n');
});

test('without a server a command says how to start one, and as JSON for programs', async () => {
  const { exitCode, stderr } = await parlance(['users', '--token', 'x']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^No answer from http:\/\/127\.0\.0\.1:1\. Is the server running\? .*\n$/);
  const asJson = await parlance(['users', '--json'], { PARLANCE_TOKEN: 'x' });
  expect(JSON.parse(asJson.stderr).error).toMatchObject({ code: 'no_answer', status: 0 });
});

test('a file that is not there is told by name', async () => {
  const { exitCode, stderr } = await parlance(['export', '@bob', '--out', '/nowhere/at/all'], { PARLANCE_TOKEN: 'x' });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^\/nowhere\/at\/all\S* does not exist: check the name\.\n$/);
});

test('the doctor names what is wrong and what to do', async () => {
  const folder = await emptyFolder();
  const well = await parlance(['doctor', '--json'], { PARLANCE_DATA_DIR: folder, PARLANCE_PASSWORD: 'not a setting of the server' });
  const { ok, findings } = JSON.parse(well.stdout);
  expect(findings.map(({ check }: { check: string }) => check)).toEqual(['Node', 'settings', 'data folder', 'disk', 'server']);
  expect({ ok, exitCode: well.exitCode }).toEqual({ ok: true, exitCode: 0 });
  const ill = await parlance(['doctor'], { PARLANCE_HOST: '0.0.0.0' });
  expect(ill.exitCode).toBe(1);
  expect(ill.stdout).toMatch(/PROBLEM settings: .*\n +Listening on 0\.0\.0\.0 without TLS/);
});

describe('the door', () => {
  const door = fileURLToPath(new URL('../bin/parlance.js', import.meta.url));

  test('answers, and passes arguments and exit codes on', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [door, '--version']);
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    await expect(promisify(execFile)(process.execPath, [door, 'exprt'])).rejects.toMatchObject({ code: 2 });
  });

  test('of a package that is not built says so', async () => {
    const folder = await emptyFolder();
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    await promisify(execFile)('cp', [door, folder]);
    await expect(promisify(execFile)(process.execPath, [join(folder, 'parlance.js')])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('npm run build'),
    });
  });
});
