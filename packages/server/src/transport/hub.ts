import { parseConversationId } from '@parlance/schema/ids';
import type { Signal } from '../journal/port.ts';
import { type ConversationEvent, isConversationEvent, type Outcome } from '../journal/record.ts';
import type { AppliedListener } from '../node/node.ts';
import { eventFrame } from './wire.ts';

// Who on this node is to be told of what. It is called for every outcome applied, in order; it turns each event into one frame and
// gives that to every socket that follows the conversation. It keeps nothing that the store does not have.

/** A live socket, as the hub sees it. */
export interface Listener {
  readonly userId: string;
  readonly sessionId: string;
  /** From now on it follows the conversation; `after` is the newest seq before the first event it will be given. */
  begin(conversation: string, after: number): void;
  /** It no longer does: the event `seq`, which ended its membership, was the last. */
  end(conversation: string, seq: number): void;
  event(event: ConversationEvent, frame: string): void;
  signal(signal: Signal): void;
  /** Events may have been missed in any conversation, those that begin or end a membership too. */
  missed(): void;
  close(code: number, reason: string): void;
}

export class Hub implements AppliedListener {
  readonly #ofUser = new Map<string, Set<Listener>>();
  readonly #ofConversation = new Map<string, Set<Listener>>();
  #size = 0;

  /** Live sockets. */
  get size(): number {
    return this.#size;
  }

  countOf(userId: string): number {
    return this.#ofUser.get(userId)?.size ?? 0;
  }

  *[Symbol.iterator](): Iterator<Listener> {
    for (const listeners of this.#ofUser.values()) yield* listeners;
  }

  /** From now on it is told of events that name its person. */
  register(listener: Listener): void {
    this.#size += 1;
    add(this.#ofUser, listener.userId, listener);
  }

  unregister(listener: Listener, conversations: Iterable<string>): void {
    if (remove(this.#ofUser, listener.userId, listener)) this.#size -= 1;
    for (const conversation of conversations) remove(this.#ofConversation, conversation, listener);
  }

  follow(listener: Listener, conversation: string): void {
    add(this.#ofConversation, conversation, listener);
  }

  unfollow(listener: Listener, conversation: string): void {
    remove(this.#ofConversation, conversation, listener);
  }

  /** Closes the sockets of a session that ended. */
  closeSession(userId: string, sessionId: string, code: number, reason: string): void {
    for (const listener of [...(this.#ofUser.get(userId) ?? [])]) if (listener.sessionId === sessionId) listener.close(code, reason);
  }

  outcome(outcome: Outcome): void {
    for (const { event, repeated } of outcome.results) {
      if (event !== undefined && repeated !== true && isConversationEvent(event)) this.#push(event);
    }
  }

  signal(signal: Signal): void {
    for (const listener of this.#ofUser.get(signal.userId) ?? []) listener.signal(signal);
  }

  lost(): void {
    for (const listener of [...this]) listener.missed();
  }

  #push(event: ConversationEvent): void {
    const { conversation, seq } = event;
    const named = membershipsNamed(event);
    for (const { userId, isMember } of named) {
      if (!isMember) continue;
      for (const listener of this.#ofUser.get(userId) ?? []) {
        if (this.#ofConversation.get(conversation)?.has(listener)) continue;
        add(this.#ofConversation, conversation, listener);
        listener.begin(conversation, seq - 1);
      }
    }
    const listeners = this.#ofConversation.get(conversation);
    if (listeners === undefined) return;
    const frame = eventFrame(event);
    for (const listener of listeners) listener.event(event, frame);
    for (const { userId, isMember } of named) {
      if (isMember) continue;
      for (const listener of this.#ofUser.get(userId) ?? []) {
        remove(this.#ofConversation, conversation, listener);
        listener.end(conversation, seq);
      }
    }
  }
}

const nobody: { userId: string; isMember: boolean }[] = [];

/** Whose membership the event begins, changes or ends. */
function membershipsNamed(event: ConversationEvent): { userId: string; isMember: boolean }[] {
  if ('members' in event) return event.members.map(({ userId, left }) => ({ userId, isMember: left === null }));
  if (!('first' in event)) return nobody;
  const parts = parseConversationId(event.conversation);
  return parts?.kind === 'direct' ? parts.users.map((userId) => ({ userId, isMember: true })) : nobody;
}

function add<K>(map: Map<K, Set<Listener>>, key: K, listener: Listener): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([listener]));
  else set.add(listener);
}

function remove<K>(map: Map<K, Set<Listener>>, key: K, listener: Listener): boolean {
  const set = map.get(key);
  if (set === undefined || !set.delete(listener)) return false;
  if (set.size === 0) map.delete(key);
  return true;
}
