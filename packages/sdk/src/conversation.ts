import { parseConversationId, peerOf } from '@parlance/schema/ids';
import type { Change, Conversation, Message } from '@parlance/schema/types';

// One conversation as this client knows it, and the pure functions that bring it forward. A conversation is only announced (its newest seq,
// what the inbox says) until a page of it is loaded; from then on it is held: every event up to `seq` is in it, in order and without a gap,
// and every message from `from` on is there in its current form.
//
//        from                     seq        head
//   ······│■■■■■■■■■■■■■■■■■■■■■■■■■│··········│      ■ held    · known to exist

export interface ConversationState {
  readonly id: string;
  readonly kind: 'direct' | 'group';
  readonly title: string;
  /** Events up to here are in it; 0 while it is not held. */
  readonly seq: number;
  /** Newest seq known to exist. */
  readonly head: number;
  readonly isHeld: boolean;
  /** Older messages than this seq are not held; 0 when there are none. */
  readonly from: number;
  /** Sorted by seq. */
  readonly messages: readonly Message[];
  /** What else happened (membership, title), sorted by seq: as much as came by, for history has messages only. */
  readonly notices: readonly Change[];
  readonly hasLeft: boolean;
  readonly readSeq: number;
  readonly unreadCount: number;
  /** Messages up to this seq are in `unreadCount`: the inbox may have counted what the events bring later. */
  readonly countedSeq: number;
  readonly lastMessage: Message | null;
  readonly lastActivity: string | null;
  /** Pages under way. While there are, changes to messages not held are kept, or an older page would bring back what they changed. */
  readonly pages: number;
  readonly changedElsewhere: readonly Change[];
}

export type Fold = 'folded' | 'duplicate' | 'gap' | 'noted';

/** A conversation of which nothing is known but its id. Throws when that is not a stable id. */
export function unknownConversation(id: string, me: string): ConversationState {
  const parts = parseConversationId(id);
  if (parts === undefined) throw new Error(`${id} is not the id of a conversation`);
  return {
    id,
    kind: parts.kind,
    title: parts.kind === 'group' ? parts.name : peerOf(parts.users, me),
    seq: 0,
    head: 0,
    isHeld: false,
    from: 0,
    messages: [],
    notices: [],
    hasLeft: false,
    readSeq: 0,
    unreadCount: 0,
    countedSeq: 0,
    lastMessage: null,
    lastActivity: null,
    pages: 0,
    changedElsewhere: [],
  };
}

/**
 * Folds the next event in. One already held is a `duplicate`; one that does not follow is a `gap`, of which only the head is noted; one of a
 * conversation not held is `noted` the same way. Keeps the newest `messagesMax` messages.
 */
export function foldEvent(state: ConversationState, change: Change, me: string, messagesMax: number): { state: ConversationState; fold: Fold } {
  if (!state.isHeld) return change.seq > state.head ? { state: note(state, change, me), fold: 'noted' } : { state, fold: 'duplicate' };
  if (change.seq <= state.seq) return { state, fold: 'duplicate' };
  if (change.seq > state.seq + 1) return { state: withHead(state, change.seq), fold: 'gap' };
  const noted = { ...note(state, change, me), seq: change.seq };
  return { state: trim(withChange(noted, change), messagesMax), fold: 'folded' };
}

/**
 * Begins to hold it: `seq` was its newest seq before `page`, its newest messages, was read. What the page has beyond `seq` is left out; it
 * comes again in its place. Does nothing when more than that is already held.
 */
export function holdPage(state: ConversationState, seq: number, page: readonly Message[], hasOlder: boolean): ConversationState {
  if (state.isHeld && state.seq >= seq) return state;
  const messages = page.filter((message) => message.seq <= seq);
  return { ...state, isHeld: true, seq, head: Math.max(state.head, seq), messages, from: hasOlder ? (messages[0]?.seq ?? seq + 1) : 0, notices: [] };
}

export const beginPage = (state: ConversationState): ConversationState => ({ ...state, pages: state.pages + 1 });

/** Ends what `beginPage` began, whether or not the page came. */
export const endPage = (state: ConversationState): ConversationState => ({
  ...state,
  pages: state.pages - 1,
  changedElsewhere: state.pages === 1 ? [] : state.changedElsewhere,
});

/** Puts the page before `before` in front. A page that no longer joins what is held is dropped. Between `beginPage` and `endPage`. */
export function foldOlderPage(state: ConversationState, before: number, page: readonly Message[], hasOlder: boolean): ConversationState {
  if (!state.isHeld || state.from !== before) return state;
  const older = page.filter((message) => message.seq < before);
  const joined = { ...state, from: hasOlder ? (older[0]?.seq ?? before) : 0, messages: [...older, ...state.messages] };
  return { ...state.changedElsewhere.reduce(withChange, joined), changedElsewhere: state.changedElsewhere };
}

/** What the inbox says of it. Does not bring events: those come in order. */
export function foldSummary(state: ConversationState, summary: Conversation): ConversationState {
  const described: ConversationState = { ...state, title: summary.title };
  const known = state.isHeld ? state.seq : state.head;
  if (summary.seq < known) return described;
  return {
    ...described,
    head: Math.max(state.head, summary.seq),
    hasLeft: summary.left,
    readSeq: Math.max(state.readSeq, summary.read_seq),
    unreadCount: summary.read_seq >= state.readSeq ? summary.unread_count : state.unreadCount,
    countedSeq: Math.max(state.countedSeq, summary.seq),
    lastMessage: summary.last_message,
    lastActivity: summary.last_activity,
  };
}

export const foldHead = (state: ConversationState, head: number, hasLeft: boolean): ConversationState => ({ ...withHead(state, head), hasLeft });

/** A read mark never goes back. Where every message after it is held they are counted here: the server's count may be older than the newest. */
export function foldRead(state: ConversationState, readSeq: number, unreadCount: number): ConversationState {
  if (readSeq < state.readSeq) return state;
  const isExact = state.isHeld && state.seq >= state.head && state.from <= readSeq + 1;
  return { ...state, readSeq, unreadCount: isExact ? state.messages.filter((message) => message.seq > readSeq).length : unreadCount };
}

const withHead = (state: ConversationState, head: number): ConversationState => (head > state.head ? { ...state, head } : state);

/** What an event says about the conversation as a whole. */
function note(state: ConversationState, change: Change, me: string): ConversationState {
  const noted = { ...state, head: Math.max(state.head, change.seq), lastActivity: change.time };
  switch (change.kind) {
    case 'message':
    case 'action':
      return { ...noted, lastMessage: change.message ?? state.lastMessage, ...count(state, change, me) };
    case 'edit':
    case 'delete':
      return { ...noted, lastMessage: state.lastMessage === null ? null : changed(state.lastMessage, change) };
    case 'created':
    case 'updated':
      return { ...noted, title: change.title ?? state.title };
    case 'joined':
    case 'added':
      return change.user === me ? { ...noted, hasLeft: false } : noted;
    case 'removed':
    case 'left':
      return change.user === me ? { ...noted, hasLeft: true } : noted;
    case 'role':
      return noted;
  }
}

function count(state: ConversationState, { seq, by }: Change, me: string): Pick<ConversationState, 'readSeq' | 'unreadCount' | 'countedSeq'> {
  const countedSeq = Math.max(state.countedSeq, seq);
  if (seq <= state.countedSeq || seq <= state.readSeq) return { readSeq: state.readSeq, unreadCount: state.unreadCount, countedSeq };
  // One's own newest message counts as a mark: who writes has read.
  if (by === me) return { readSeq: seq, unreadCount: 0, countedSeq };
  return { readSeq: state.readSeq, unreadCount: state.unreadCount + 1, countedSeq };
}

/** What an event says about the messages. */
function withChange(state: ConversationState, change: Change): ConversationState {
  switch (change.kind) {
    case 'message':
    case 'action':
      if (change.message === undefined) throw new Error(`the event ${change.seq} of ${state.id} came without its message`);
      return { ...state, messages: [...state.messages, change.message] };
    case 'edit':
    case 'delete': {
      const seq = Number(change.msg_id);
      const index = indexOf(state.messages, seq);
      if (index === -1) return state.pages > 0 && seq < state.from ? { ...state, changedElsewhere: [...state.changedElsewhere, change] } : state;
      return { ...state, messages: state.messages.with(index, changed(state.messages[index]!, change)) };
    }
    default:
      return { ...state, notices: [...state.notices, change] };
  }
}

/** A message after an edit or delete of it: never older than it was, and once deleted, deleted. */
function changed(message: Message, change: Change): Message {
  if (message.msg_id !== change.msg_id || message.deleted === true) return message;
  if (change.kind === 'delete' || change.message?.deleted === true) {
    const { text: _, ...stub } = message;
    return { ...stub, version: Math.max(message.version, change.version ?? 1, change.message?.version ?? 1), deleted: true };
  }
  return change.message !== undefined && change.message.version > message.version ? change.message : message;
}

function trim(state: ConversationState, messagesMax: number): ConversationState {
  const notices = state.notices.length > messagesMax ? state.notices.slice(-messagesMax) : state.notices;
  if (state.messages.length <= messagesMax) return notices === state.notices ? state : { ...state, notices };
  const messages = state.messages.slice(-messagesMax);
  return { ...state, notices, messages, from: messages[0]!.seq };
}

/** Index of the message with this seq, or -1. */
export function indexOf(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = messages[middle]!.seq;
    if (found === seq) return middle;
    if (found < seq) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
