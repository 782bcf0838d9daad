import type { Change, Message, Rest } from '@parlance/sdk';
import { isShowable, loadMarkdown } from '../markdown/load.ts';

// Reads pages of a conversation that the replica does not hold, with what else happened in their range: the history of messages has messages only, so for a group
// the changes are read beside it wherever the seqs leave room for some.

export interface Page {
  readonly messages: readonly Message[];
  readonly notices: readonly Change[];
  /** There is more in the direction of reading; of a page around something: older ones. */
  readonly hasMore: boolean;
  /** Nothing is newer. */
  readonly reachesEnd: boolean;
}

/** Pages of changes that are read for notices, at most. Where more happened, the oldest of them have no lines. */
const changePagesMax = 4;
const changesPerPage = 200;

export class Pages {
  readonly #rest: Rest;
  readonly #id: string;

  constructor(rest: Rest, id: string) {
    this.#rest = rest;
    this.#id = id;
  }

  async before(seq: number, limit: number): Promise<Page> {
    const { messages, next_cursor } = await this.#rest.call('list_messages', { conversation: this.#id, before: String(seq), limit });
    const hasMore = next_cursor !== null;
    return this.#complete(messages, hasMore ? (messages[0]?.seq ?? seq) - 1 : 0, seq - 1, hasMore, false);
  }

  async after(seq: number, limit: number): Promise<Page> {
    const { messages, next_cursor } = await this.#rest.call('list_messages', { conversation: this.#id, after: String(seq), limit });
    return this.#complete(messages, seq, messages.at(-1)?.seq ?? seq, next_cursor !== null, next_cursor === null);
  }

  async around(seq: number, limit: number): Promise<Page> {
    const { messages, next_cursor } = await this.#rest.call('list_messages', { conversation: this.#id, around: String(seq), limit });
    const hasMore = next_cursor !== null;
    return this.#complete(messages, hasMore ? (messages[0]?.seq ?? seq) - 1 : 0, messages.at(-1)?.seq ?? seq, hasMore, false);
  }

  /** What lies on both sides of a read mark. */
  async aroundGap(readSeq: number, olderLimit: number, newerLimit: number): Promise<Page> {
    const [older, newer] = await Promise.all([this.before(readSeq + 1, olderLimit), this.after(readSeq, newerLimit)]);
    return {
      messages: [...older.messages, ...newer.messages],
      notices: [...older.notices, ...newer.notices],
      hasMore: older.hasMore,
      reachesEnd: newer.reachesEnd,
    };
  }

  /** Every event after one seq, up to and with another. */
  async changes(after: number, upTo: number): Promise<Change[]> {
    const all: Change[] = [];
    for (let page = 0, at = after; page < changePagesMax && at < upTo; page++) {
      const { changes, next_cursor } = await this.#rest.call('list_changes', { conversation: this.#id, after: at, limit: changesPerPage });
      all.push(...changes);
      if (next_cursor === null) break;
      at = Number(next_cursor);
    }
    return all;
  }

  /** What else happened in a range in which there are so many messages. */
  async notices(after: number, upTo: number, messageCount: number): Promise<readonly Change[]> {
    if (!this.#id.startsWith('g:') || upTo - after <= messageCount) return [];
    const changes = await this.changes(after, upTo);
    return changes.filter(({ seq, kind }) => seq <= upTo && !['message', 'action', 'edit', 'delete'].includes(kind));
  }

  async #complete(messages: readonly Message[], after: number, upTo: number, hasMore: boolean, reachesEnd: boolean): Promise<Page> {
    const notices = await this.notices(after, upTo, messages.length);
    if (messages.some(({ text }) => !isShowable(text))) await loadMarkdown();
    return { messages, notices, hasMore, reachesEnd };
  }
}
