import { randomBytes } from 'node:crypto';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it, type TestContext } from 'vitest';
import { Person } from '../conformance/protocol-client.ts';
import { Random } from '../support/random.ts';
import {
  killAndWait,
  notRun,
  raisedLimits,
  removeFolders,
  type ServerProcessOptions,
  spawnServer,
  startServerProcess,
  temporaryFolder,
} from '../support/server-process.ts';
import { killAtSync, straceMissing } from '../support/strace.ts';
import { verifyStore } from '../support/verify.ts';
import { Crowd } from './crowd.ts';
import { check } from './history.ts';

// Every moment at which something is put on the disk, in turn: the server is killed there, started again, and looked at. Each thread's syncs are counted
// apart. The node's thread has two, of the installation key; with the key given by a setting all are the writer's.

const linkSecret = 'the-link-of-the-crash-test';
const settings = { flags: raisedLimits, env: { PARLANCE_ADMIN_LINK_SECRET: linkSecret } };
const withKey = { ...settings, env: { ...settings.env, PARLANCE_INSTALLATION_KEY: randomBytes(32).toString('hex') } };
const scriptWrites = 8;
/** More than there are: a test ends at the first sync that is not reached. */
const syncsMax = 60;
const runsAtOnce = 2;

afterAll(removeFolders);

const needStrace = (context: TestContext): void => {
  const missing = straceMissing();
  if (missing !== undefined) notRun(context, missing);
};

/** Does it for 1, 2, 3, … until one is not reached; resolves with how many were. */
async function eachSync(killAt: (n: number) => Promise<boolean>): Promise<number> {
  let next = 1;
  let reached = 0;
  let isDone = false;
  const run = async (): Promise<void> => {
    while (!isDone && next <= syncsMax) {
      const n = next++;
      if (await killAt(n)) reached = Math.max(reached, n);
      else isDone = true;
    }
  };
  await Promise.all(Array.from({ length: runsAtOnce }, run));
  expect(isDone, 'there is an end').toBe(true);
  return reached;
}

/** Starts a server to be killed at its nth sync. False when it started, and was killed for that. */
async function startToBeKilled(options: ServerProcessOptions & { dataDir: string }, n: number): Promise<boolean> {
  const server = spawnServer({ ...options, wrap: killAtSync(n) });
  const isStarted = await server.started.then(
    () => true,
    () => false,
  );
  if (isStarted) server.kill();
  expect((await server.exited).signal, server.output()).toBe('SIGKILL');
  return !isStarted;
}

/** A server that was killed while it made its folder starts on it as on a new one. */
async function checkFirstStart(options: ServerProcessOptions & { dataDir: string }, n: number): Promise<void> {
  const server = await startServerProcess(options);
  const admin = await Person.make(server.url, 'admin');
  expect((await admin.get(`/first-admin/${linkSecret}`)).status, `killed at sync ${n}`).toBe(200);
  expect((await admin.send(`@${admin.id}`, 'hello')).body.seq).toBe(1);
  expect((await verifyStore(server.url, admin.token)).findings, `killed at sync ${n}`).toEqual([]);
  await killAndWait(server);
}

it('starts whole after a kill at any sync of the first start', async (context) => {
  needStrace(context);
  const killAt = async (options: ServerProcessOptions, n: number): Promise<boolean> => {
    const on = { ...options, dataDir: join(await temporaryFolder(), 'data') };
    const isKilled = await startToBeKilled(on, n);
    await checkFirstStart(on, n);
    return isKilled;
  };
  // Of the node's thread, and of the first syncs of the writer's again.
  for (const n of [1, 2]) expect(await killAt(settings, n)).toBe(true);
  expect(await eachSync((n) => killAt(withKey, n))).toBeGreaterThan(5);
}, 120_000);

it(`keeps every promise after a kill at any sync of a later start and of ${scriptWrites} writes after it`, async (context) => {
  needStrace(context);
  const begun = await startServerProcess(withKey);
  const admin = await Person.make(begun.url, 'admin');
  expect((await admin.get(`/first-admin/${linkSecret}`)).status).toBe(200);
  const past = await Crowd.make(begun.url, new Random(1), 4);
  await past.write(30, 3);
  await killAndWait(begun);

  const reached = await eachSync(async (n) => {
    const dataDir = join(await temporaryFolder(), 'data');
    await cp(begun.dataDir, dataDir, { recursive: true });
    const crowd = past.fork(new Random(n));
    const first = spawnServer({ ...withKey, dataDir, wrap: killAtSync(n) });
    const start = await first.started.catch(() => undefined);
    if (start !== undefined) crowd.moveTo(start.url);
    const outcomes = start && (await crowd.write(scriptWrites, 1));
    const isKilled = outcomes === undefined || outcomes.some((outcome) => outcome.is === 'unknown');
    if (!isKilled) first.kill();
    expect((await first.exited).signal, first.output()).toBe('SIGKILL');

    const server = await startServerProcess({ ...withKey, dataDir });
    expect(check(crowd.history, await crowd.lookBack(server.url)).slice(0, 10), `killed at sync ${n}`).toEqual([]);
    expect((await verifyStore(server.url, admin.token)).findings, `killed at sync ${n}`).toEqual([]);
    await killAndWait(server);
    return isKilled;
  });
  expect(reached).toBeGreaterThanOrEqual(scriptWrites / 2); // Refusals without a decision need no sync.
}, 240_000);
