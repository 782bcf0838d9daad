import { Random } from './random.ts';

// Time, chance and everything that is going to happen. Nothing in a simulation happens but by `run` taking the earliest thing from here, and
// only the seed says how long a thing takes. Where the code under test waits for something, its promise is settled as such a thing of
// its own, and all it does about it is done before the next: so what belongs to which process is known, and every order can be met.

const realImmediate = setImmediate;
const realTick = process.nextTick;
const realPerformance = performance;

/** Milliseconds of real time, for what measures the simulation itself. */
export const realNow = (): number => realPerformance.now();

/** A promise was broken: what the judge found. Everything else that is thrown is a fault of the simulation or of the code under test. */
export class Violation extends Error {}

/** What runs the code under test: a node or a client from its start to its crash. Nothing happens to a dead one; to a paused one when it wakes. */
export class Process {
  readonly name: string;
  isAlive = true;
  pausedUntil = 0;
  readonly #onCrash: () => void;

  constructor(name: string, onCrash: () => void) {
    this.name = name;
    this.#onCrash = onCrash;
  }

  crash(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#onCrash();
  }
}

interface Thing {
  at: number;
  order: number;
  process: Process | undefined;
  run: (() => void) | undefined;
}

/** How likely things go wrong, drawn once for each seed, so that each seed is bad at something else. */
export interface Faults {
  /** Milliseconds most things take at most. */
  delayMs: number;
  /** Chance that a thing takes a hundred times as long. */
  slow: number;
  /** An append is lost, lands twice, lands though it rejects. */
  appendLost: number;
  appendTwice: number;
  answerLost: number;
  storeFails: number;
  replicaMisses: number;
  connectionCut: number;
  /** Mean time between two of: crash, pause, change of who decides, truncation. */
  chaosMs: number;
  crashAtStep: number;
}

const none: Faults = {
  delayMs: 1,
  slow: 0,
  appendLost: 0,
  appendTwice: 0,
  answerLost: 0,
  storeFails: 0,
  replicaMisses: 0,
  connectionCut: 0,
  chaosMs: 0,
  crashAtStep: 0,
};

export class World {
  readonly random: Random;
  readonly isTraced: boolean;
  readonly trace: string[] = [];
  faults: Faults;
  now = 0;
  steps = 0;
  /** A fingerprint of everything that happened. */
  hash = 0;
  /** Whose code runs just now. */
  current: Process | undefined;
  #heap: Thing[] = [];
  #order = 0;
  #failure: unknown;

  constructor(seed: number, isTraced: boolean) {
    this.random = new Random(seed);
    this.isTraced = isTraced;
    const { random } = this;
    const some = (most: number) => (random.chance(0.5) ? random.next() * most : 0);
    this.faults = {
      delayMs: random.pick([1, 3, 8]),
      slow: random.pick([0, 0.01, 0.04]),
      appendLost: some(0.12),
      appendTwice: some(0.12),
      answerLost: some(0.15),
      storeFails: some(0.04),
      replicaMisses: some(0.15),
      connectionCut: some(0.01),
      chaosMs: random.pick([60, 120, 300]),
      crashAtStep: some(0.01),
    };
  }

  /** From now on nothing goes wrong any more, but for crashes when they are asked for. What is already under way is not undone. */
  heal(crashAtStep = 0): void {
    this.faults = { ...none, crashAtStep };
  }

  say(text: () => string): void {
    if (this.isTraced) this.trace.push(`${this.now.toFixed(1).padStart(8)}  ${text()}`);
  }

  /** How long the next thing takes, ms. */
  delay(): number {
    const { delayMs, slow } = this.faults;
    const ms = this.random.next() * delayMs;
    return slow > 0 && this.random.chance(slow) ? ms * 100 : ms;
  }

  /** `run` happens after `ms`. With a process: if that is alive then, and not while it is paused. */
  after(ms: number, process: Process | undefined, run: () => void): Thing {
    const thing: Thing = { at: this.now + ms, order: this.#order++, process, run };
    this.#push(thing);
    return thing;
  }

  /** A promise for a process: `start` is given what settles it, which takes effect when `after` says. */
  promise<T>(process: Process, start: (resolve: (value: T, ms?: number) => void, reject: (error: Error, ms?: number) => void) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      start(
        (value, ms = this.delay()) => void this.after(ms, process, () => resolve(value)),
        (error, ms = this.delay()) => void this.after(ms, process, () => reject(error)),
      );
    });
  }

  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /** Lets things happen until the condition holds. False when it did not before `untilMs`. */
  async run(untilMs: number, condition: () => boolean = () => false): Promise<boolean> {
    while (true) {
      const thing = this.#pop();
      if (thing === undefined || thing.at > untilMs) {
        if (thing !== undefined) this.#push(thing);
        this.now = Math.max(this.now, untilMs);
        return condition();
      }
      this.now = Math.max(this.now, thing.at);
      const { process, run } = thing;
      if (run === undefined || process?.isAlive === false) continue;
      if (process !== undefined && process.pausedUntil > this.now) {
        // Things of a paused process keep their order: all of them happen when it wakes.
        this.after(process.pausedUntil - this.now, process, run);
        continue;
      }
      this.steps += 1;
      this.hash = Math.imul(this.hash ^ this.random.state ^ (this.now * 1000), 0x01000193);
      this.current = process;
      run();
      // A tick comes after all microtasks, and costs a fourth of an immediate; only those let rejections that nobody handles be reported.
      if (process !== undefined) await new Promise((resolve) => void (this.steps % 64 === 0 ? realImmediate(resolve) : realTick(resolve)));
      if (this.#failure !== undefined) throw this.#failure;
      if (condition()) return true;
    }
  }

  /** Puts simulated timers in the place of the real ones. Returns how to end that. */
  takeOverTimers(): () => void {
    const { setTimeout, clearTimeout } = globalThis;
    Object.assign(globalThis, {
      setTimeout: (task: () => void, ms = 0) => this.after(ms, this.current, task),
      clearTimeout: (timer: Thing | undefined) => {
        if (timer !== undefined) timer.run = undefined;
      },
    });
    Object.defineProperty(globalThis, 'performance', { value: { now: () => this.now }, configurable: true, writable: true });
    const unhandled = (error: unknown) => this.fail(error);
    process.on('unhandledRejection', unhandled);
    return () => {
      process.off('unhandledRejection', unhandled);
      Object.assign(globalThis, { setTimeout, clearTimeout });
      Object.defineProperty(globalThis, 'performance', { value: realPerformance, configurable: true, writable: true });
    };
  }

  // A binary heap by time, then by the order of asking.

  #push(thing: Thing): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(thing);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(thing, heap[parent]!)) break;
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = thing;
  }

  #pop(): Thing | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let index = 0;
    while (true) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return top;
  }
}

const isBefore = (a: Thing, b: Thing): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);
