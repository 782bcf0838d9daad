import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Load, Measured, Person, Used } from './load.ts';

// The server under measurement, as its own process with a data folder of its own, and the loads, each a process too.

/** Of the link with which the first person becomes the administrator, who may import. */
export const adminLinkSecret = 'benchmark-benchmark-benchmark';

/** Settings that the benchmark raises: it makes from one address, in seconds, what thousands of people make in an hour. Printed with the results. */
export const raised = {
  PARLANCE_WRITES_PER_SECOND: '1000000',
  PARLANCE_WRITES_BURST: '1000000',
  PARLANCE_REGISTRATIONS_BURST: '1000000',
  PARLANCE_ADMIN_LINK_SECRET: adminLinkSecret,
};

const root = new URL('..', import.meta.url).pathname;

/** What a benchmark asks of a server beside the load. */
export class Caller {
  readonly url: string;

  constructor(url: string) {
    this.url = url;
  }

  /** Users with sessions; made, or logged in where they exist already. */
  async people(count: number): Promise<Person[]> {
    const people: Person[] = [];
    const one = async (index: number): Promise<void> => {
      const userId = `bench${index}`;
      const password = 'correct horse battery';
      await this.post('/v1/accounts', { user_id: userId, email: `${userId}@example.org`, password });
      const session = await this.post('/v1/sessions', { user_id: userId, password });
      people[index] = { userId, token: session.token as string };
    };
    let next = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (next < count) await one(next++);
      }),
    );
    return people;
  }

  async post(path: string, body: unknown, token?: string): Promise<Record<string, unknown>> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok && answer.code !== 'user_exists' && answer.code !== 'name_taken') throw new Error(`POST ${path}: ${JSON.stringify(answer)}`);
    return answer;
  }

  async put(path: string, body: unknown, token: string): Promise<void> {
    const response = await fetch(this.url + path, {
      method: 'PUT',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`PUT ${path}: ${await response.text()}`);
  }

  async get(path: string, token: string): Promise<Record<string, unknown>> {
    const response = await fetch(this.url + path, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`GET ${path}: ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  }
}

export class BenchServer extends Caller {
  readonly folder: string;
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(folder: string, port: number, process: ChildProcess) {
    super(`http://127.0.0.1:${port}`);
    this.folder = folder;
    this.port = port;
    this.#process = process;
  }

  static async start(folder = mkdtempSync(join(tmpdir(), 'parlance-bench-'))): Promise<BenchServer> {
    const child = spawn(
      process.execPath,
      [join(root, 'packages/cli/bin/parlance.js'), 'serve', '--port=0', '--json', `--data-dir=${folder}`, '--log-level=warn'],
      {
        env: { ...process.env, ...raised },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      let out = '';
      child.stdout!.on('data', (chunk) => {
        out += chunk;
        const found = /"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(out);
        if (found !== null) resolve(Number(found[1]));
      });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${out}`)));
    });
    return new BenchServer(folder, port, child);
  }

  /** Resident memory, MB. */
  get memoryMb(): number {
    const status = readFileSync(`/proc/${this.#process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
  }

  /** CPU seconds used so far, all threads, user and system. */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.#process.pid!);
  }

  get bytesOnDisk(): number {
    return readdirSync(this.folder).reduce((sum, name) => sum + statSync(join(this.folder, name)).size, 0);
  }

  async stop(keep = false): Promise<void> {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    await ended;
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** From /proc/PID/stat: fields 14 and 15 count ticks of 10 ms. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Runs a load in a process of its own. `whileOpen` may look at the server before the load ends. */
export async function runLoad(load: Load, whileOpen?: () => Promise<void>): Promise<Measured & Used> {
  const child = fork(new URL('load.ts', import.meta.url));
  try {
    return await new Promise<Measured & Used>((resolve, reject) => {
      child.once('message', async (message: (Measured & Used) | { error: string }) => {
        if ('error' in message) reject(new Error(message.error));
        else {
          await whileOpen?.();
          resolve(message);
        }
      });
      child.once('exit', (code) => reject(new Error(`the load ended with ${code}`)));
      child.send(load);
    });
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}

/** Starts the bare echo; returns its port and how to end it. */
export async function startBare(): Promise<{ port: number; stop: () => void }> {
  const child = fork(new URL('bare.ts', import.meta.url));
  const { port } = await new Promise<{ port: number }>((resolve) => child.once('message', (message) => resolve(message as { port: number })));
  return { port, stop: () => child.kill('SIGKILL') };
}
