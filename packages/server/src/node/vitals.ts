import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Node } from './node.ts';

// How the node is: whether its engines answer it, and how busy it is. A node that is cut off from one of them goes unready by itself, and ready again when it is
// answered again. Nothing here decides anything about people's data.

const probeIntervalMs = 1000;
/** A node that has had no answer for so long cannot say what happened and should not be asked. Longer than a broker or a Cassandra node takes to be replaced by another. */
const silenceMaxMs = 5000;
/** A turn of the event loop that is late by this much makes a node fully busy. */
const lagMaxMs = 200;
/** The time is taken from all nodes' clocks; one that is further off than this has a machine that somebody should look at. */
const clockOffMaxMs = 10_000;

export class Vitals {
  readonly #node: Node;
  readonly #commandsMax: number;
  readonly #clock: () => number;
  readonly #loop: ReturnType<typeof monitorEventLoopDelay>;
  #storeAnswered: number;
  #timer: NodeJS.Timeout | undefined;
  #probed = 0;
  #lagMs = 0;
  #isProbing = false;

  /** `commandsMax`: how many commands may wait at once. `clock`: milliseconds that never go back. */
  constructor(node: Node, commandsMax: number, clock: () => number = () => performance.now()) {
    this.#node = node;
    this.#commandsMax = commandsMax;
    this.#clock = clock;
    this.#storeAnswered = clock();
    this.#loop = monitorEventLoopDelay({ resolution: 10 });
  }

  start(): void {
    this.#loop.enable();
    this.#timer = setInterval(() => this.#tick(), probeIntervalMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#loop.disable();
  }

  /** Why the node should not be asked now, in a few words; undefined when it may be. */
  notReady(): string | undefined {
    const { journal } = this.#node;
    for (let partition = 0; partition < journal.partitions; partition++) {
      if (journal.ageMs(partition) > silenceMaxMs) return `not following partition ${partition}`;
    }
    const aheadMs = journal.clockAheadMs();
    if (aheadMs === undefined) return 'not heard of the other nodes yet';
    if (Math.abs(aheadMs) > clockOffMaxMs) {
      return `the clock of this machine is ${Math.abs(aheadMs / 1000).toFixed(0)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} those of the other nodes: set it right`;
    }
    if (this.#clock() - this.#storeAnswered > silenceMaxMs) return 'the store does not answer';
    return undefined;
  }

  /** How busy the node is, from 0 (idle) to 1 (as busy as it should ever be): the event loop's lag of the last second, or how full the queue is, whichever is worse. */
  get load(): number {
    return Math.min(1, Math.max(this.#lagMs / lagMaxMs, this.#node.waiting / this.#commandsMax));
  }

  /** Milliseconds by which turns of the event loop were late in the last second, nine in ten of them less. */
  get lagMs(): number {
    return this.#lagMs;
  }

  #tick(): void {
    this.#lagMs = Math.max(0, this.#loop.percentile(90) / 1e6 - 10);
    this.#loop.reset();
    if (!this.#isProbing) void this.#probe(); // One at a time: a store that hangs is not asked ever more.
  }

  async #probe(): Promise<void> {
    this.#isProbing = true;
    try {
      await this.#node.store.position(this.#probed++ % this.#node.journal.partitions);
      this.#storeAnswered = this.#clock();
    } catch {
      // It is the silence that counts.
    } finally {
      this.#isProbing = false;
    }
  }
}
