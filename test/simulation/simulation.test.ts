import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { plants } from './plants.ts';

// The seeds run in processes of their own, since a simulation takes over the timers of its process. Two at a time: as many as there are cores.

interface Report {
  seeds: number;
  failures: { seed: number; failure: string }[];
  totals: Record<string, number>;
}

const seeds = 20_000;
const processes = 2;
const run = promisify(execFile);

async function simulate(args: string[]): Promise<Report> {
  const command = [join(import.meta.dirname, 'run.ts'), '--json', ...args];
  // It ends with 1 when a promise was broken; what it prints says which.
  const { stdout, stderr } = await run(process.execPath, command, { maxBuffer: 1 << 26 }).catch((error: { stdout: string; stderr: string }) => error);
  if (stderr !== '' || stdout === '') throw new Error(`${command.join(' ')}\n${stderr}${stdout}`);
  return JSON.parse(stdout) as Report;
}

describe('the simulation', () => {
  it(`keeps every promise in ${seeds} seeds`, { timeout: 900_000 }, async () => {
    const shares = Array.from({ length: processes }, (_, index) => [
      '--seeds',
      String(seeds / processes),
      '--first',
      String(1 + index),
      '--step',
      String(processes),
    ]);
    const reports = await Promise.all(shares.map(simulate));
    expect(reports.flatMap(({ failures }) => failures)).toEqual([]);
    const total = (name: string) => reports.reduce((sum, { totals }) => sum + totals[name]!, 0);
    expect(reports.reduce((sum, report) => sum + report.seeds, 0)).toBe(seeds);
    // A simulation in which nothing happens keeps every promise too.
    for (const [name, each] of Object.entries({ events: 5, refusals: 1, repeated: 1, skipped: 1, answers: 10, pushes: 10 })) {
      expect(total(name), name).toBeGreaterThan(each * seeds);
    }
  });

  it('does the same again from the same seed, and something else from another', { timeout: 120_000 }, async () => {
    const prints = async (seed: number) =>
      (await run(process.execPath, [join(import.meta.dirname, 'run.ts'), '--seed', String(seed), '--trace'], { maxBuffer: 1 << 26 })).stdout;
    const [once, again, other] = await Promise.all([prints(11), prints(11), prints(12)]);
    expect(again).toBe(once);
    expect(other).not.toBe(once);
  });

  it('catches every planted bug', { timeout: 900_000 }, async () => {
    const missed: string[] = [];
    const caught: string[] = [];
    const waiting = [...plants];
    const work = async () => {
      for (let plant = waiting.shift(); plant !== undefined; plant = waiting.shift()) {
        const [first] = (await simulate(['--plant', plant.name, '--seeds', '8000'])).failures;
        if (first === undefined) missed.push(plant.name);
        else caught.push(`${plant.name}: seed ${first.seed}, ${first.failure.slice(0, 100)}`);
      }
    };
    await Promise.all(Array.from({ length: processes }, work));
    console.log(caught.join('\n'));
    expect(missed).toEqual([]);
    expect(plants.length).toBeGreaterThanOrEqual(18);
  });
});
