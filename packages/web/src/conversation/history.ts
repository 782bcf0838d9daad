import type { Change, Message } from '@parlance/sdk';

// The messages of an open conversation that lie before those the replica holds: pages that were read backwards from there, or a window somewhere in the middle,
// around a message that was linked to or the first unread one, with a gap to the replica's. Pure functions over plain values.
//
//   1 ······│▒▒▒ window ▒▒▒│······················│■■■ tail (replica) ■■■│ newest      joins: false, the tail is not shown
//   1 ······················│▒▒▒▒▒▒▒ pages ▒▒▒▒▒▒▒│■■■ tail (replica) ■■■│ newest      joins: true, both are shown as one

export interface History {
  /** Sorted by seq, without a gap. */
  readonly messages: readonly Message[];
  /** What else happened, in the range of these messages and of the tail's that were there when it was loaded. Sorted by seq. */
  readonly notices: readonly Change[];
  /** There are older messages than these; null when none are held, and the tail has to say. */
  readonly hasOlder: boolean | null;
  /** Nothing is between these and the tail. */
  readonly joins: boolean;
}

export const noHistory: History = { messages: [], notices: [], hasOlder: null, joins: true };

/** At most so many messages are held beside the tail's; the ones farther from where somebody reads are let go, and can be read again. */
export const historyMax = 1500;

/** Puts the page before the oldest message in front. */
export function withOlder(history: History, page: readonly Message[], notices: readonly Change[], hasOlder: boolean): History {
  const first = history.messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  const older = page.filter(({ seq }) => seq < first);
  return { ...history, messages: [...older, ...history.messages], notices: mergeNotices(notices, history.notices), hasOlder };
}

/** Puts the page after the newest message behind. It joins the tail once it reaches `tailFrom`, the seq from which on the tail has everything. */
export function withNewer(history: History, page: readonly Message[], notices: readonly Change[], reachesEnd: boolean, tailFrom: number): History {
  const last = history.messages.at(-1)?.seq ?? 0;
  const newer = page.filter(({ seq }) => seq > last);
  const messages = [...history.messages, ...newer];
  const joins = history.joins || reachesEnd || (messages.at(-1)?.seq ?? 0) >= tailFrom - 1;
  return {
    ...history,
    messages: joins ? messages.filter(({ seq }) => seq < tailFrom) : messages,
    notices: mergeNotices(history.notices, notices),
    hasOlder: history.hasOlder,
    joins,
  };
}

/** Lets the newest go beyond the most that is held, after older ones came in: a gap to the tail opens. */
export function trimNewest(history: History): History {
  if (history.messages.length <= historyMax) return history;
  const messages = history.messages.slice(0, historyMax);
  const last = messages.at(-1)!.seq;
  return { ...history, messages, notices: history.notices.filter(({ seq }) => seq <= last), joins: false };
}

/** Lets the oldest go beyond the most that is held. */
export function trimOldest(history: History): History {
  if (history.messages.length <= historyMax) return history;
  const messages = history.messages.slice(-historyMax);
  const first = messages[0]!.seq;
  return { ...history, messages, notices: history.notices.filter(({ seq }) => seq >= first), hasOlder: true };
}

/** Brings edits and deletes in. One that is older than what is held changes nothing, as in the replica. */
export function withChanges(history: History, changes: readonly Change[]): History {
  let messages = history.messages;
  for (const change of changes) {
    if (change.kind !== 'edit' && change.kind !== 'delete') continue;
    const index = messages.findIndex(({ msg_id }) => msg_id === change.msg_id);
    const before = messages[index];
    if (before === undefined) continue;
    const now = change.kind === 'delete' ? stubOf(before) : newer(before, change.message);
    if (now !== before) messages = messages.with(index, now);
  }
  return messages === history.messages ? history : { ...history, messages };
}

/** Brings in how messages are that are held already, as they were read again. */
export function withCurrent(history: History, page: readonly Message[]): History {
  const current = new Map(page.map((message) => [message.seq, message]));
  const messages = history.messages.map((before) => newer(before, current.get(before.seq)));
  return messages.every((message, index) => message === history.messages[index]) ? history : { ...history, messages };
}

/** A message never goes back to an earlier version, and once deleted it stays so. */
function newer(before: Message, now: Message | undefined): Message {
  if (now === undefined || before.deleted === true) return before;
  if (now.deleted === true) return stubOf(before);
  return now.version > before.version ? now : before;
}

function stubOf(message: Message): Message {
  if (message.deleted === true) return message;
  const { text: _, ...stub } = message;
  return { ...stub, deleted: true };
}

/** Sorted by seq, each once. */
export function mergeNotices(a: readonly Change[], b: readonly Change[]): readonly Change[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  return [...new Map([...a, ...b].map((one) => [one.seq, one])).values()].sort((one, other) => one.seq - other.seq);
}
