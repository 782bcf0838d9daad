import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';

// A server as people run it: the built command line, a process of its own, a real folder. Whatever is started here is killed when the test process ends.

const root = join(import.meta.dirname, '../..');
const program = join(root, 'packages/cli/bin/parlance.js');

export interface ServerProcessOptions {
  /** Left out: a temporary folder, removed by `removeFolders`. */
  dataDir?: string;
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** A program and its arguments that run the server's; it must hand on its process (`strace -D`, `env`), so that signals reach the server itself. */
  wrap?: readonly string[];
}

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that was begun and may not have started, or may never do so. */
export interface SpawnedServer {
  pid: number;
  dataDir: string;
  /** Its first line: where it is. Rejects, with all it said, when it ends before. */
  started: Promise<{ url: string; adminLink: string | undefined }>;
  exited: Promise<Exit>;
  /** Sends a signal, SIGKILL when not said otherwise. */
  kill(signal?: NodeJS.Signals): void;
  /** Everything it said, on both outputs. */
  output(): string;
}

export interface ServerProcess extends Omit<SpawnedServer, 'started'> {
  url: string;
  adminLink: string | undefined;
  /** SIGTERM; resolves when it has ended. */
  stop(): Promise<Exit>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Begins a server on a free port of loopback. The settings of the surrounding process do not reach it. */
export function spawnServer({ dataDir, flags = [], env = {}, wrap = [] }: ServerProcessOptions & { dataDir: string }): SpawnedServer {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PARLANCE_')));
  const [file, ...args] = [...wrap, process.execPath, program, 'serve', '--json', '--port=0', `--data-dir=${dataDir}`, ...flags];
  const child = spawn(file!, args, { cwd: root, env: { ...inherited, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let output = '';
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
    child.once('error', (error) => {
      output += error.message;
      running.delete(child);
      resolve({ code: null, signal: null });
    });
  });
  const started = new Promise<{ url: string; adminLink: string | undefined }>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      const line = /^\{"event":"started".*\}$/m.exec(output)?.[0];
      if (line === undefined) return;
      const { url, admin_link } = JSON.parse(line) as { url: string; admin_link?: string };
      resolve({ url, adminLink: admin_link });
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    void exited.then(({ code, signal }) => reject(new Error(`the server ended before it started (${signal ?? code}): ${output}`)));
  });
  started.catch(() => undefined);
  return { pid: child.pid ?? 0, dataDir, started, exited, kill: (signal = 'SIGKILL') => void child.kill(signal), output: () => output };
}

/** Starts a server and resolves when it answers; rejects, with all it said, when it does not start. */
export async function startServerProcess(options: ServerProcessOptions = {}): Promise<ServerProcess> {
  const dataDir = options.dataDir ?? join(await temporaryFolder(), 'data');
  const { started, ...spawned } = spawnServer({ ...options, dataDir });
  const { url, adminLink } = await started;
  return {
    ...spawned,
    url,
    adminLink,
    stop() {
      spawned.kill('SIGTERM');
      return spawned.exited;
    },
  };
}

/** Kills it and waits until it is gone, and its folder free. */
export async function killAndWait(server: Pick<ServerProcess, 'kill' | 'exited'>): Promise<void> {
  server.kill('SIGKILL');
  await server.exited;
}

const folders: string[] = [];

/** A new empty folder, removed by `removeFolders`. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-test-'));
  folders.push(folder);
  return folder;
}

/** For `afterAll`: removes the temporary folders, after killing what still runs on them. */
export async function removeFolders(): Promise<void> {
  const ended = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ended);
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
}

/** Skips a test whose tool is missing, and says so: in CI that is a failure. */
export const notRun = (context: TestContext, reason: string): never => context.skip(`NOT RUN: ${reason}`) as never;

/** Settings that keep the server's limits out of the way of tests that are not about them. */
export const raisedLimits = ['--writes-burst=1000000', '--writes-per-second=100000', '--registrations-burst=100000', '--login-failures-burst=100000'] as const;

/** The same as environment variables. */
export const raisedSettings: Readonly<Record<string, string>> = Object.fromEntries(
  raisedLimits.map((flag) => {
    const [name = '', value = ''] = flag.slice(2).split('=');
    return [`PARLANCE_${name.toUpperCase().replaceAll('-', '_')}`, value];
  }),
);
