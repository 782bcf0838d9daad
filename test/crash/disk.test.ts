import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, type TestContext } from 'vitest';
import { at, Person } from '../conformance/protocol-client.ts';
import { Random, seedFrom } from '../support/random.ts';
import {
  killAndWait,
  notRun,
  raisedLimits,
  removeFolders,
  type ServerProcess,
  spawnServer,
  startServerProcess,
  temporaryFolder,
} from '../support/server-process.ts';
import { failCalls, straceMissing, syncCalls } from '../support/strace.ts';
import { verifyStore } from '../support/verify.ts';
import { Crowd } from './crowd.ts';
import { check, type Outcome } from './history.ts';

// A disk that fails for a while, under a server that goes on running: nothing is acknowledged meanwhile, what is there can be read, the log says
// why, and when the disk works again so does the server, by itself.

const linkSecret = 'the-link-of-the-crash-test';
const seed = seedFrom('CRASH_SEED');
const options = { flags: [...raisedLimits, '--command-timeout-ms=2000'], env: { PARLANCE_ADMIN_LINK_SECRET: linkSecret } };
const mounts: string[] = [];

afterEach(() => {
  for (const mount of mounts.splice(0)) spawnSync('umount', ['-l', mount]);
});
afterAll(removeFolders);

const countOf = (outcomes: readonly Outcome[], is: Outcome['is']): number => outcomes.filter((outcome) => outcome.is === is).length;

/** Writes, breaks the disk, writes, mends it, writes, and looks back. */
async function throughFault(server: ServerProcess, breakDisk: () => Promise<{ end(): Promise<void> }>): Promise<void> {
  const admin = await Person.make(server.url, 'admin');
  expect((await admin.get(`/first-admin/${linkSecret}`)).status).toBe(200);
  const friend = await Person.make(server.url, 'friend');
  await friend.send(`@${admin.id}`, 'not read yet');
  const crowd = await Crowd.make(server.url, new Random(seed), 4);
  expect(countOf(await crowd.write(60, 6), 'unknown')).toBe(0);
  const eventsBefore = await crowd.countEvents();

  const fault = await breakDisk();
  const meanwhile = await crowd.write(40, 4);
  expect(countOf(meanwhile, 'accepted') + countOf(meanwhile, 'refused'), 'decided on a broken disk').toBe(0);
  expect(countOf(meanwhile, 'unknown')).toBeGreaterThan(0);
  expect(await crowd.countEvents(), 'read while the disk is broken').toBe(eventsBefore);
  expect((await admin.get('/healthz')).status).toBe(200);
  const mark = await admin.call('PUT', `${at(`@${friend.id}`)}/read`, { seq: 1 });
  expect([mark.status, mark.body.code], 'a read mark on a broken disk').toEqual([503, 'unavailable']);
  const account = { user_id: 'newcomer', email: 'n@example.org', password: 'a long password' };
  const registration = await admin.call('POST', '/v1/accounts', account);
  expect([registration.status, registration.body.code], 'a registration on a broken disk').toEqual([503, 'unavailable']);
  expect(server.output()).toContain('deciding failed and starts again');
  await fault.end();

  // Decided, not only answered: a write can also be refused before anything has to be stored.
  await expect
    .poll(
      async () => {
        const outcomes = await crowd.write(1, 1);
        return countOf(outcomes, 'accepted') + countOf(outcomes, 'refused');
      },
      { timeout: 15_000, interval: 100 },
    )
    .toBe(1);
  expect(countOf(await crowd.write(60, 6), 'unknown')).toBe(0);
  expect(check(crowd.history, await crowd.lookBack(server.url)).slice(0, 10)).toEqual([]);
  expect((await verifyStore(server.url, admin.token)).findings).toEqual([]);

  // And what is on the disk says the same.
  await killAndWait(server);
  const again = await startServerProcess({ ...options, dataDir: server.dataDir });
  Object.assign(admin, { url: again.url });
  expect(check(crowd.history, await crowd.lookBack(again.url)).slice(0, 10)).toEqual([]);
  expect((await verifyStore(again.url, admin.token)).findings).toEqual([]);
  await killAndWait(again);
}

it.for([
  ['a sync', syncCalls, 'EIO'],
  ['a write', 'pwrite64', 'EIO'],
  ['a write for want of space', 'pwrite64', 'ENOSPC'],
])(`acknowledges nothing while %s fails, and goes on by itself afterwards (CRASH_SEED=${seed})`, { timeout: 90_000 }, async ([, names, error], context) => {
  const missing = straceMissing();
  if (missing !== undefined) notRun(context, missing);
  const server = await startServerProcess(options);
  await throughFault(server, () => failCalls(server.pid, names!, error!));
});

/** A small file system of its own. */
async function smallDisk(context: TestContext): Promise<string> {
  const folder = await temporaryFolder();
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  if (status !== 0) notRun(context, `a small file system cannot be mounted (${String(stderr).trim()}): run as root`);
  mounts.push(folder);
  return folder;
}

/** Takes all the space there is. */
function fill(folder: string): { empty(): void } {
  const filler = join(folder, 'filler');
  for (let size = 65_536, number = 0; size >= 1024; ) {
    const { bavail, bsize } = statfsSync(folder);
    if (bavail * bsize < size) size /= 2;
    else {
      mkdirSync(filler, { recursive: true });
      writeFileSync(join(filler, String(number++)), Buffer.alloc(size));
    }
    if (bavail === 0) break;
  }
  return { empty: () => rmSync(filler, { recursive: true, force: true }) };
}

it('acknowledges nothing while the disk is full, and goes on by itself once there is space', async (context) => {
  const disk = await smallDisk(context);
  const server = await startServerProcess({ ...options, dataDir: join(disk, 'data') });
  await throughFault(server, async () => {
    const filled = fill(disk);
    return { end: async () => filled.empty() };
  });
}, 90_000);

it('a start on a full disk ends with a sentence, and a later one finds everything', async (context) => {
  const disk = await smallDisk(context);
  const dataDir = join(disk, 'data');
  const server = await startServerProcess({ ...options, dataDir });
  const crowd = await Crowd.make(server.url, new Random(seed), 4);
  await crowd.write(20, 2);
  await killAndWait(server);
  const filled = fill(disk);
  const second = spawnServer({ ...options, dataDir });
  const isStarted = await second.started.then(
    () => true,
    () => false,
  );
  second.kill('SIGTERM');
  const { code } = await second.exited;
  if (!isStarted) expect([code, second.output()]).toEqual([1, expect.stringMatching(/^Parlance did not start\. .+/)]);
  filled.empty();
  const third = await startServerProcess({ ...options, dataDir });
  expect(check(crowd.history, await crowd.lookBack(third.url)).slice(0, 10)).toEqual([]);
  await killAndWait(third);
}, 60_000);
