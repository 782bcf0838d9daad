import type { Command } from '../../packages/server/src/journal/command.ts';
import { type Follower, type Journal, type PartitionLog, PositionGone, partitionOf, type Signal } from '../../packages/server/src/journal/port.ts';
import type { EventRecord } from '../../packages/server/src/journal/record.ts';
import type { Replicas } from './store.ts';
import type { Process, World } from './world.ts';

// A journal that does everything the port allows: an append is lost, lands late, lands twice, or lands though it rejects; its beginning is dropped as
// far as the store's position row goes, under whoever still reads there. It decides who decides by chance: nobody, one node or all at once.

const generation = 'simulated';

class Topic<T> {
  readonly entries: T[] = [];
  /** Positions before are dropped. */
  first = 0;
  readonly #waiting = new Set<() => void>();

  append(entry: T): number {
    this.entries.push(entry);
    for (const wake of [...this.#waiting]) wake();
    return this.entries.length - 1;
  }

  /** Calls `wake` at every append until it is told to stop. */
  watch(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => void this.#waiting.delete(wake);
  }
}

/** What the brokers hold, whoever lives. */
export class Topics {
  readonly partitions: { commands: Topic<Command>; events: Topic<EventRecord> }[];
  readonly #world: World;
  readonly #replicas: Replicas;
  /** Told of every record as it lands. */
  readonly #onEvent: (partition: number, position: number, record: EventRecord) => void;
  /** Appends under way. */
  underWay = 0;

  constructor(world: World, replicas: Replicas, count: number, onEvent: (partition: number, position: number, record: EventRecord) => void) {
    this.#world = world;
    this.#replicas = replicas;
    this.#onEvent = onEvent;
    this.partitions = Array.from({ length: count }, () => ({ commands: new Topic<Command>(), events: new Topic<EventRecord>() }));
  }

  partitionOf(key: string): number {
    return partitionOf(key, this.partitions.length);
  }

  /** Drops what the store has, as retention does. */
  truncate(partition: number): void {
    const { commands, events } = this.partitions[partition]!;
    const row = this.#replicas.position(partition);
    events.first = Math.max(events.first, row.position + 1);
    commands.first = Math.max(commands.first, row.lastCommand + 1);
    this.#world.say(() => `journal ${partition} is cut to event ${events.first}, command ${commands.first}`);
  }

  /** Appends from a process: lands never, once or twice, and is answered or not. */
  append(process: Process, land: () => void): Promise<void> {
    const world = this.#world;
    const { random, faults } = world;
    const landLater = () => {
      this.underWay += 1;
      world.after(world.delay(), undefined, () => {
        this.underWay -= 1;
        land();
        if (random.chance(world.faults.crashAtStep)) process.crash();
      });
    };
    return world.promise(process, (resolve, reject) => {
      if (random.chance(faults.appendLost)) return reject(new Error('the append was lost'));
      if (random.chance(faults.appendTwice)) landLater();
      if (random.chance(faults.answerLost)) {
        landLater();
        return reject(new Error('the append was not answered'));
      }
      world.after(world.delay(), undefined, () => {
        land();
        if (random.chance(world.faults.crashAtStep)) process.crash();
        resolve();
      });
    });
  }

  appendEvent(process: Process, partition: number, record: EventRecord): Promise<void> {
    const bytes = JSON.stringify(record);
    return this.append(process, () => {
      const copy = JSON.parse(bytes) as EventRecord;
      const position = this.partitions[partition]!.events.append(copy);
      this.#onEvent(partition, position, copy);
    });
  }

  appendCommand(process: Process, command: Command): Promise<void> {
    const bytes = JSON.stringify(command);
    return this.append(process, () => {
      this.partitions[this.partitionOf(command.key)]!.commands.append(JSON.parse(bytes) as Command);
    });
  }
}

type Handler = (log: PartitionLog, signal: AbortSignal) => Promise<void>;

const restartPauseMs = 30;

/** The journal as one process reaches it. */
export class SimulatedJournal implements Journal {
  readonly partitions: number;
  /** Sequencers of this node that run now, those that are finishing too. */
  deciding = 0;
  readonly #world: World;
  readonly #topics: Topics;
  readonly #process: Process;
  readonly #peers: () => Iterable<SimulatedJournal>;
  readonly #assigned = new Map<number, AbortController>();
  readonly #queues: { command: Command; resolve: () => void; reject: (error: unknown) => void }[][];
  readonly #isSending: boolean[];
  #handler: Handler | undefined;
  #follower: Follower | undefined;

  constructor(world: World, topics: Topics, process: Process, peers: () => Iterable<SimulatedJournal>) {
    this.#world = world;
    this.#topics = topics;
    this.#process = process;
    this.#peers = peers;
    this.partitions = topics.partitions.length;
    this.#queues = topics.partitions.map(() => []);
    this.#isSending = topics.partitions.map(() => false);
  }

  /** One append of a partition's commands is under way at any time, so that one sender's keep their order. */
  submit(command: Command): Promise<void> {
    const partition = this.#topics.partitionOf(command.key);
    return new Promise((resolve, reject) => {
      this.#queues[partition]!.push({ command, resolve, reject });
      if (!this.#isSending[partition]) void this.#send(partition);
    });
  }

  async #send(partition: number): Promise<void> {
    this.#isSending[partition] = true;
    for (let next = this.#queues[partition]!.shift(); next !== undefined; next = this.#queues[partition]!.shift()) {
      await this.#topics.appendCommand(this.#process, next.command).then(next.resolve, next.reject);
    }
    this.#isSending[partition] = false;
  }

  // ── deciding ──

  decide(handler: Handler): void {
    this.#handler = handler;
  }

  isDeciding(partition: number): boolean {
    return this.#assigned.has(partition);
  }

  /** From now on this node decides the partition, until `release`. */
  assign(partition: number): void {
    if (this.#assigned.has(partition)) return;
    const controller = new AbortController();
    this.#assigned.set(partition, controller);
    this.#world.after(0, this.#process, () => void this.#decideUntil(partition, controller.signal));
  }

  release(partition: number): void {
    this.#assigned.get(partition)?.abort();
    this.#assigned.delete(partition);
  }

  async #decideUntil(partition: number, signal: AbortSignal): Promise<void> {
    const { name } = this.#process;
    while (!signal.aborted) {
      this.deciding += 1;
      this.#world.say(() => `${name} decides ${partition}`);
      try {
        await this.#handler!(this.#log(partition, signal), signal);
        this.#world.say(() => `${name} no longer decides ${partition}`);
      } catch (error) {
        this.#world.say(() => `${name} fails deciding ${partition}: ${(error as Error).message}`);
        if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError) this.#world.fail(error);
      }
      this.deciding -= 1;
      if (!signal.aborted) await this.#world.promise<void>(this.#process, (resolve) => resolve(undefined, restartPauseMs));
    }
  }

  #log(partition: number, signal: AbortSignal): PartitionLog {
    const { commands, events } = this.#topics.partitions[partition]!;
    return {
      partition,
      generation,
      base: 0,
      commands: async (from, max) => (await this.#read(commands, from, max, signal)).map((command, index) => ({ position: from + index, command })),
      events: async (from) => (await this.#read(events, from, 1 + this.#world.random.below(6))).map((record, index) => ({ position: from + index, record })),
      eventsEnd: () =>
        this.#world.promise(this.#process, (resolve) => void this.#world.after(this.#world.delay(), undefined, () => resolve(events.entries.length))),
      append: (record) => this.#topics.appendEvent(this.#process, partition, record),
    };
  }

  /** Entries from a position on, once there are some. */
  #read<T>(topic: Topic<T>, from: number, max: number, signal?: AbortSignal): Promise<T[]> {
    return this.#world.promise(this.#process, (resolve, reject) => {
      let stop: (() => void) | undefined;
      const look = () => {
        const isAborted = signal?.aborted === true && from >= topic.entries.length;
        if (from >= topic.first && from >= topic.entries.length && !isAborted) {
          stop ??= watchBoth(topic, signal, look);
          return;
        }
        stop?.();
        if (isAborted) reject(new DOMException('no longer deciding', 'AbortError'));
        else if (from < topic.first) reject(new PositionGone(`position ${from} is before ${topic.first}`));
        else resolve(topic.entries.slice(from, from + max));
      };
      this.#world.after(this.#world.delay(), undefined, look);
    });
  }

  // ── following ──

  async follow(follower: Follower): Promise<void> {
    this.#follower = follower;
    await Promise.all(this.#topics.partitions.map((_, partition) => this.#followFrom(partition, follower)));
  }

  /** Whether everything that landed has been given to the follower. */
  readonly #given = new Map<number, number>();

  isFollowing(partition: number): boolean {
    return this.#given.get(partition) === this.#topics.partitions[partition]!.events.entries.length;
  }

  async #followFrom(partition: number, follower: Follower): Promise<void> {
    while (true) {
      try {
        this.#given.set(partition, await follower.start(partition));
        void this.#give(partition, follower);
        return;
      } catch {
        await this.#world.promise<void>(this.#process, (resolve) => resolve(undefined, restartPauseMs));
      }
    }
  }

  async #give(partition: number, follower: Follower): Promise<void> {
    const world = this.#world;
    const { events } = this.#topics.partitions[partition]!;
    try {
      while (true) {
        const from = this.#given.get(partition)!;
        const records = await this.#read(events, from, 1 + world.random.below(6));
        // A consumer that lost its connection, and with it what it had fetched.
        if (world.random.chance(world.faults.connectionCut / 2)) throw new PositionGone('the fetched records are lost');
        for (const [index, record] of records.entries()) follower.record(partition, from + index, record);
        this.#given.set(partition, from + records.length);
      }
    } catch (error) {
      if (!(error instanceof PositionGone)) return world.fail(error);
      world.say(() => `${this.#process.name} lost ${partition}: ${error.message}`);
      follower.lost(partition);
      await this.#followFrom(partition, follower);
    }
  }

  signal(signal: Signal): void {
    for (const peer of this.#peers()) {
      if (!this.#world.random.chance(this.#world.faults.appendLost))
        this.#world.after(this.#world.delay(), peer.#process, () => peer.#follower?.signal(signal));
    }
  }

  ageMs(): number {
    return 0;
  }

  clockAheadMs(): number {
    return 0;
  }

  async close(): Promise<void> {
    for (const partition of [...this.#assigned.keys()]) this.release(partition);
  }
}

function watchBoth<T>(topic: Topic<T>, signal: AbortSignal | undefined, look: () => void): () => void {
  const stop = topic.watch(look);
  signal?.addEventListener('abort', look);
  return () => {
    stop();
    signal?.removeEventListener('abort', look);
  };
}
