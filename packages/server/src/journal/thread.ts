import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { Mark } from '../store/port.ts';
import type { Command } from './command.ts';
import type { Follower, Journal, Signal } from './port.ts';
import type { EventRecord } from './record.ts';

// The embedded journal across two threads: people's sockets on the node's thread; deciding, the journal itself and SQLite on the writer's.
// What crosses is one string of JSON per batch, which costs about what a structured clone of the same objects does (measured: 2.4 against 1.9 to
// 2.6 µs a command) and is what a journal on a network needs too. Batches grow with the load by themselves. Read marks cross too, since the writer's thread has the only connection that writes.

interface MarkOrder {
  conversation: string;
  userId: string;
  mark: Mark;
}

/** What the sequencer told its observer on the writer's thread, to be told again on the node's. */
export type Observation = ['deciding', isDeciding: boolean] | ['decided', commands: number, elapsedMs: number] | ['lostRace'] | ['applied', elapsedMs: number];

type ToWriter = { type: 'follow' } | { type: 'commands'; commands: Command[] } | { type: 'mark'; id: number; order: MarkOrder } | { type: 'close' };
type ToNode =
  | { type: 'start' }
  | { type: 'records'; records: [position: number, record: EventRecord][] }
  | { type: 'lost' }
  | { type: 'marked'; id: number; error?: string }
  | { type: 'failure'; message: string }
  | { type: 'observed'; observations: Observation[] }
  | { type: 'closed' };

/** The node's end: a `Journal` whose deciding happens at the other end of `port`. */
export class ThreadJournal implements Journal {
  readonly partitions = 1;
  readonly #port: MessagePort;
  readonly #onFailure: (message: string) => void;
  readonly #onObserved: (observations: Observation[]) => void;
  #follower: Follower | undefined;
  #commands: Command[] = [];
  /** Commands the writer has and has not decided yet. */
  #inHand = 0;
  #isFlushing = false;
  /** Messages that came while the follower was finding its start, and how many times it is doing so. */
  #held: Extract<ToNode, { type: 'records' | 'lost' }>[] = [];
  #starting = 0;
  #start = 0;
  #started: ((value: undefined) => void) | undefined;
  readonly #marks = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  #markCount = 0;
  #closed: (() => void) | undefined;
  #isOpen = true;

  /** `onFailure` hears why the writer had to start again, `onObserved` how its sequencer's work goes. */
  constructor(port: MessagePort, onFailure: (message: string) => void, onObserved: (observations: Observation[]) => void = () => undefined) {
    this.#port = port;
    this.#onFailure = onFailure;
    this.#onObserved = onObserved;
    port.on('message', (text: string) => this.#receive(JSON.parse(text) as ToNode));
  }

  async submit(command: Command): Promise<void> {
    if (!this.#isOpen) throw new Error('The journal is closed.');
    this.#commands.push(command);
    this.#flushSoon();
  }

  /** After this turn of the loop: what else came with it belongs into the batch. */
  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(this.#flush);
  }

  // A batch waits until it is as large as what the writer has in hand: with many writers two halves take turns, each with one commit, instead of many small ones.
  #flush = (): void => {
    this.#isFlushing = false;
    if (this.#commands.length === 0 || this.#commands.length < this.#inHand) return;
    const commands = this.#commands;
    this.#commands = [];
    this.#inHand += commands.length;
    this.#send({ type: 'commands', commands });
  };

  #decided(records: [position: number, record: EventRecord][]): void {
    for (const [, record] of records) if (record.type === 'decided') this.#inHand = Math.max(0, this.#inHand - record.outcomes.length);
    this.#flushSoon();
  }

  decide(): void {
    throw new Error('Deciding happens on the writer’s thread.');
  }

  async follow(follower: Follower): Promise<void> {
    this.#follower = follower;
    this.#send({ type: 'follow' });
    await new Promise((resolve) => {
      this.#started = resolve;
    });
  }

  /** Moves a read mark in the writer's store; resolves when it is durable. */
  mark(order: MarkOrder): Promise<void> {
    const id = this.#markCount++;
    this.#send({ type: 'mark', id, order });
    return new Promise((resolve, reject) => this.#marks.set(id, { resolve, reject }));
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

  close(): Promise<void> {
    this.#isOpen = false;
    this.#send({ type: 'close' });
    return new Promise((resolve) => {
      this.#closed = resolve;
    });
  }

  /** The other thread has ended, by itself: nothing waiting will be answered. */
  died(): void {
    this.#isOpen = false;
    for (const { reject } of this.#marks.values()) reject(new Error('The writer’s thread has ended.'));
    this.#follower?.lost(0);
    this.#closed?.();
  }

  #send(message: ToWriter): void {
    this.#port.postMessage(JSON.stringify(message));
  }

  #receive(message: ToNode): void {
    switch (message.type) {
      case 'start':
        void this.#startFollower();
        return;
      case 'records':
        this.#decided(message.records);
        this.#deliver(message);
        return;
      case 'lost':
        this.#inHand = 0;
        this.#deliver(message);
        this.#flushSoon();
        return;
      case 'marked': {
        const waiting = this.#marks.get(message.id);
        this.#marks.delete(message.id);
        if (message.error === undefined) waiting?.resolve();
        else waiting?.reject(new Error(message.error));
        return;
      }
      case 'failure':
        this.#onFailure(message.message);
        return;
      case 'observed':
        this.#onObserved(message.observations);
        return;
      case 'closed':
        this.#closed?.();
        return;
    }
  }

  #deliver(message: Extract<ToNode, { type: 'records' | 'lost' }>): void {
    if (this.#starting > 0) this.#held.push(message);
    else if (message.type === 'lost') this.#follower?.lost(0);
    else for (const [position, record] of message.records) if (position >= this.#start) this.#follower?.record(0, position, record);
  }

  // The follower reads the position row from the store: what was applied up to there it has, and what comes with a lower position is no news.
  async #startFollower(): Promise<void> {
    this.#starting += 1;
    this.#start = await this.#follower!.start(0);
    this.#starting -= 1;
    if (this.#starting > 0) return;
    this.#started?.(undefined);
    const held = this.#held;
    this.#held = [];
    for (const message of held) this.#deliver(message);
  }
}

/** What the writer's thread is made of, for `serveThread`. */
export interface WriterParts {
  journal: Journal;
  mark(order: MarkOrder): Promise<void>;
  /** Closes the store. */
  close(): Promise<void>;
}

/** Tells the node why the writer had to start again. */
export const reportFailure = (port: MessagePort, error: unknown): void => post(port, { type: 'failure', message: (error as Error).message });

/** Tells the node what a sequencer's observer was told. */
export const reportObservations = (port: MessagePort, observations: Observation[]): void => post(port, { type: 'observed', observations });

const post = (port: MessagePort, message: ToNode): void => port.postMessage(JSON.stringify(message));

/** The writer's end: feeds the journal what comes from the node, and the node what is applied; closes when the node says so. */
export function serveThread(port: MessagePort, parts: WriterParts): void {
  let records: [number, EventRecord][] = [];
  const follower: Follower = {
    start: async () => {
      post(port, { type: 'start' });
      return 0;
    },
    record: (_partition, position, record) => {
      records.push([position, record]);
      if (record.type !== 'applied') return;
      post(port, { type: 'records', records });
      records = [];
    },
    lost: () => {
      records = [];
      post(port, { type: 'lost' });
    },
    signal: () => undefined,
  };
  const close = async () => {
    await parts.journal.close();
    await parts.close();
    post(port, { type: 'closed' });
  };
  const receive = (text: string): void => {
    const message = JSON.parse(text) as ToWriter;
    switch (message.type) {
      case 'follow':
        void parts.journal.follow(follower);
        return;
      case 'commands':
        for (const command of message.commands) parts.journal.submit(command).catch(() => post(port, { type: 'lost' }));
        return;
      case 'mark':
        parts.mark(message.order).then(
          () => post(port, { type: 'marked', id: message.id }),
          (error: Error) => post(port, { type: 'marked', id: message.id, error: error.message }),
        );
        return;
      case 'close':
        void close();
    }
  };
  port.on('message', (text: string) => {
    receive(text);
    // Everything that came while the last batch was committed belongs into the next one.
    for (let more = receiveMessageOnPort(port); more !== undefined; more = receiveMessageOnPort(port)) receive(more.message as string);
  });
}
