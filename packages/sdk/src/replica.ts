import type { Change, Conversation, Message } from '@parlance/schema/types';
import type { ConversationState, Fold } from './conversation.ts';
import * as fold from './conversation.ts';

// All conversations of one person, folded from what the server says. It is deterministic and does no I/O: the same calls in the same order
// make the same replica. Each conversation's state is immutable, so that whoever draws it can compare by identity.

export interface ReplicaOptions {
  /** Newest messages kept of each conversation held. Older pages that were asked for stay until the next message. */
  messagesMax: number;
}

export const defaults: ReplicaOptions = { messagesMax: 1000 };

export class Replica {
  readonly me: string;
  readonly #options: ReplicaOptions;
  readonly #conversations = new Map<string, ConversationState>();

  constructor(me: string, options: ReplicaOptions = defaults) {
    this.me = me;
    this.#options = options;
  }

  /** The conversation as it is known; one never heard of is empty. Throws when `id` is not a stable id. */
  get(id: string): ConversationState {
    return this.#conversations.get(id) ?? fold.unknownConversation(id, this.me);
  }

  /** All that are known, the last active first. */
  list(): ConversationState[] {
    return [...this.#conversations.values()].sort((a, b) => compare(b.lastActivity ?? '', a.lastActivity ?? '') || compare(a.id, b.id));
  }

  /** What a hello asks to have brought up to date: conversation → seq, of those held; `max` of them, the last active. */
  resumeMap(max: number): Record<string, number> {
    const held = this.list().filter(({ isHeld }) => isHeld);
    return Object.fromEntries(held.slice(0, max).map(({ id, seq }) => [id, seq]));
  }

  event(change: Change): Fold {
    const { state, fold: folded } = fold.foldEvent(this.get(change.conversation), change, this.me, this.#options.messagesMax);
    this.#conversations.set(state.id, state);
    return folded;
  }

  head(id: string, seq: number, hasLeft: boolean): void {
    this.#change(id, (state) => fold.foldHead(state, seq, hasLeft));
  }

  read(id: string, readSeq: number, unreadCount: number): void {
    this.#change(id, (state) => fold.foldRead(state, readSeq, unreadCount));
  }

  /** One conversation as the inbox or its own call answers it. */
  summary(summary: Conversation): void {
    this.#change(summary.conversation, (state) => fold.foldSummary(state, summary));
  }

  /** The newest page, read after `summary`: from now on the conversation is held. */
  hold(summary: Conversation, page: readonly Message[], hasOlder: boolean): void {
    this.summary(summary);
    this.#change(summary.conversation, (state) => fold.holdPage(state, summary.seq, page, hasOlder));
  }

  beginPage(id: string): void {
    this.#change(id, fold.beginPage);
  }

  /** The page before `before`, or none when it could not be had. After `beginPage`. */
  endPage(id: string, older?: { before: number; page: readonly Message[]; hasOlder: boolean }): void {
    this.#change(id, (state) => fold.endPage(older === undefined ? state : fold.foldOlderPage(state, older.before, older.page, older.hasOlder)));
  }

  #change(id: string, change: (state: ConversationState) => ConversationState): void {
    this.#conversations.set(id, change(this.get(id)));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
