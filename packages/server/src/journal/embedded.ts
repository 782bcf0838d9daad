import type { PositionRow } from '../store/port.ts';
import type { Command } from './command.ts';
import { type Follower, type Journal, type PartitionLog, PositionGone, type Signal } from './port.ts';
import type { EventRecord } from './record.ts';

// The journal in the process: one partition, nothing on disk. What makes it durable is the store: the batch's transaction, which is committed before
// the applied record is appended. So followers here are given a decided record only together with the applied record that covers it: one that never was
// applied did not happen.
//
// It opens at the store's position row. When deciding fails (the disk did not take a commit), everything not applied is dropped, commands
// too, followers are told `lost`, and it opens again at the row.

/** What the position rows written here name as their journal. There is only ever one. */
export const embeddedGeneration = 'embedded';

const restartPauseMs = 200;

export class EmbeddedJournal implements Journal {
  readonly partitions = 1;
  readonly #openAt: () => Promise<PositionRow>;
  readonly #onFailure: (error: unknown) => void;
  #commands = new Log<Command>(0);
  #events = new Log<EventRecord>(0);
  #follower: Follower | undefined;
  /** Position of the next record to give to the follower. */
  #given = 0;
  #abort = new AbortController();
  #deciding: Promise<void> | undefined;
  #isOpen = false;

  /** `openAt` reads the store's position row. `onFailure` hears why deciding was started again. */
  constructor(openAt: () => Promise<PositionRow>, onFailure: (error: unknown) => void) {
    this.#openAt = openAt;
    this.#onFailure = onFailure;
  }

  async submit(command: Command): Promise<void> {
    if (!this.#isOpen) throw new Error('The journal is not open.');
    this.#commands.append(command);
  }

  decide(handler: (log: PartitionLog, signal: AbortSignal) => Promise<void>): void {
    this.#deciding = this.#decideForever(handler);
  }

  async #decideForever(handler: (log: PartitionLog, signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#open();
        await handler(this.#partitionLog(this.#commands, this.#events), signal);
      } catch (error) {
        this.#close();
        this.#onFailure(error);
        this.#follower?.lost(0);
        await new Promise((resolve) => setTimeout(resolve, restartPauseMs));
      }
    }
    this.#close();
  }

  async #open(): Promise<void> {
    const row = await this.#openAt();
    this.#commands = new Log(row.lastCommand + 1);
    this.#events = new Log(row.position + 1);
    if (this.#follower !== undefined) this.#given = await this.#follower.start(0);
    this.#isOpen = true;
  }

  #close(): void {
    this.#isOpen = false;
    this.#commands.close();
    this.#events.close();
  }

  #partitionLog(commands: Log<Command>, events: Log<EventRecord>): PartitionLog {
    return {
      partition: 0,
      generation: embeddedGeneration,
      base: 0,
      commands: async (from, max) => (await commands.read(from, max, this.#abort.signal)).map((command, index) => ({ position: from + index, command })),
      events: async (from) => (await events.read(from, Number.POSITIVE_INFINITY)).map((record, index) => ({ position: from + index, record })),
      eventsEnd: async () => events.end,
      append: async (record) => {
        events.append(record);
        if (record.type === 'applied') this.#give(record.upto);
      },
    };
  }

  /** Hands the follower everything up to the applied record just appended, and forgets what nobody needs any more. */
  #give(appliedUpto: number): void {
    let lastCommand = -1;
    for (let position = this.#events.first; position < this.#events.end; position++) {
      const record = this.#events.at(position);
      if (record.type === 'decided' && position <= appliedUpto) lastCommand = record.upto;
      if (position < this.#given) continue;
      this.#follower?.record(0, position, record);
      this.#given = position + 1;
    }
    this.#events.forget(appliedUpto);
    this.#commands.forget(lastCommand);
  }

  async follow(follower: Follower): Promise<void> {
    this.#given = await follower.start(0);
    this.#follower = follower;
  }

  signal(signal: Signal): void {
    this.#follower?.signal(signal);
  }

  ageMs(): number {
    return 0;
  }

  clockAheadMs(): number {
    return 0;
  }

  async close(): Promise<void> {
    this.#abort.abort();
    this.#commands.wake();
    await this.#deciding;
  }
}

/** Entries by position, from `first` on, for readers that wait. */
class Log<T> {
  #first: number;
  #entries: T[] = [];
  /** Entries at the front that are forgotten but not yet cut off: cutting each one singly would move all the others each time. */
  #forgotten = 0;
  #waiting: (() => void)[] = [];
  #isClosed = false;

  constructor(first: number) {
    this.#first = first;
  }

  get first(): number {
    return this.#first + this.#forgotten;
  }

  get end(): number {
    return this.#first + this.#entries.length;
  }

  at(position: number): T {
    return this.#entries[position - this.#first]!;
  }

  append(entry: T): void {
    if (this.#isClosed) throw new Error('This log is closed.');
    this.#entries.push(entry);
    this.wake();
  }

  /** Entries from `from` on, at least one. */
  async read(from: number, max: number, signal?: AbortSignal): Promise<T[]> {
    if (from < this.first) throw new PositionGone(`Position ${from} is before ${this.first}, the first there is.`);
    while (from >= this.end) {
      if (this.#isClosed || signal?.aborted) throw new DOMException('The log is closing.', 'AbortError');
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#entries.slice(from - this.#first, from - this.#first + max);
  }

  /** Entries up to and with `position` are not needed any more. */
  forget(position: number): void {
    this.#forgotten = Math.max(this.#forgotten, position + 1 - this.#first);
    if (this.#forgotten < 1024) return;
    this.#entries.splice(0, this.#forgotten);
    this.#first += this.#forgotten;
    this.#forgotten = 0;
  }

  close(): void {
    this.#isClosed = true;
    this.wake();
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}
