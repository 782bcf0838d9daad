import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Failure } from './failure.ts';
import { logInFile, savedLogIn, saveLogIn } from './saved-log-in.ts';

const here = 'http://127.0.0.1:8080';
const there = 'https://chat.example.org';
const logIn = (user_id: string) => ({ user_id, token: `token of ${user_id}`, expires_time: '2026-01-31T00:00:00.000Z' });

async function config(): Promise<{ XDG_CONFIG_HOME: string }> {
  const XDG_CONFIG_HOME = await mkdtemp(join(tmpdir(), 'parlance-config-'));
  onTestFinished(() => rm(XDG_CONFIG_HOME, { recursive: true }));
  return { XDG_CONFIG_HOME };
}

test('a log-in is kept for each server, where only its owner can read it', async () => {
  const variables = await config();
  expect(savedLogIn(variables, here)).toBeUndefined();
  saveLogIn(variables, here, logIn('alice'));
  saveLogIn(variables, there, logIn('bob'));
  expect(savedLogIn(variables, here)).toEqual(logIn('alice'));
  expect(savedLogIn(variables, there)).toEqual(logIn('bob'));
  const path = logInFile(variables);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
  expect(await readdir(dirname(path))).toHaveLength(1);
});

test('a log-in is forgotten, and with the last one the file', async () => {
  const variables = await config();
  saveLogIn(variables, here, logIn('alice'));
  saveLogIn(variables, there, logIn('bob'));
  saveLogIn(variables, here, undefined);
  expect(savedLogIn(variables, here)).toBeUndefined();
  expect(savedLogIn(variables, there)).toEqual(logIn('bob'));
  saveLogIn(variables, there, undefined);
  expect(await readdir(dirname(logInFile(variables)))).toEqual([]);
});

test('log-ins that others can read are not used', async () => {
  const variables = await config();
  saveLogIn(variables, here, logIn('alice'));
  await chmod(logInFile(variables), 0o644);
  expect(() => savedLogIn(variables, here)).toThrow(Failure);
});

test('a damaged file is told', async () => {
  const variables = await config();
  saveLogIn(variables, here, logIn('alice'));
  await writeFile(logInFile(variables), '{');
  expect(() => savedLogIn(variables, here)).toThrow(/log in again/);
});

test('the file is in the configuration folder of the XDG specification', () => {
  expect(logInFile({ HOME: '/home/alice' })).toBe('/home/alice/.config/parlance/log-ins.json');
  expect(logInFile({ HOME: '/home/alice', XDG_CONFIG_HOME: '/etc/mine' })).toBe('/etc/mine/parlance/log-ins.json');
  expect(logInFile({ HOME: '/home/alice', XDG_CONFIG_HOME: 'relative' })).toBe('/home/alice/.config/parlance/log-ins.json');
});
