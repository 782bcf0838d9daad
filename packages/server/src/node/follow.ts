import type { Follower, Signal } from '../journal/port.ts';
import type { DecidedRecord, EventRecord } from '../journal/record.ts';
import { Chain } from '../sequencer/chain.ts';
import type { Store } from '../store/port.ts';
import type { AppliedListener } from './node.ts';
import type { Requests } from './requests.ts';

// How a node learns what was decided: it folds every partition's events with the same chain as the sequencers, holds each
// valid record until an applied record covers it, and only then answers requests and hands the outcomes on.

interface Partition {
  chain: Chain;
  decided: { position: number; record: DecidedRecord }[];
}

export class Follow implements Follower {
  readonly listeners: AppliedListener[] = [];
  readonly #partitions = new Map<number, Partition>();
  /** Partitions lost and not begun again yet. */
  readonly #lost = new Set<number>();
  readonly #store: Store;
  readonly #requests: Requests;

  constructor(store: Store, requests: Requests) {
    this.#store = store;
    this.#requests = requests;
  }

  async start(partition: number): Promise<number> {
    const row = await this.#store.position(partition);
    this.#partitions.set(partition, { chain: new Chain(row), decided: [] });
    // Once more: who has read the store since `lost` may have missed what was applied between that and the row.
    if (this.#lost.delete(partition)) for (const listener of this.listeners) listener.lost();
    return row.position + 1;
  }

  record(partition: number, position: number, record: EventRecord): void {
    const followed = this.#partitions.get(partition);
    if (followed === undefined) throw new Error(`a record of partition ${partition}, which was never started`);
    const kind = followed.chain.step(position, record);
    if (kind === 'decided') followed.decided.push({ position, record: record as DecidedRecord });
    else if (kind === 'applied') this.#release(followed.decided, (record as { upto: number }).upto);
  }

  lost(partition: number): void {
    this.#partitions.delete(partition);
    this.#lost.add(partition);
    this.#requests.failAll();
    for (const listener of this.listeners) listener.lost();
  }

  signal(signal: Signal): void {
    for (const listener of this.listeners) listener.signal(signal);
  }

  // Listeners first: the push that is a request's ack must be on its way before the request is told.
  #release(decided: Partition['decided'], upto: number): void {
    while (decided[0] !== undefined && decided[0].position <= upto) {
      for (const outcome of decided.shift()!.record.outcomes) {
        for (const listener of this.listeners) listener.outcome(outcome);
        this.#requests.answer(outcome);
      }
    }
  }
}
