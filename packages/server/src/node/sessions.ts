import { hash, randomBytes } from 'node:crypto';
import { sessionDays } from '@parlance/schema/limits';
import { partitionOf } from '../journal/port.ts';
import type { Outcome } from '../journal/record.ts';
import type { SessionRow } from '../store/rows.ts';
import { Lru } from './lru.ts';
import type { AppliedListener, Node } from './node.ts';

// Who is calling. A token is 256 random bits; only its SHA-256 is kept. A session found in the store is remembered, and forgotten when its end is
// applied; the memory is trusted only while the journal has just spoken to this node about the account's partition, otherwise the store
// is asked. That somebody has no session is never remembered.

/** Who makes a call. */
export interface Caller {
  userId: string;
  sessionId: string;
  tokenHash: string;
  /** When the session began, ms since 1970; it lasts `sessionMs`. */
  createdTime: number;
}

interface Known extends Caller {
  partition: number;
}

type EndedListener = (session: { tokenHash: string; sessionId: string; userId: string }) => void;

/** How old what the node knows of a partition may be for a remembered session to count. */
const trustedMs = 500;
export const sessionMs = sessionDays * 86_400_000;

export class Sessions implements AppliedListener {
  readonly #node: Node;
  readonly #known: Lru<string, Known>;
  readonly #endedListeners: EndedListener[] = [];
  /** Rises with everything that could make a row read before it stale. */
  #changes = 0;

  /** `knownMax`: sessions remembered. The caller must `node.listen` to it. */
  constructor(node: Node, knownMax = 100_000) {
    this.#node = node;
    this.#known = new Lru(knownMax);
  }

  /** Who the token belongs to; undefined for one that is unknown, ended or too old. */
  authenticate(token: string): Promise<Caller | undefined> | Caller | undefined {
    const tokenHash = hashSecret(token);
    const known = this.#known.get(tokenHash);
    if (known !== undefined && this.#node.journal.ageMs(known.partition) <= trustedMs) return this.#unlessExpired(known);
    return this.#read(tokenHash);
  }

  /** Whether a session is over by its age. None is, just after the start, while the node does not know how its clock goes. */
  isTooOld({ createdTime }: { createdTime: number }): boolean {
    return this.#node.journal.clockAheadMs() !== undefined && createdTime + sessionMs <= this.#node.time();
  }

  /** Whether a user may administer the installation. */
  async isAdmin(userId: string): Promise<boolean> {
    const [row] = await this.#node.store.rows([{ table: 'installation' }]);
    return row?.table === 'installation' && row.admins.includes(userId);
  }

  /** From now on called for every session that ends by log-out, change of password or otherwise before its time. */
  onEnded(listener: EndedListener): void {
    this.#endedListeners.push(listener);
  }

  outcome(outcome: Outcome): void {
    for (const { event } of outcome.results) {
      if (event === undefined || !('sessions' in event)) continue;
      for (const session of event.sessions) if (session.ended) this.#end(session);
    }
  }

  signal(): void {}

  lost(): void {
    this.#changes++;
    this.#known.clear();
  }

  #end(session: SessionRow): void {
    this.#changes++;
    this.#known.delete(session.tokenHash);
    for (const listener of this.#endedListeners) listener(session);
  }

  async #read(tokenHash: string): Promise<Caller | undefined> {
    const changesBefore = this.#changes;
    const [row] = await this.#node.store.rows([{ table: 'session', tokenHash }]);
    if (row?.table !== 'session' || row.ended) return undefined;
    const { userId, sessionId, createdTime } = row;
    const known = { userId, sessionId, tokenHash, createdTime, partition: partitionOf(userId, this.#node.journal.partitions) };
    // An end that was applied while this was read has already been told to the memory: what was read must not come back into it.
    if (this.#changes === changesBefore) this.#known.set(tokenHash, known);
    return this.#unlessExpired(known);
  }

  #unlessExpired(known: Known): Caller | undefined {
    return this.isTooOld(known) ? undefined : known;
  }
}

/** What is kept of a token or link: a SHA-256. They are random and long, so there is nothing to guess and no need of a slow hash. */
export const hashSecret = (secret: string): string => hash('sha256', secret, 'base64url');

/** A new token, 256 random bits. */
export const newToken = (): string => randomBytes(32).toString('base64url');

export const newSessionId = (): string => randomBytes(12).toString('base64url');
