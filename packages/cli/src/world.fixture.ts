import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { onTestFinished } from 'vitest';
import { run } from './program.ts';

// For tests: command lines run in a world without terminal, with a folder of their own for log-ins.

export interface Ran {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** An empty folder, gone after the test. */
export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs one command line with these variables and this stdin, and collects what it writes. */
export async function parlance(argv: readonly string[], environment: Record<string, string>, input = ''): Promise<Ran> {
  const ran: Ran = { exitCode: -1, stdout: '', stderr: '' };
  const stdin = new PassThrough();
  stdin.end(input);
  const into = (name: 'stdout' | 'stderr') => ({
    write: (text: string, done?: () => void) => {
      ran[name] += text;
      done?.();
      return true;
    },
  });
  ran.exitCode = await run(argv, { environment, stdin: stdin as never, stdout: into('stdout'), stderr: into('stderr'), now: Date.now });
  return ran;
}
