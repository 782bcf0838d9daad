import { parseConversationId, peerOf } from '@parlance/schema/ids';
import type { Change, Conversation, Message } from '@parlance/schema/types';
import type { ConversationEvent, GroupEvent } from '../journal/record.ts';
import type { InboxEntry, Change as StoredChange } from '../store/port.ts';
import type { EventRow, MessageRow } from '../store/rows.ts';

// From rows and events to what goes over the wire, in one place for every transport.

let second = Number.NaN;
let prefix = '';

/** Milliseconds since 1970 as RFC 3339, UTC. The seconds are remembered, since the times of a page or of a batch lie close together: a tenth of the time. */
export function rfc3339(ms: number): string {
  const ofSecond = ms % 1000;
  if (ms - ofSecond !== second || ofSecond < 0) {
    second = ms - ofSecond;
    prefix = new Date(second).toISOString().slice(0, -4);
    if (ofSecond < 0) return new Date(ms).toISOString();
  }
  return `${prefix}${ofSecond < 10 ? '00' : ofSecond < 100 ? '0' : ''}${ofSecond}Z`;
}

/** A message as it is now; without its text when deleted. */
export function toMessage(row: MessageRow): Message {
  const message: Message = { msg_id: String(row.seq), seq: row.seq, kind: row.kind, author: row.author, version: row.version, time: rfc3339(row.time) };
  if (row.editedTime !== null) message.edited_time = rfc3339(row.editedTime);
  if (row.deleted) message.deleted = true;
  else message.text = row.text;
  return message;
}

/** One event of the history, as GET …/changes and the backlog of a live socket show it. */
export function toChange(change: StoredChange, conversation: string): Change {
  if (change.event === undefined) {
    const { seq, kind, time, author } = change.message;
    return { conversation, seq, kind, time: rfc3339(time), by: author, msg_id: String(seq), message: toMessage(change.message) };
  }
  const { event, message } = change;
  const wire: Change = { conversation, seq: event.seq, kind: event.kind, time: rfc3339(event.time), by: event.by };
  addEventFields(wire, event);
  if (message !== undefined) wire.message = toMessage(message);
  return wire;
}

function addEventFields(wire: Change, event: EventRow): void {
  if (event.messageSeq !== undefined) wire.msg_id = String(event.messageSeq);
  if (event.version !== undefined) wire.version = event.version;
  addGroupFields(wire, event);
}

function addGroupFields(wire: Change, event: Pick<EventRow, 'user' | 'role' | 'title' | 'open'>): void {
  if (event.user !== undefined) wire.user = event.user;
  if (event.role !== undefined) wire.role = event.role;
  if (event.title !== undefined) wire.title = event.title;
  if (event.open !== undefined) wire.open = event.open;
}

/**
 * The frame that pushes an event that has just happened, the same bytes for everybody. It carries the author's client_id, which is the ack on the
 * author's sockets; to others it says nothing, since a client_id counts only together with its author.
 */
export function eventFrame(event: ConversationEvent): string {
  if (event.kind === 'message' || event.kind === 'action') return messageFrame(event);
  const change: Change = { conversation: event.conversation, seq: event.seq, kind: event.kind, time: rfc3339(event.time), by: event.by };
  if (event.kind === 'edit' || event.kind === 'delete') {
    change.msg_id = String(event.message.seq);
    change.version = event.message.version;
    change.message = toMessage(event.message);
  } else {
    addGroupFields(change, event as GroupEvent);
  }
  return JSON.stringify({ type: 'event', ...change, client_id: event.clientId });
}

// The one frame that is made for every message sent: put together by hand, which takes a third of the time of building the object first.
// Names, kinds and conversation ids hold no character that JSON would escape.
function messageFrame(event: ConversationEvent & { kind: 'message' | 'action' }): string {
  const { conversation, seq, kind, by } = event;
  const time = rfc3339(event.time);
  return `{"type":"event","conversation":"${conversation}","seq":${seq},"kind":"${kind}","time":"${time}","by":"${by}","msg_id":"${seq}","message":{"msg_id":"${seq}","seq":${seq},"kind":"${kind}","author":"${by}","version":1,"time":"${time}","text":${JSON.stringify(event.text)}},"client_id":${JSON.stringify(event.clientId)}}`;
}

/** Messages after what `me` has read: the mark, one's own newest message or the joining, whichever is furthest. */
export const unreadOf = ({ head, mark, own, member }: InboxEntry): number =>
  Math.max(0, head.count - Math.max(mark.count, own?.count ?? 0, member.joinedCount));

/** A conversation as `me` sees it. `peerName`: the display name of the other user of a direct one. */
export function toConversation(entry: InboxEntry, me: string, peerName: string | undefined): Conversation {
  const { conversation: row, member, head, lastMessage, mark, own } = entry;
  const parts = parseConversationId(row.conversation);
  const seen = {
    role: member.left === null && row.kind === 'group' ? member.role : null,
    left: member.left !== null,
    seq: head.seq,
    last_message: lastMessage === null ? null : toMessage(lastMessage),
    last_activity: head.seq === 0 ? null : rfc3339(head.time),
    read_seq: Math.max(mark.seq, own?.seq ?? 0, member.joinedCount > 0 ? member.joinedSeq - 1 : 0),
    unread_count: unreadOf(entry),
  };
  if (parts?.kind === 'group') {
    const group = { conversation: row.conversation, kind: 'group' as const, name: parts.name };
    // Who left sees nothing of what came after, not even a new title or who else went.
    if (member.left !== null) return { ...group, title: member.left.title, ...seen };
    return { ...group, title: row.title, open: row.open, member_count: row.memberCount, ...seen };
  }
  const user = peerOf(parts!.users, me);
  return { conversation: row.conversation, kind: 'direct', user, title: peerName ?? user, ...seen };
}
