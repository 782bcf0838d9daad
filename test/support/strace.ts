import { spawn, spawnSync } from 'node:child_process';

// Faults from below: strace makes the kernel's answers to a process what a test wants them to be.

/** Why strace cannot be used here; undefined when it can. */
export function straceMissing(): string | undefined {
  const { status, error } = spawnSync('strace', ['-f', '-o', '/dev/null', '-e', 'trace=fsync', 'true'], { stdio: 'ignore' });
  return status === 0 ? undefined : `strace cannot be used here (${error?.message ?? `it ended with ${status}`}): sudo apt-get install strace`;
}

/** The calls with which SQLite and Node have a file put on the disk. */
export const syncCalls = 'fsync,fdatasync';

/** For `wrap`: the process is killed on its way into the nth sync that one of its threads asks for. (Not with --seccomp-bpf, which loses count.) */
export const killAtSync = (n: number): string[] => [
  ...['strace', '-D', '-f', '-qq', '-o', '/dev/null'],
  ...['-e', `trace=${syncCalls}`, '-e', `inject=${syncCalls}:signal=KILL:when=${n}`],
];

/** Makes these calls of a running process fail, all of them; resolves once they do. `end` lets them work again. */
export async function failCalls(pid: number, names: string, error: string): Promise<{ end(): Promise<void> }> {
  const tracer = spawn('strace', ['-f', '-p', String(pid), '-e', `trace=${names}`, '-e', `inject=${names}:error=${error}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => tracer.once('close', () => resolve()));
  let said = '';
  await new Promise<void>((resolve, reject) => {
    tracer.stderr.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(0, 10_000);
      if (said.includes('attached')) resolve();
    });
    void ended.then(() => reject(new Error(`strace ended: ${said}`)));
  });
  return {
    async end() {
      tracer.kill('SIGINT');
      await ended;
    },
  };
}
