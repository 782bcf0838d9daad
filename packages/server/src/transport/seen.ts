import { Lru } from '../node/lru.ts';
import type { Store } from '../store/port.ts';

/**
 * Facts that never stop being true, remembered so that a message costs no read: that a user id was taken (ids are never given twice), and that
 * somebody is or was a member of a conversation. What is not so yet is never remembered.
 */
export class Seen {
  readonly #store: Store;
  readonly #facts: Lru<string, true>;

  constructor(store: Store, factsMax = 100_000) {
    this.#store = store;
    this.#facts = new Lru(factsMax);
  }

  isUser(userId: string): Promise<boolean> | true {
    return this.#facts.get(userId) ?? this.#readUser(userId);
  }

  async #readUser(userId: string): Promise<boolean> {
    const rows = await this.#store.rows([{ table: 'account', userId }]);
    if (rows.length === 0) return false;
    this.#facts.set(userId, true);
    return true;
  }

  /** Whether it is remembered; false says nothing. */
  isMember(conversation: string, userId: string): boolean {
    return this.#facts.get(`${conversation} ${userId}`) === true;
  }

  addMember(conversation: string, userId: string): void {
    this.#facts.set(`${conversation} ${userId}`, true);
  }
}
