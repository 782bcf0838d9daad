import { PositionGone } from '../port.ts';
import type { Fetcher, Message, Tail } from './fetcher.ts';

// One partition's log for a reader that asks by position, may go back, and waits. Reads ahead a little; what lies before the position last asked for is
// forgotten. The reader may be fed by another that reads the same partition anyway (the node's own following), and then asks Kafka for nothing.

export interface Entry<T> {
  position: number;
  value: T;
  bytes: number;
}

interface Waiting {
  resolve: () => void;
  reject: (error: Error) => void;
}

/** Reads ahead no further than that. */
const aheadBytesMax = 8 * 1024 * 1024;
/** Bytes given at once: a batch's decisions have to fit into one Kafka message. At least one entry is given. */
const giveBytesMax = 4 * 1024 * 1024;

export class Reader<T> {
  readonly #fetcher: Fetcher;
  readonly #base: number;
  readonly #tail: Tail;
  #entries: Entry<T>[] = [];
  /** Positions the entries cover: from `#start` to before `#end`. Nothing is read before somebody asks. */
  #start = -1;
  #end = -1;
  #bytes = 0;
  #waiting: Waiting[] = [];
  #ended: Error | undefined;

  /** Positions are offsets plus `base`. `parse` makes a value of a message. */
  constructor(fetcher: Fetcher, topic: string, partition: number, base: number, parse: (message: Message) => T) {
    this.#fetcher = fetcher;
    this.#base = base;
    this.#tail = {
      topic,
      partition,
      next: 0,
      isPaused: () => this.#bytes >= aheadBytesMax,
      take: (messages, end) => {
        const entries = messages.map((message) => ({ position: message.offset + base, value: parse(message), bytes: message.value?.length ?? 0 }));
        this.#append(entries, end + base);
      },
      gone: (start) => this.#fail(new PositionGone(`Position ${this.#end} of ${topic} ${partition} is before ${start + base}, the first there is.`)),
      ahead: (end) => this.#fail(new Error(`${topic} ${partition} ends at position ${end + base}, before ${this.#end}: records that were there are lost.`)),
    };
  }

  /** Entries from position `from` on, at least one, at most `max` and not many megabytes. Ends with an AbortError when the signal aborts while it waits. */
  async read(from: number, max: number, signal?: AbortSignal): Promise<Entry<T>[]> {
    if (from < this.#base) throw new PositionGone(`Position ${from} is before ${this.#base}, where this journal begins.`);
    this.#seek(from);
    while (this.#entries.length === 0) {
      if (this.#ended !== undefined) throw this.#ended;
      if (signal?.aborted) throw aborted('no longer wanted');
      await this.#wait(signal);
      if (this.#start !== from) throw aborted('a later call reads elsewhere');
    }
    let bytes = 0;
    let count = 0;
    while (count < this.#entries.length && count < max) {
      bytes += this.#entries[count]!.bytes;
      if (count > 0 && bytes > giveBytesMax) break;
      count += 1;
    }
    return this.#entries.slice(0, count);
  }

  /** Offers what another reader of the partition got: entries covering positions `start` to before `end`. It is taken where it goes on from here. */
  feed(entries: readonly Entry<T>[], start: number, end: number): void {
    const isNext = this.#start >= 0 && this.#end >= start && this.#end <= end && this.#bytes < aheadBytesMax && this.#ended === undefined;
    if (isNext) {
      this.#fetcher.remove(this.#tail);
      if (end > this.#end)
        this.#append(
          entries.filter((entry) => entry.position >= this.#end),
          end,
        );
    } else if (this.#start >= 0 && this.#end < start) this.#attach();
  }

  #seek(from: number): void {
    if (from < this.#start || from > this.#end) {
      for (const { reject } of this.#waiting.splice(0)) reject(aborted('a later call reads elsewhere'));
      this.#entries = [];
      this.#bytes = 0;
      this.#end = from;
      this.#fetcher.remove(this.#tail);
      this.#attach();
    }
    this.#start = from;
    let count = 0;
    while (count < this.#entries.length && this.#entries[count]!.position < from) this.#bytes -= this.#entries[count++]!.bytes;
    if (count === 0) return;
    this.#entries.splice(0, count);
    if (this.#fetcher.has(this.#tail)) this.#fetcher.wake();
  }

  #attach(): void {
    if (this.#ended !== undefined || this.#fetcher.has(this.#tail)) return;
    this.#tail.next = this.#end - this.#base;
    this.#fetcher.add(this.#tail);
  }

  #append(entries: readonly Entry<T>[], end: number): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += entry.bytes;
    }
    this.#end = end;
    if (this.#entries.length > 0) for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => {
        this.#waiting = this.#waiting.filter((one) => one !== waiting);
        reject(aborted('no longer wanted'));
      };
      const done = () => signal?.removeEventListener('abort', stop);
      const waiting: Waiting = {
        resolve: () => {
          done();
          resolve();
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      this.#waiting.push(waiting);
      signal?.addEventListener('abort', stop, { once: true });
    });
  }

  // What went wrong at this position need not be wrong at another: the next call begins anew.
  #fail(error: Error): void {
    this.#fetcher.remove(this.#tail);
    this.#start = -1;
    this.#end = -1;
    this.#entries = [];
    this.#bytes = 0;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  /** Ends every wait, now and later. */
  end(error: Error): void {
    this.#ended ??= error;
    this.#fetcher.remove(this.#tail);
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

const aborted = (why: string): DOMException => new DOMException(`The read has ended: ${why}.`, 'AbortError');
