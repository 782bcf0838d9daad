import { fetchV13, type RecordsBatch } from '@platformatic/kafka';
import { type Cluster, type Lane, reasonOf } from './cluster.ts';
import { code } from './codes.ts';
import { endOffset, startOffset } from './offsets.ts';

// Reads partitions onwards, for ever: one long poll per broker for all the partitions it leads. It knows no group and commits nothing: where to read is the
// reader's affair, and an offset never moves by itself.

/** One message of a partition. */
export interface Message {
  offset: number;
  key: Buffer | null;
  value: Buffer | null;
}

/** One partition being read. */
export interface Tail {
  readonly topic: string;
  readonly partition: number;
  /** The offset to read next. */
  next: number;
  /** Whether nothing more is wanted just now. `wake` says that this has changed. */
  isPaused(): boolean;
  /** Takes messages in order, all at or after `next`; `end` is what to read after them. */
  take(messages: Message[], end: number): void;
  /** What to read next is no longer kept: the log starts at `start`. */
  gone(start: number): void;
  /** The log ends at `end`, before what to read next: what was there is lost. */
  ahead(end: number): void;
  /** The broker answered about this partition. */
  answered?(): void;
}

const bytesMax = 32 * 1024 * 1024;
const partitionBytesMax = 1024 * 1024;
/** Pause after a failure, so that a broker that is gone is not asked in a circle. */
const pauseMs = 100;
/** A log that ends before the position is looked at so many times before that is believed: right after a change of leaders it may lag. */
const aheadTries = 20;

export class Fetcher {
  readonly #cluster: Cluster;
  readonly #lane: Lane;
  /** How long a broker waits for something new: it bounds how soon a new tail is asked for, and how old an idle partition's last answer gets. */
  readonly #maxWaitMs: number;
  readonly #onFault: (error: unknown) => void;
  readonly #tails = new Map<string, Tail>();
  readonly #loops = new Map<number, { wake: () => void; ended: Promise<void> }>();
  readonly #checking = new Set<Tail>();
  readonly #aheadSeen = new WeakMap<Tail, number>();
  #turn = 0;
  #isClosed = false;

  /** `onFault` hears of what a tail threw: a defect, or a message that nobody here wrote. */
  constructor(cluster: Cluster, lane: Lane, maxWaitMs: number, onFault: (error: unknown) => void) {
    this.#cluster = cluster;
    this.#lane = lane;
    this.#maxWaitMs = maxWaitMs;
    this.#onFault = onFault;
    cluster.onRefresh(() => this.wake());
  }

  add(tail: Tail): void {
    this.#tails.set(`${tail.topic} ${tail.partition}`, tail);
    this.wake();
  }

  remove(tail: Tail): void {
    const key = `${tail.topic} ${tail.partition}`;
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }

  has(tail: Tail): boolean {
    return this.#tails.get(`${tail.topic} ${tail.partition}`) === tail;
  }

  wake(): void {
    if (this.#isClosed) return;
    for (const broker of this.#cluster.brokers) {
      const loop = this.#loops.get(broker);
      if (loop !== undefined) loop.wake();
      else this.#start(broker);
    }
  }

  #start(broker: number): void {
    let wake: () => void = () => undefined;
    let isAwake = true;
    const wait = () =>
      new Promise<void>((resolve) => {
        if (isAwake) resolve();
        else wake = resolve;
      });
    const run = async (): Promise<void> => {
      while (!this.#isClosed) {
        isAwake = false;
        const tails = this.#tailsOf(broker);
        if (tails.length === 0) await wait();
        else if (!(await this.#poll(broker, tails))) {
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
          await this.#cluster.refresh();
        }
      }
    };
    const loop = {
      wake: () => {
        isAwake = true;
        wake();
      },
      ended: Promise.resolve(),
    };
    this.#loops.set(broker, loop);
    loop.ended = run();
  }

  /** Those to ask this broker for, each time beginning with another: the first with something to read may get the most. */
  #tailsOf(broker: number): Tail[] {
    const tails = [...this.#tails.values()].filter(
      (tail) => !tail.isPaused() && !this.#checking.has(tail) && this.#cluster.leader(tail.topic, tail.partition)?.broker === broker,
    );
    const first = this.#turn++ % Math.max(1, tails.length);
    return [...tails.slice(first), ...tails.slice(0, first)];
  }

  /** Asks once. Returns whether all is well. */
  async #poll(broker: number, tails: Tail[]): Promise<boolean> {
    let answer: fetchV13.FetchResponse;
    const asked = new Map(tails.map((tail) => [tail, tail.next]));
    try {
      answer = await this.#cluster.call(this.#lane, broker, fetchV13.api, this.#maxWaitMs, 1, bytesMax, 0, 0, -1, this.#request(tails), [], '');
    } catch (error) {
      this.#cluster.warn(`Kafka broker ${broker} does not answer`, error);
      return false;
    }
    if (this.#isClosed) return true;
    let isWell = answer.errorCode === code.none;
    for (const { topicId, partitions } of answer.responses) {
      for (const { partitionIndex, errorCode, records } of partitions) {
        const tail = tails.find((one) => one.partition === partitionIndex && this.#cluster.topic(one.topic)?.id === topicId);
        // A reader that went elsewhere meanwhile must not be given what stands here.
        if (tail === undefined || !this.has(tail) || tail.next !== asked.get(tail)) continue;
        if (errorCode === code.none) this.#give(tail, records ?? []);
        else if (errorCode === code.offsetOutOfRange) void this.#outOfRange(tail);
        else isWell = false;
      }
    }
    return isWell;
  }

  #request(tails: readonly Tail[]): fetchV13.FetchRequestTopic[] {
    const topics = new Map<string, fetchV13.FetchRequestTopic>();
    for (const { topic, partition, next } of tails) {
      const topicId = this.#cluster.topic(topic)!.id;
      const asked = topics.get(topicId) ?? { topicId, partitions: [] };
      topics.set(topicId, asked);
      const currentLeaderEpoch = this.#cluster.leader(topic, partition)!.epoch;
      asked.partitions.push({ partition, currentLeaderEpoch, fetchOffset: BigInt(next), lastFetchedEpoch: -1, partitionMaxBytes: partitionBytesMax });
    }
    return [...topics.values()];
  }

  #give(tail: Tail, batches: readonly RecordsBatch[]): void {
    try {
      this.#aheadSeen.delete(tail);
      tail.answered?.();
      const messages: Message[] = [];
      let end = tail.next;
      for (const batch of batches) end = readBatch(batch, end, messages);
      if (end === tail.next) return;
      tail.next = end;
      tail.take(messages, end);
    } catch (error) {
      this.#onFault(error);
    }
  }

  /** Nothing is at what to read next: finds out on which side of the log that is. */
  async #outOfRange(tail: Tail): Promise<void> {
    this.#checking.add(tail);
    const { topic, partition, next } = tail;
    try {
      const start = await startOffset(this.#cluster, topic, partition);
      const end = await endOffset(this.#cluster, topic, partition);
      if (this.has(tail) && tail.next === next) {
        if (next < start) tail.gone(start);
        else if (next > end) this.#ahead(tail, end);
      }
    } catch (error) {
      this.#cluster.warn(`Where ${topic} ${partition} starts and ends cannot be learnt`, reasonOf(error));
    }
    setTimeout(() => {
      this.#checking.delete(tail);
      this.wake();
    }, pauseMs);
  }

  #ahead(tail: Tail, end: number): void {
    const seen = (this.#aheadSeen.get(tail) ?? 0) + 1;
    this.#aheadSeen.set(tail, seen);
    if (seen >= aheadTries) tail.ahead(end);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const loop of this.#loops.values()) loop.wake();
    await Promise.all([...this.#loops.values()].map((loop) => loop.ended));
  }
}

const isControl = 0b100000;

/** Adds the messages of a batch from `from` on; returns what to read next. A batch may begin before what was asked for, and leave offsets out. */
export function readBatch(batch: Pick<RecordsBatch, 'firstOffset' | 'lastOffsetDelta' | 'attributes' | 'records'>, from: number, messages: Message[]): number {
  const first = Number(batch.firstOffset);
  if ((batch.attributes & isControl) === 0) {
    for (const { offsetDelta, key, value } of batch.records) {
      const offset = first + offsetDelta;
      if (offset >= from) messages.push({ offset, key, value });
    }
  }
  return Math.max(from, first + batch.lastOffsetDelta + 1);
}
