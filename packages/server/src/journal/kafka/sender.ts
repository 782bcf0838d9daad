import { type MessageRecord, produceV9 } from '@platformatic/kafka';
import { type Cluster, type Lane, NotSent } from './cluster.ts';
import { code, isToBeSentAgain } from './codes.ts';

// Appends to the partitions of one topic. Per broker at most one request is under way, and what comes meanwhile waits for the next, of all its partitions
// together: so batches grow with the load by themselves, nothing waits for a clock, and a partition's records keep the order of the calls.
//
//   waiting ──▶ under way ──▶ acknowledged     resolves
//      ▲            ├──────▶ refused for now  waits again, in front; until `giveUpMs` after the call, then rejects
//      └────────────┘ └────▶ not answered     rejects: the caller has to read to know
//
// Only what the broker refused is sent again here, or what never left. That keeps the order, and lands twice at worst when a leader stepped down in between.

export interface SenderOptions {
  lane: Lane;
  topic: string;
  /** -1: every replica in sync has it; 1: the leader has. */
  acks: -1 | 1;
  /** Messages waiting; more are refused. */
  queueMax: number;
  /** How long a message may wait to be taken, milliseconds. */
  giveUpMs: number;
}

interface Waiting {
  key: Buffer | undefined;
  value: Buffer;
  since: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface Batch {
  partition: number;
  entries: Waiting[];
}

/** A batch of several messages is not made larger than this. A larger message goes alone. */
const batchBytesMax = 1024 * 1024;
/** Bytes of one request: well under what brokers take (`socket.request.max.bytes`, 100 MiB). */
const requestBytesMax = 8 * 1024 * 1024;
/** How long the broker may wait for its replicas, milliseconds. */
const ackTimeoutMs = 5000;
const retryMs = 100;

export class Sender {
  readonly #cluster: Cluster;
  readonly #options: SenderOptions;
  readonly #queues = new Map<number, Waiting[]>();
  /** Partitions with a request under way: after a leader moved, its old broker's answer comes first. */
  readonly #busyPartitions = new Set<number>();
  readonly #busyBrokers = new Set<number>();
  #size = 0;
  #isPumping = false;
  #retry: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #idle: (() => void)[] = [];

  constructor(cluster: Cluster, options: SenderOptions) {
    this.#cluster = cluster;
    this.#options = options;
    cluster.onRefresh(() => this.#pumpSoon());
  }

  /** Messages waiting or under way. */
  get size(): number {
    return this.#size;
  }

  /** Appends a message; resolves when it is acknowledged. When it rejects it may or may not be there. */
  send(partition: number, value: Buffer, key?: Buffer): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#size >= this.#options.queueMax) return Promise.reject(new Error(`${this.#size} messages wait for Kafka already.`));
    this.#size += 1;
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(partition) ?? [];
      this.#queues.set(partition, queue);
      queue.push({ key, value, since: performance.now(), resolve, reject });
      this.#pumpSoon();
    });
  }

  /** After this turn of the loop: what else came with it belongs into the batch. */
  #pumpSoon(): void {
    if (this.#isPumping || this.#size === 0) return;
    this.#isPumping = true;
    setImmediate(() => {
      this.#isPumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    this.#expire();
    const byBroker = new Map<number, { batches: Batch[]; bytes: number }>();
    let isStuck = false;
    for (const [partition, queue] of this.#queues) {
      if (queue.length === 0 || this.#busyPartitions.has(partition)) continue;
      const leader = this.#cluster.leader(this.#options.topic, partition);
      if (leader === undefined) isStuck = true;
      if (leader === undefined || this.#busyBrokers.has(leader.broker)) continue;
      const request = byBroker.get(leader.broker) ?? { batches: [], bytes: 0 };
      byBroker.set(leader.broker, request);
      if (request.bytes >= requestBytesMax) continue;
      const entries = takeBatch(queue);
      request.batches.push({ partition, entries });
      for (const { value } of entries) request.bytes += value.length;
    }
    for (const [broker, { batches }] of byBroker) void this.#produce(broker, batches);
    if (isStuck) this.#retryLater();
  }

  async #produce(broker: number, batches: Batch[]): Promise<void> {
    const { lane, topic, acks } = this.#options;
    this.#busyBrokers.add(broker);
    for (const { partition } of batches) this.#busyPartitions.add(partition);
    const messages = batches.flatMap(({ partition, entries }) =>
      entries.map(({ key, value }): MessageRecord => (key === undefined ? { topic, partition, value } : { topic, partition, value, key })),
    );
    let again = false;
    try {
      const answer = await this.#cluster.call(lane, broker, produceV9.api, acks, ackTimeoutMs, messages);
      const answers = typeof answer === 'boolean' ? [] : (answer.responses[0]?.partitionResponses ?? []);
      for (const batch of batches) {
        const errorCode = answers.find((one) => one.index === batch.partition)?.errorCode;
        if (errorCode === code.none) this.#settle(batch);
        else if (errorCode !== undefined && isToBeSentAgain(errorCode)) again = this.#putBack(batch);
        else
          this.#settle(
            batch,
            new Error(`Kafka did not confirm an append to ${topic} ${batch.partition} (${errorCode === undefined ? 'no answer' : `error ${errorCode}`}).`),
          );
      }
    } catch (error) {
      if (error instanceof NotSent) for (const batch of batches) again = this.#putBack(batch);
      else for (const batch of batches) this.#settle(batch, new Error(`Kafka did not answer an append to ${topic} ${batch.partition}.`, { cause: error }));
      this.#cluster.warn(`Appending to ${topic} failed`, error);
      if (!again) void this.#cluster.refresh();
    }
    this.#busyBrokers.delete(broker);
    for (const { partition } of batches) this.#busyPartitions.delete(partition);
    if (again) this.#retryLater();
    else this.#pumpSoon();
  }

  #settle({ entries }: Batch, error?: Error): void {
    for (const entry of entries) {
      if (error === undefined) entry.resolve();
      else entry.reject(error);
    }
    this.#sized(-entries.length);
  }

  #putBack({ partition, entries }: Batch): true {
    this.#queues.get(partition)!.unshift(...entries);
    return true;
  }

  #retryLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      if (this.#size > 0) void this.#cluster.refresh(); // Which then pumps.
    }, retryMs);
  }

  #expire(): void {
    const before = performance.now() - this.#options.giveUpMs;
    for (const [partition, queue] of this.#queues) {
      if (this.#busyPartitions.has(partition) || queue[0] === undefined || queue[0].since > before) continue;
      const fresh = queue.findIndex((entry) => entry.since > before);
      const entries = queue.splice(0, fresh < 0 ? queue.length : fresh);
      this.#settle(
        { partition, entries },
        this.#failure ?? new Error(`Kafka took no append to ${this.#options.topic} ${partition} for ${this.#options.giveUpMs} ms.`),
      );
    }
  }

  #sized(change: number): void {
    this.#size += change;
    if (this.#size > 0) return;
    for (const resolve of this.#idle) resolve();
    this.#idle = [];
  }

  /** Takes nothing more. Resolves when nothing is waiting or under way. */
  async end(failure: Error): Promise<void> {
    this.#failure ??= failure;
    if (this.#size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Takes nothing more, and rejects what waits. */
  fail(failure: Error): void {
    this.#failure ??= failure;
    clearTimeout(this.#retry);
    for (const [partition, queue] of this.#queues) this.#settle({ partition, entries: queue.splice(0) }, failure);
  }
}

/** Takes from the front of a queue what makes one batch: at least one message. */
export function takeBatch<T extends { value: Buffer }>(queue: T[]): T[] {
  let bytes = 0;
  let count = 0;
  while (count < queue.length) {
    bytes += queue[count]!.value.length;
    if (count > 0 && bytes > batchBytesMax) break;
    count += 1;
  }
  return queue.splice(0, count);
}
