import type { Command } from '../journal/command.ts';
import { commonTime, type Journal, type Signal } from '../journal/port.ts';
import type { Outcome } from '../journal/record.ts';
import type { Store } from '../store/port.ts';
import { Follow } from './follow.ts';
import type { Refusal } from './refusal.ts';
import { Requests } from './requests.ts';

// One node: stateless but for what it holds in memory for the people connected to it. It turns calls into commands and waits for
// what comes of them; it follows the events journal and hands on what was applied. It never decides and never writes rows.

export interface NodeOptions {
  /** Unique among running nodes, random: nonces begin with it. */
  nodeId: string;
  /** How long a command may wait for its outcome, ms. */
  commandTimeoutMs: number;
  /** Commands waiting at once. */
  commandsMax: number;
  /** This machine's, ms since 1970. */
  clock: () => number;
  /** Hears of every outcome that came for a command of this node: how long it took, by the command's key. */
  answered?: (key: string, elapsedMs: number) => void;
}

/** What the node tells those who push to people: called in order, after the store has it. */
export interface AppliedListener {
  outcome(outcome: Outcome): void;
  signal(signal: Signal): void;
  /** Outcomes may have been missed: catch up from the store. */
  lost(): void;
}

type Unsent<C> = C extends Command ? Omit<C, 'nonce'> : never;

export class Node {
  readonly store: Store;
  readonly journal: Journal;
  readonly #requests: Requests;
  readonly #follow: Follow;
  readonly #options: NodeOptions;
  #count = 0;

  constructor(journal: Journal, store: Store, options: NodeOptions) {
    this.journal = journal;
    this.store = store;
    this.#options = options;
    this.#requests = new Requests(options.commandsMax, options.commandTimeoutMs, options.answered ?? (() => undefined));
    this.#follow = new Follow(store, this.#requests);
  }

  /** Begins following. Resolves when every partition is being followed. */
  start(): Promise<void> {
    return this.journal.follow(this.#follow);
  }

  /** From now on called for everything applied. */
  listen(listener: AppliedListener): void {
    this.#follow.listeners.push(listener);
  }

  /**
   * Submits a command and resolves with what came of it, once the store has it; or with an undecided Refusal: `overloaded` (not
   * tried), `draining` (not tried) or `unavailable` (outcome unknown: repeating it with the same client_id is safe).
   */
  submit(unsent: Unsent<Command>): Promise<Outcome | Refusal> {
    const refusal = this.#requests.refusal();
    if (refusal !== undefined) return Promise.resolve(refusal);
    const command = unsent as Command;
    command.nonce = `${this.#options.nodeId}-${(this.#count++).toString(36)}`;
    const answer = this.#requests.wait(command.nonce, command.key);
    this.journal.submit(command).catch(() => this.#requests.fail(command.nonce));
    return answer;
  }

  /** The time, ms since 1970, as the nodes agree on it. */
  time(): number {
    return commonTime(this.journal, this.#options.clock);
  }

  get waiting(): number {
    return this.#requests.size;
  }

  /** No further commands are taken; resolves when those waiting have their outcome, or their time is up. */
  drain(): Promise<void> {
    return this.#requests.drain();
  }
}
