import * as limits from '@parlance/schema/limits';
import type { Config } from '../config.ts';
import { Lru } from '../node/lru.ts';
import { RateLimit } from './rate-limit.ts';

const keysMax = 100_000;
const hourMs = 3_600_000;
/** Failed log-ins to one account from unfamiliar addresses, for each one allowed from a single address. */
const accountFactor = 10;

/** The limits of one node. A person has them on each node they use, which is as it should be: they protect the node. */
export class Limits {
  readonly writes: RateLimit;
  readonly registrations: RateLimit;
  readonly logIns: LogInLimits;

  constructor(config: Config, clock: () => number = () => performance.now()) {
    this.writes = new RateLimit({ burst: config.writesBurst, refillMs: 1000 / config.writesPerSecond }, keysMax, clock);
    this.registrations = new RateLimit({ burst: config.registrationsBurst, refillMs: hourMs / config.registrationsBurst }, keysMax, clock);
    this.logIns = new LogInLimits(config.loginFailuresBurst, clock);
  }
}

/**
 * Counts failed log-ins only, three ways: for an account from one address, for an address over all accounts, and for an account over all addresses. An address
 * that has logged in to the account before is held by the first alone, so that neither a neighbour behind the same address translation
 * nor a guesser elsewhere can lock the owner out.
 */
export class LogInLimits {
  readonly #pairs: RateLimit;
  readonly #addresses: RateLimit;
  readonly #accounts: RateLimit;
  readonly #familiar = new Lru<string, true>(keysMax);

  constructor(failuresBurst: number, clock: () => number) {
    const refillMs = limits.loginRefillMs;
    this.#pairs = new RateLimit({ burst: failuresBurst, refillMs }, keysMax, clock);
    this.#addresses = new RateLimit({ burst: limits.loginFailuresAddressBurst, refillMs }, keysMax, clock);
    this.#accounts = new RateLimit({ burst: failuresBurst * accountFactor, refillMs }, keysMax, clock);
  }

  /** Seconds to wait before the next attempt; 0 when it may be made now. */
  waitS(userId: string, address: string): number {
    const pair = pairOf(userId, address);
    const pairWaitS = this.#pairs.peek(pair).retryAfterS;
    if (pairWaitS > 0 || this.#familiar.get(pair)) return pairWaitS;
    return Math.max(this.#addresses.peek(address).retryAfterS, this.#accounts.peek(userId).retryAfterS);
  }

  failed(userId: string, address: string): void {
    const pair = pairOf(userId, address);
    this.#pairs.take(pair);
    if (this.#familiar.get(pair)) return;
    this.#addresses.take(address);
    this.#accounts.take(userId);
  }

  succeeded(userId: string, address: string): void {
    this.#familiar.set(pairOf(userId, address), true);
  }
}

const pairOf = (userId: string, address: string): string => `${userId} ${address}`;
