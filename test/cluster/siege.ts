import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Change } from '@parlance/schema/types';
import { Crowd, type Door } from '../crash/crowd.ts';
import { check, type Finding, type History, type Outcome, unpushed } from '../crash/history.ts';
import { Random } from '../support/random.ts';
import { type Blow, type Fault, faultNamed } from './faults.ts';
import { Observer } from './observer.ts';
import type { Stage } from './stage.ts';

// A crowd that keeps the cluster busy while it is struck, blow after blow, and what came of it. After every blow the load rests, and within the bound everybody must
// be of one mind: each node about every conversation, and each live socket about what it was told. At the end everything is repeated, read back and checked.

export interface SiegeOptions {
  seed: number;
  /** Told what is done. */
  progress?(text: string): void;
  /** Writes before each blow, or altogether where there is none. */
  calmWrites?: number;
  /** Of each person at once, over each transport, and the longest that one of them rests between two, ms. */
  hands?: number;
  restMsMax?: number;
  /** How long it is waited for everybody to be of one mind before that is given up, ms. */
  giveUpMs?: number;
  /** Judges after every blow, and spares the blows that are left once a finding is what was looked for. */
  isEnough?(finding: Finding): boolean;
}

export interface SiegeReport {
  findings: Finding[];
  blows: { blow: Blow; struck: string[]; healMs: number; convergedMs: number }[];
  counts: Record<Outcome['is'] | 'writes' | 'attempts' | 'ownReads' | 'pushes' | 'sockets', number>;
  crowd: Crowd;
}

/** Everybody is of one mind so long after healing, at the latest. */
export const convergeMsMax = 5000;
const busyMsMax = 60_000;
/** An engine that starts again needs most of a small machine; some load stays all the same. */
const healingRestMsMax = 1500;

export async function besiege(
  stage: Stage,
  blows: readonly Blow[],
  { seed, progress = () => undefined, calmWrites = 120, hands = 1, restMsMax = 120, giveUpMs = 30_000, isEnough }: SiegeOptions,
): Promise<SiegeReport> {
  // What is struck must not hang on how often the crowd drew: that is a matter of timing.
  const random = new Random(seed);
  const from = Date.now();
  const crowd = await Crowd.make(stage.cluster.url, new Random(random.below(0xffffffff)));
  const observers = watch(crowd, stage.doors());
  let isHealing = false;
  const working = (): Promise<void> => crowd.insist({ doors: () => stage.doors(), hands, restMsMax: () => (isHealing ? healingRestMsMax : restMsMax) });
  const report: SiegeReport['blows'] = [];
  const disagreements: Finding[] = [];
  let findings: Finding[] = [];
  const judgeNow = async (): Promise<void> => {
    findings = [...disagreements, ...(await judge(stage, crowd, observers, from))];
  };
  const crashesBefore = new Map(stage.cluster.nodes.map(({ name, crashes }) => [name, crashes.length]));
  try {
    for (const blow of blows) {
      const faults = blow.map(faultNamed);
      const busy = working();
      await untilBusy(crowd, calmWrites);
      const struck = await strike(stage, faults, random, progress);
      const healingAt = performance.now();
      isHealing = true;
      await stage.heal();
      isHealing = false;
      const healedAt = performance.now();
      crowd.stop();
      await busy;
      const { convergedMs, differences } = await converge(stage, crowd, observers, healedAt, giveUpMs);
      progress(`healed in ${Math.round(healedAt - healingAt)} ms, of one mind ${Math.round(convergedMs)} ms later`);
      if (differences !== undefined) disagreements.push({ rule: 'nodes disagree', detail: `still ${giveUpMs} ms after ${blow.join(' and ')}: ${differences}` });
      else if (convergedMs > convergeMsMax)
        disagreements.push({ rule: 'of one mind too late', detail: `${Math.round(convergedMs)} ms after ${blow.join(' and ')} was healed` });
      report.push({ blow, struck, healMs: healedAt - healingAt, convergedMs });
      if (isEnough === undefined) continue;
      await judgeNow();
      if (findings.some(isEnough)) break;
    }
    if (blows.length === 0) {
      const busy = working();
      await untilBusy(crowd, calmWrites);
      crowd.stop();
      await busy;
    }
    if (blows.length === 0 || isEnough === undefined) await judgeNow();
    for (const { name, crashes } of stage.cluster.nodes)
      for (const how of crashes.slice(crashesBefore.get(name) ?? 0)) findings.push({ rule: 'a node ended by itself', detail: `${name}: ${how}` });
    return { findings, blows: report, counts: countsOf(crowd.history, observers), crowd };
  } finally {
    crowd.stop();
    await Promise.all(observers.map((observer) => observer.stop()));
  }
}

/** A slow machine gets the time it needs for it, up to a bound. */
async function untilBusy(crowd: Crowd, writes: number): Promise<void> {
  const enough = crowd.history.entries.length + writes;
  for (const since = performance.now(); crowd.history.entries.length < enough && performance.now() - since < busyMsMax; ) await pause(50);
}

/** Lets them all fall, and resolves with what they struck when they have lasted. */
async function strike(stage: Stage, faults: readonly Fault[], random: Random, progress: (text: string) => void): Promise<string[]> {
  const healed = new AbortController();
  try {
    const struck: string[] = [];
    for (const fault of faults) {
      struck.push(await fault.strike(stage, random, healed.signal));
      progress(`${fault.name}: ${struck.at(-1)}`);
    }
    await pause(Math.max(...faults.map(({ holdMs }) => holdMs)));
    return struck;
  } finally {
    healed.abort();
  }
}

/** Two live sockets of everybody, each through another door, so that every door has some. */
const watch = (crowd: Crowd, doors: readonly Door[]): Observer[] =>
  crowd.people.flatMap((person, index) => [0, 1].map((offset) => Observer.begin(person, doors[(index + offset * 2) % doors.length]!)));

/** Repeats and reads back everything, waits for the sockets to be told of it, and checks. */
async function judge(stage: Stage, crowd: Crowd, observers: readonly Observer[], from: number): Promise<Finding[]> {
  const readBack = await crowd.lookBack(stage.cluster.url, { doors: stage.doors(), repeats: 1 });
  const views = new Map<string, Map<string, Change[]>>();
  for (const { name, url } of stage.nodes()) views.set(name, await crowd.view(url));
  for (const since = performance.now(); performance.now() - since < convergeMsMax; await pause(100)) {
    if (observers.every(({ observed }) => unpushed(observed, readBack.after).length === 0)) break;
  }
  return check(crowd.history, { ...readBack, views, observed: observers.map(({ observed }) => observed), during: { from, to: Date.now() } });
}

/** Waits until every node tells the same, and every socket has been told all of it. */
async function converge(
  stage: Stage,
  crowd: Crowd,
  observers: readonly Observer[],
  since: number,
  giveUpMs: number,
): Promise<{ convergedMs: number; differences: string | undefined }> {
  for (;;) {
    const begunAt = performance.now();
    const differences = await differencesNow(stage, crowd, observers);
    // What was seen was so when the looking began.
    if (differences === undefined) return { convergedMs: begunAt - since, differences };
    if (performance.now() - since > giveUpMs) return { convergedMs: performance.now() - since, differences };
    await pause(50);
  }
}

async function differencesNow(stage: Stage, crowd: Crowd, observers: readonly Observer[]): Promise<string | undefined> {
  try {
    const views = await Promise.all(stage.nodes().map(async ({ name, url }) => ({ name, view: await crowd.view(url) })));
    const digests = views.map(({ name, view }) => `${name} ${digestOf(view)}`);
    if (new Set(digests.map((text) => text.split(' ')[1])).size > 1) return digests.join(', ');
    const missing = observers.flatMap(({ observed }) => unpushed(observed, views[0]!.view));
    return missing.length === 0 ? undefined : missing.slice(0, 3).join('; ');
  } catch (error) {
    return (error as Error).message;
  }
}

/** The last lines in which nodes told of a fault of the program, and what a program prints that ends of one. */
export const faultsLogged = (stage: Stage): string[] =>
  stage.cluster.nodes.flatMap(({ name, folder }) =>
    readFileSync(join(folder, 'log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !/^\{"(event":|level":"(trace|debug|info|warn)")/.test(line))
      .slice(-linesMax)
      .map((line) => `${name}: ${line}`),
  );
const linesMax = 20;

/** One value for everything that is in the conversations. */
const digestOf = (view: ReadonlyMap<string, Change[]>): string =>
  createHash('sha256')
    .update(JSON.stringify([...view].sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 16);

function countsOf({ entries, reads = [] }: History, observers: readonly Observer[]): SiegeReport['counts'] {
  const counts: SiegeReport['counts'] = { writes: 0, attempts: 0, accepted: 0, refused: 0, undecided: 0, unknown: 0, ownReads: 0, pushes: 0, sockets: 0 };
  for (const { outcomes, attempts = outcomes.length } of entries) {
    counts.writes += 1;
    counts.attempts += attempts;
    for (const { is } of outcomes.slice(0, attempts)) counts[is] += 1;
  }
  counts.ownReads = reads.length;
  counts.pushes = observers.reduce((sum, { observed }) => sum + observed.told.length, 0);
  counts.sockets = observers.reduce((sum, { caughtUp }) => sum + caughtUp.count, 0);
  return counts;
}
