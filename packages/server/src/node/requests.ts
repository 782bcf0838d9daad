import type { Outcome } from '../journal/record.ts';
import { Refusal } from './refusal.ts';

// The requests waiting for their outcome, found by nonce. A client_id would not do: a retry shares it, and an earlier attempt's
// outcome must not answer a later one with another body.

interface Waiting {
  resolve: (value: Outcome | Refusal) => void;
  key: string;
  since: number;
}

export class Requests {
  readonly #waiting = new Map<string, Waiting>();
  readonly #max: number;
  readonly #timeoutMs: number;
  readonly #answered: (key: string, elapsedMs: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #drained: (() => void) | undefined;
  #isDraining = false;

  /** `answered` hears how long a request whose outcome came had waited. */
  constructor(max: number, timeoutMs: number, answered: (key: string, elapsedMs: number) => void) {
    this.#max = max;
    this.#timeoutMs = timeoutMs;
    this.#answered = answered;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Why no further request can wait; undefined when one can. */
  refusal(): Refusal | undefined {
    if (this.#isDraining) return new Refusal('draining', { retryAfterS: 1 });
    if (this.#waiting.size >= this.#max) return new Refusal('overloaded', { retryAfterS: 1 });
    return undefined;
  }

  /** Resolves when `answer` or `fail` is called with the nonce, or its time is up. `key`: the command's. */
  wait(nonce: string, key: string): Promise<Outcome | Refusal> {
    this.#timer ??= setTimeout(this.#expire, this.#timeoutMs);
    return new Promise((resolve) => this.#waiting.set(nonce, { resolve, key, since: performance.now() }));
  }

  answer(outcome: Outcome): void {
    const waiting = this.#settle(outcome.nonce, outcome);
    if (waiting !== undefined) this.#answered(waiting.key, performance.now() - waiting.since);
  }

  /** Its outcome is unknown. */
  fail(nonce: string): void {
    this.#settle(nonce, new Refusal('unavailable', { retryAfterS: 1 }));
  }

  failAll(): void {
    for (const nonce of [...this.#waiting.keys()]) this.fail(nonce);
  }

  drain(): Promise<void> {
    this.#isDraining = true;
    return new Promise((resolve) => {
      this.#drained = resolve;
      if (this.#waiting.size === 0) resolve();
    });
  }

  #settle(nonce: string, value: Outcome | Refusal): Waiting | undefined {
    const waiting = this.#waiting.get(nonce);
    if (waiting === undefined) return undefined; // Another node's, or its time was up.
    this.#waiting.delete(nonce);
    waiting.resolve(value);
    if (this.#waiting.size === 0) this.#drained?.();
    return waiting;
  }

  // One timer for all: they wait equally long, so the map's order is the order of deadlines.
  #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const [nonce, { since }] of this.#waiting) {
      const deadline = since + this.#timeoutMs;
      if (deadline > now) {
        this.#timer = setTimeout(this.#expire, deadline - now);
        return;
      }
      this.fail(nonce);
    }
  };
}
