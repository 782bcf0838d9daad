import type { Follower, Signal } from '../port.ts';
import type { EventRecord } from '../record.ts';
import type { Cluster } from './cluster.ts';
import type { Fetcher, Tail } from './fetcher.ts';
import { KafkaError } from './options.ts';
import type { Entry } from './reader.ts';
import type { EventCodec } from './records.ts';

// The node's own reading of the events, all partitions, from where the follower says. What it reads it also hands to the sequencers of this node, so that a
// record is fetched and parsed once.

export interface FollowingParts {
  cluster: Cluster;
  topic: string;
  partitions: number;
  base: number;
  fetcher: Fetcher;
  codec: EventCodec;
  feed(partition: number, entries: readonly Entry<EventRecord>[], start: number, end: number): void;
  fail(error: unknown): void;
}

/** Pause before the follower is asked once more where to start. */
const retryMs = 200;

export class Following {
  readonly #parts: FollowingParts;
  readonly #answeredAt: number[];
  /** Where each partition was last started, while nothing has come: to be told twice that it is gone means that the store needs what is no longer there. */
  readonly #goneAt: (number | undefined)[];
  readonly #tails = new Set<Tail>();
  #follower: Follower | undefined;
  #isStopped = false;

  constructor(parts: FollowingParts) {
    this.#parts = parts;
    this.#answeredAt = Array.from({ length: parts.partitions }, () => Number.NEGATIVE_INFINITY);
    this.#goneAt = Array.from({ length: parts.partitions }, () => undefined);
  }

  async begin(follower: Follower): Promise<void> {
    if (this.#follower !== undefined) throw new Error('A journal is followed once.');
    this.#follower = follower;
    await Promise.all(Array.from({ length: this.#parts.partitions }, (_, partition) => this.#start(partition)));
  }

  signal(signal: Signal): void {
    if (!this.#isStopped) this.#follower?.signal(signal);
  }

  ageMs(partition: number): number {
    return performance.now() - this.#answeredAt[partition]!;
  }

  async #start(partition: number): Promise<void> {
    const { cluster, base, fetcher } = this.#parts;
    while (!this.#isStopped) {
      try {
        const position = await this.#follower!.start(partition);
        if (this.#isStopped) return;
        const tail = this.#tail(partition, Math.max(position, base));
        this.#tails.add(tail);
        fetcher.add(tail);
        return;
      } catch (error) {
        cluster.warn(`Where to follow partition ${partition} from could not be learnt`, error);
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }

  #tail(partition: number, position: number): Tail {
    const { topic, base, codec, feed, fail } = this.#parts;
    let start = position;
    const tail: Tail = {
      topic,
      partition,
      next: position - base,
      isPaused: () => false,
      answered: () => {
        this.#answeredAt[partition] = performance.now();
        this.#goneAt[partition] = undefined;
      },
      take: (messages, end) => {
        const entries = messages.map((message) => ({ position: message.offset + base, value: codec.decode(message), bytes: message.value?.length ?? 0 }));
        feed(partition, entries, start, end + base);
        start = end + base;
        for (const entry of entries) this.#follower!.record(partition, entry.position, entry.value);
      },
      gone: (first) => {
        this.#drop(tail);
        if (this.#goneAt[partition] === position) {
          fail(new KafkaError(`The Kafka topic ${topic} no longer holds position ${position} of partition ${partition}, which the store needs next.`));
          return;
        }
        this.#goneAt[partition] = position;
        this.#parts.cluster.warn(`Position ${position} of partition ${partition} is gone, ${first + base} is the first: following starts over`);
        this.#follower!.lost(partition);
        void this.#start(partition);
      },
      ahead: (end) =>
        fail(
          new KafkaError(
            `The Kafka topic ${topic} ends at position ${end + base} of partition ${partition}, before ${tail.next + base}, up to which it was read: records are lost, and nothing is decided until an operator has looked, and raised the journal base.`,
          ),
        ),
    };
    return tail;
  }

  #drop(tail: Tail): void {
    this.#tails.delete(tail);
    this.#parts.fetcher.remove(tail);
  }

  /** Gives nothing more to the follower. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    for (const tail of [...this.#tails]) this.#drop(tail);
  }

  /** Tells the follower that nothing more will come. */
  lost(): void {
    if (this.#follower !== undefined) for (let partition = 0; partition < this.#parts.partitions; partition++) this.#follower.lost(partition);
  }
}
