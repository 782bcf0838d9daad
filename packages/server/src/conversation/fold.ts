import { parseConversationId } from '@parlance/schema/ids';
import type { ConversationEvent, MessageEvent } from '../journal/record.ts';
import type { EventRow, MemberRow, Row } from '../store/rows.ts';

/** The rows that an event makes, derived from the event alone: whole and absolute, the same however often and by whomever they are written. */
export function fold(event: ConversationEvent): Row[] {
  const { conversation, seq, time, count, messageSeq, activity } = event;
  const head: Row = { table: 'head', conversation, seq, count, messageSeq, time: activity };
  switch (event.kind) {
    case 'message':
    case 'action': {
      const rows: Row[] = [
        {
          table: 'message',
          conversation,
          seq,
          kind: event.kind,
          author: event.by,
          text: event.text,
          time,
          version: 1,
          editedTime: null,
          deleted: false,
          count,
        },
        head,
      ];
      if (event.imported !== true) rows.push({ table: 'own', conversation, userId: event.by, seq, count });
      if (event.first === true) rows.push(...rowsOfFirst(event));
      return rows;
    }
    case 'edit':
    case 'delete': {
      const { seq: about, version } = event.message;
      return [event.message, { table: 'event', conversation, seq, kind: event.kind, by: event.by, time, count, messageSeq: about, version }, head];
    }
    default: {
      const row: EventRow = { table: 'event', conversation, seq, kind: event.kind, by: event.by, time, count };
      if (event.user !== undefined) row.user = event.user;
      if (event.role !== undefined) row.role = event.role;
      if (event.title !== undefined) row.title = event.title;
      if (event.open !== undefined) row.open = event.open;
      return [row, event.group, ...event.members, head];
    }
  }
}

/** A direct conversation begins with its first message: from then on it stands in the inbox of both, all of it unread before. */
function rowsOfFirst({ conversation, time }: MessageEvent): Row[] {
  const parts = parseConversationId(conversation);
  if (parts?.kind !== 'direct') throw new Error(`a first message in ${conversation}, which is not a direct conversation`);
  const users = [...new Set(parts.users)];
  return [
    { table: 'conversation', conversation, kind: 'direct', title: '', open: false, memberCount: users.length, createdTime: time },
    ...users.map((userId): MemberRow => ({ table: 'member', conversation, userId, role: 'member', joinedSeq: 1, joinedCount: 0, left: null })),
  ];
}
