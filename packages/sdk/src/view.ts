import type { Change, Message, MessageKind, ProblemDetails } from '@parlance/schema/types';
import type { ConversationState } from './conversation.ts';
import type { Write } from './outbox.ts';
import type { Loose } from './session.ts';

// What a screen shows of a conversation: what the server said, in its order, with one's own unfinished edits and deletes laid over, and
// one's own unfinished messages after it, in the order they were written.

/** A message as the server tells it, or one on its way there, which has no `msg_id`, `seq` and `time` yet. */
export interface MessageView {
  msg_id: string | null;
  seq: number | null;
  kind: MessageKind;
  author: string;
  /** Absent when deleted. */
  text?: string;
  version: number;
  time: string | null;
  edited_time?: string;
  deleted?: true;
  /** The key of one's own message that is not stored yet: for `retry` and `discard`. */
  client_id?: string;
  /** `stored`: as the server has it; `changing`: with an edit or delete of mine laid over; `sending`: not acknowledged yet; `failed`: see `problem`. */
  state: 'stored' | 'changing' | 'sending' | 'failed';
  problem?: ProblemDetails;
}

export interface ConversationView {
  id: string;
  kind: 'direct' | 'group';
  title: string;
  /** Everything up to here is in it. */
  seq: number;
  /** Newest seq known to exist: more than `seq` while catching up. */
  head: number;
  messages: readonly MessageView[];
  /** What else happened since it was loaded: membership, title. Sorted by seq. */
  notices: readonly Change[];
  left: boolean;
  readSeq: number;
  unreadCount: number;
  lastMessage: Message | null;
  lastActivity: string | null;
  /** Its newest page has been loaded. */
  isLoaded: boolean;
  hasOlder: boolean;
  /** Why it could not be loaded. */
  problem: ProblemDetails | null;
}

/** `ownSeq`: no message up to it is one of `writes`; undefined when that is not known. */
export function viewOf(state: ConversationState, writes: readonly Write[], loose: readonly Loose[], ownSeq: number | undefined, me: string): ConversationView {
  const { id, kind, title, seq, head, notices, readSeq, unreadCount, lastMessage, lastActivity, isHeld, from } = state;
  const messages: MessageView[] = state.messages.map((message) => ({ ...message, state: 'stored' }));
  for (const { frame } of writes) {
    if (frame.type !== 'edit_message' && frame.type !== 'delete_message') continue;
    const index = messages.findLastIndex((message) => message.msg_id === frame.msg_id);
    const { text: _, ...stub } = messages[index] ?? {};
    if (index === -1 || (stub as MessageView).deleted === true) continue;
    messages[index] =
      frame.type === 'edit_message'
        ? { ...(stub as MessageView), text: frame.text, state: 'changing' }
        : { ...(stub as MessageView), deleted: true, state: 'changing' };
  }
  for (const { write, seq: own, problem } of loose) push(messages, write, me, own, problem);
  for (const write of writes) if (!isAlreadyHere(state, write, ownSeq, me)) push(messages, write, me, null, null);
  return {
    id,
    kind,
    title,
    seq,
    head,
    messages,
    notices,
    left: state.hasLeft,
    readSeq,
    unreadCount,
    lastMessage,
    lastActivity,
    isLoaded: isHeld,
    hasOlder: from > 0,
    problem: null,
  };
}

function push(messages: MessageView[], { frame, clientId }: Write, author: string, seq: number | null, problem: ProblemDetails | null): void {
  if (frame.type !== 'send_message') return;
  const view: MessageView = {
    msg_id: seq === null ? null : String(seq),
    seq,
    kind: 'message',
    author,
    text: frame.text,
    version: 1,
    time: null,
    client_id: clientId,
    state: problem === null ? 'sending' : 'failed',
  };
  if (problem !== null) view.problem = problem;
  messages.push(view);
}

// After a lost connection the message may come with the backlog, which does not carry its client_id, before the retry is answered. Until then
// a message of the same text, by the same person, newer than any that was answered, is taken for it: better than showing it twice.
function isAlreadyHere({ messages }: ConversationState, { frame, attempts }: Write, ownSeq: number | undefined, me: string): boolean {
  if (attempts === 0 || frame.type !== 'send_message' || ownSeq === undefined) return false;
  return messages.some(({ seq, author, text }) => seq > ownSeq && author === me && text === frame.text);
}
