import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The processes of real engines, as the launcher and the fault tests handle them: each is a member with a name, an address and a folder, which may be killed,
// paused and started again in the same place. Every process is in a group of its own, so that Ctrl-C reaches the launcher alone, which then ends them in order.

/** One process of a cluster, in a place (address, folder) that it keeps over restarts. */
export interface Member {
  readonly name: string;
  /** host:port that clients use. */
  readonly address: string;
  /** Where it keeps its files; gone after `stop` of its cluster. */
  readonly folder: string;
  /** Of the run that is going on, or of the last one. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** How those of its runs ended that nobody had told to: each a crash, or a start that was given up. */
  readonly crashes: readonly string[];
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGTERM: it ends in its own way; resolves when it is gone, and kills it after `timeoutMs` (30 s). */
  terminate(timeoutMs?: number): Promise<void>;
  /** SIGSTOP: it keeps its connections and answers nothing. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Starts it again on what it has, after SIGKILL if it still runs; resolves when it answers. Rejects, with the end of its log, when it does not. */
  restart(): Promise<void>;
  /** The end of what it wrote to its log. */
  log(): string;
}

export interface MemberOptions {
  name: string;
  address: string;
  folder: string;
  command: string;
  args: readonly string[];
  /** Left out: the environment of this process. */
  env?: NodeJS.ProcessEnv;
  /** Asks the member itself. Resolves with undefined when it answers as it should, otherwise with what is not right yet; may reject while nobody listens. */
  probe(): Promise<string | undefined>;
  readyTimeoutMs: number;
}

const logMaxChars = 3000;

/** Begins a member; nothing is awaited, see `untilReady`. */
export function startMember(options: MemberOptions): Member & { untilReady(): Promise<void> } {
  const { name, address, folder, command, args, env = process.env } = options;
  mkdirSync(folder, { recursive: true });
  const logPath = join(folder, 'log');
  const crashes: string[] = [];
  let run = begin();

  function begin(): { child: ChildProcess; ended: Promise<string>; isRunning: boolean; isToEnd: boolean } {
    const log = openSync(logPath, 'a');
    try {
      const child = spawn(command, args, { cwd: folder, env, detached: true, stdio: ['ignore', log, log] });
      const { pid } = child;
      if (pid !== undefined) tellWatchdog('started', pid);
      const ended = new Promise<string>((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('exit', (code, signal) => resolve(`exit ${signal ?? code}`));
      }).then((how) => {
        begun.isRunning = false;
        if (!begun.isToEnd) crashes.push(how);
        if (pid !== undefined) tellWatchdog('ended', pid);
        return how;
      });
      const begun = { child, ended, isRunning: pid !== undefined, isToEnd: false };
      return begun;
    } finally {
      closeSync(log);
    }
  }

  const signal = (name: NodeJS.Signals): void => {
    if (run.isRunning) run.child.kill(name);
  };
  const end = (name: NodeJS.Signals): void => {
    run.isToEnd = true;
    signal(name);
  };

  const member = {
    name,
    address,
    folder,
    crashes,
    get pid() {
      return run.child.pid ?? 0;
    },
    get isRunning() {
      return run.isRunning;
    },
    async kill() {
      end('SIGKILL');
      await run.ended;
    },
    async terminate(timeoutMs = 30_000) {
      end('SIGTERM');
      const timer = setTimeout(() => signal('SIGKILL'), timeoutMs);
      await run.ended;
      clearTimeout(timer);
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    async restart() {
      await member.kill();
      run = begin();
      await member.untilReady();
    },
    async untilReady() {
      const { ended } = run;
      const abort = new AbortController();
      void ended.then((how) => abort.abort(new Error(`${name} ended before it was ready (${how})`)));
      try {
        await waitUntil(name, options.probe, { timeoutMs: options.readyTimeoutMs, signal: abort.signal });
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${member.log()}`, { cause: error });
      }
    },
    log() {
      try {
        return readFileSync(logPath, 'utf8').slice(-logMaxChars);
      } catch {
        return '';
      }
    },
  };
  return member;
}

const probeIntervalMs = 100;
const probeTimeoutMs = 5000;

/** Asks until the answer is undefined ("nothing is missing"). Rejects with what was missing last when `timeoutMs` is over, or with the reason of `signal`. */
export async function waitUntil(
  what: string,
  probe: () => Promise<string | undefined>,
  { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const missing = await within(probeTimeoutMs, probe()).catch((error: Error) => error.message);
    if (missing === undefined) return;
    if (performance.now() > deadline) throw new Error(`${what} is not ready after ${timeoutMs / 1000} s: ${missing}`);
    await new Promise((resolve) => setTimeout(resolve, probeIntervalMs));
  }
}

/** The value, or a rejection after so many milliseconds. */
async function within<T>(ms: number, value: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([value, late]).finally(() => clearTimeout(timer));
}

/** A new folder for the files of a cluster. It goes with `removeFolder`, or when this process ends. */
export async function makeFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `parlance-${name}-`));
  tellWatchdog('made', folder);
  return folder;
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  tellWatchdog('removed', folder);
}

let watchdog: ChildProcess | undefined;

/** Has the watchdog know of a process or folder. It is started with the first and ends with this process. */
function tellWatchdog(verb: 'started' | 'ended' | 'made' | 'removed', what: number | string): void {
  if (watchdog === undefined) {
    watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog.ts')], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    // It must not keep this process from ending: that end is what it waits for.
    watchdog.unref();
    (watchdog.stdin as Socket).unref();
    watchdog.stdin?.on('error', () => undefined);
  }
  watchdog.stdin?.write(`${JSON.stringify([verb, what])}\n`);
}
