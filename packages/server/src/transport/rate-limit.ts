import { Lru } from '../node/lru.ts';

// Limits that stop abuse: a token bucket per key, kept as the one number of the generic cell rate algorithm (ITU-T I.371): the time at which the bucket
// will be full again. The number of keys is bounded; the key used longest ago is forgotten, and with it at most one burst.
//
// Times are whole microseconds: with fractions, what was just added would not be what is there, and one use too few would be left.

export interface Quota {
  /** What may be used at once. */
  burst: number;
  /** Time in which one use comes back. */
  refillMs: number;
}

/** What is left of a quota after a look at it, in the units of the RateLimit header. */
export interface Left {
  isAllowed: boolean;
  remaining: number;
  /** Seconds until it is full again. */
  resetS: number;
  /** Seconds until one more use is possible; 0 when one is. */
  retryAfterS: number;
}

export class RateLimit {
  readonly quota: Quota;
  readonly #refillUs: number;
  readonly #fullAt: Lru<string, number>;
  readonly #clock: () => number;

  /** `clock`: milliseconds that never go back. */
  constructor(quota: Quota, keysMax: number, clock: () => number) {
    this.quota = quota;
    this.#refillUs = Math.round(quota.refillMs * 1000);
    this.#fullAt = new Lru(keysMax);
    this.#clock = clock;
  }

  /** Uses one, if there is one. */
  take(key: string): Left {
    return this.#look(key, 1);
  }

  /** Whether one could be used, without using it. */
  peek(key: string): Left {
    return this.#look(key, 0);
  }

  #look(key: string, uses: 0 | 1): Left {
    const refill = this.#refillUs;
    const burst = this.quota.burst * refill;
    const now = Math.round(this.#clock() * 1000);
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    const spare = burst - (fullAt - now);
    const isAllowed = spare >= refill;
    const after = isAllowed && uses === 1 ? fullAt + refill : fullAt;
    if (after !== fullAt) this.#fullAt.set(key, after);
    return {
      isAllowed,
      remaining: Math.max(0, Math.floor((burst - (after - now)) / refill)),
      resetS: Math.ceil((after - now) / secondUs),
      retryAfterS: isAllowed ? 0 : Math.max(1, Math.ceil((refill - spare) / secondUs)),
    };
  }
}

const secondUs = 1_000_000;
