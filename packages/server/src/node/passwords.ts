import { hash, verify } from '@node-rs/argon2';
import { Refusal } from './refusal.ts';

// Passwords are hashed with argon2id on the thread pool, few at once: each takes 19 MiB and a core for some 20 ms, so without a bound a burst of
// log-ins would take the machine from everybody else. Those beyond wait in order, and beyond `queueMax` are told to come back.

/** OWASP's first choice for argon2id. */
const options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

// Checked against for users there are not and accounts without a password, so that the answer takes the same time. Its salt and digest are
// arbitrary, so no password is known to fit; and should one, it would still be refused.
const dummyHash = '$argon2id$v=19$m=19456,t=2,p=1$cGFybGFuY2UtZHVtbXktMQ$Lr1Tn0mT1mS6m1xE3zY0pSgq3o4mV2b7n8uWcQkZt5A';

export interface PasswordOptions {
  /** Hashed at once. */
  atOnce: number;
  /** Waiting for their turn. */
  queueMax: number;
}

/** For a machine of a few cores; the queue takes a whole burst of registrations. */
export const passwordDefaults: PasswordOptions = { atOnce: 2, queueMax: 1024 };

/**
 * The limit of attempts, asked and told within an attempt's turn: guesses that waited side by side must not all slip through a limit that the first of
 * them used up.
 */
export interface AttemptGuard {
  refusal(): Refusal | undefined;
  checked(fits: boolean): void;
}

export class Passwords {
  readonly #options: PasswordOptions;
  readonly #queue: (() => void)[] = [];
  #running = 0;

  constructor(passwordOptions: PasswordOptions = passwordDefaults) {
    this.#options = passwordOptions;
  }

  /** The hash to store, with its own salt, as a PHC string. Refuses `overloaded` when too many wait. */
  hash(password: string): Promise<string | Refusal> {
    return this.#inTurn(() => hash(password, options));
  }

  /** Whether the password fits the hash; null or undefined, for an account without one or none at all, takes as long and does not. */
  verify(passwordHash: string | null | undefined, password: string, guard?: AttemptGuard): Promise<boolean | Refusal> {
    return this.#inTurn(async () => {
      const refusal = guard?.refusal();
      if (refusal !== undefined) return refusal;
      const fits = (await verify(passwordHash ?? dummyHash, password)) && typeof passwordHash === 'string';
      guard?.checked(fits);
      return fits;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T | Refusal> {
    if (this.#running >= this.#options.atOnce) {
      if (this.#queue.length >= this.#options.queueMax) return new Refusal('overloaded', { retryAfterS: 5 });
      // Whoever finishes hands its place on, so `running` stays as it is.
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
