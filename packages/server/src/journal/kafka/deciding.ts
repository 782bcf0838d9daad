import type { PartitionLog } from '../port.ts';
import type { EventRecord } from '../record.ts';
import type { Cluster } from './cluster.ts';
import type { Fetcher } from './fetcher.ts';
import { endOffset } from './offsets.ts';
import type { Settings } from './options.ts';
import { type Entry, Reader } from './reader.ts';
import { commandOf, type EventCodec } from './records.ts';
import type { Sender } from './sender.ts';
import type { TopicNames } from './topics.ts';
import { pause, within } from './wait.ts';

// Runs the handler for each partition that is this node's to decide, again after a pause when it ends, until the partition is another's.

export type Handler = (log: PartitionLog, signal: AbortSignal) => Promise<void>;

export interface DecidingParts {
  cluster: Cluster;
  names: TopicNames;
  settings: Settings;
  generation: string;
  fetcher: Fetcher;
  events: Sender;
  codec: EventCodec;
}

interface Run {
  abort: AbortController;
  /** The readers of the log the handler has now. */
  readers: { commands: Reader<unknown>; events: Reader<EventRecord> } | undefined;
  ended: Promise<void>;
}

/** The first pause, doubled after each failure in a row up to the last. */
const pauseMs = { first: 200, last: 5000 };
/** A handler that ran so long did not fail at once. */
const steadyMs = 30_000;

export class Deciding {
  readonly #parts: DecidingParts;
  /** Partitions that are this node's. */
  readonly #runs = new Map<number, Run>();
  /** Those that it gives up and has not finished yet. */
  readonly #ending = new Map<number, Run>();
  #mine: ReadonlySet<number> = new Set();
  #handler: Handler | undefined;
  #ended: Error | undefined;

  constructor(parts: DecidingParts) {
    this.#parts = parts;
  }

  begin(handler: Handler): void {
    if (this.#handler !== undefined) throw new Error('A journal is decided once.');
    this.#handler = handler;
    this.assign(this.#mine);
  }

  partitions(): number[] {
    return [...this.#runs.keys()].sort((a, b) => a - b);
  }

  /** These partitions are this node's from now on, and no others. */
  assign(mine: ReadonlySet<number>): void {
    this.#mine = mine;
    if (this.#handler === undefined || this.#ended !== undefined) return;
    for (const [partition, run] of this.#runs) if (!mine.has(partition)) this.#release(partition, run);
    for (const partition of mine) {
      if (this.#runs.has(partition)) continue;
      const run: Run = { abort: new AbortController(), readers: undefined, ended: Promise.resolve() };
      this.#runs.set(partition, run);
      run.ended = this.#run(partition, run, this.#ending.get(partition)?.ended);
    }
  }

  #release(partition: number, run: Run): void {
    this.#runs.delete(partition);
    this.#ending.set(partition, run);
    run.abort.abort();
    void run.ended.then(() => {
      if (this.#ending.get(partition) === run) this.#ending.delete(partition);
    });
  }

  /** What the node's following has read of the partition's events: its sequencer need not fetch that too. */
  feed = (partition: number, entries: readonly Entry<EventRecord>[], start: number, end: number): void => {
    this.#runs.get(partition)?.readers?.events.feed(entries, start, end);
    this.#ending.get(partition)?.readers?.events.feed(entries, start, end);
  };

  async #run(partition: number, run: Run, before: Promise<void> | undefined): Promise<void> {
    await before;
    const { signal } = run.abort;
    for (let failures = 0; !signal.aborted && this.#ended === undefined; ) {
      const begunAt = performance.now();
      try {
        await this.#handler!(this.#open(partition, run), signal);
        failures = 0;
      } catch (error) {
        failures = performance.now() - begunAt > steadyMs ? 1 : failures + 1;
        const isOver = signal.aborted && (error as Error).name === 'AbortError';
        if (!isOver && this.#ended === undefined) this.#parts.cluster.warn(`Deciding partition ${partition} failed and is started again`, error);
      }
      run.readers?.commands.end(closedLog());
      run.readers?.events.end(closedLog());
      run.readers = undefined;
      await pause(Math.min(pauseMs.last, pauseMs.first * 2 ** Math.max(0, failures - 1)), signal);
    }
  }

  #open(partition: number, run: Run): PartitionLog {
    const { cluster, names, settings, generation, fetcher, events, codec } = this.#parts;
    const { base } = settings;
    const commandReader = new Reader(fetcher, names.commands, partition, base, commandOf);
    const eventReader = new Reader(fetcher, names.events, partition, base, (message) => codec.decode(message));
    run.readers = { commands: commandReader, events: eventReader };
    return {
      partition,
      generation,
      base,
      commands: async (from, max) => (await commandReader.read(from, max, run.abort.signal)).map(({ position, value }) => ({ position, command: value })),
      events: async (from) => (await eventReader.read(from, Number.POSITIVE_INFINITY)).map(({ position, value }) => ({ position, record: value })),
      eventsEnd: async () => (await endOffset(cluster, names.events, partition)) + base,
      append: async (record) => {
        const { value, key } = codec.encode(record);
        await events.send(partition, value, key);
      },
    };
  }

  /** Lets every handler finish what it has in hand, but not longer than `ms`; then whatever it waits for rejects. */
  async end(ms: number, failure: Error): Promise<void> {
    for (const [partition, run] of [...this.#runs]) this.#release(partition, run);
    const runs = [...this.#ending.values()];
    const ended = Promise.all(runs.map((run) => run.ended));
    if (ms > 0) await within(ended, ms);
    this.#ended = failure;
    for (const { readers } of runs) {
      readers?.commands.end(failure);
      readers?.events.end(failure);
    }
  }
}

const closedLog = (): Error => new Error('This log was given to a handler that has ended.');
