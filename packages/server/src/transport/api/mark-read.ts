import { Refusal } from '../../node/refusal.ts';
import type { Mark } from '../../store/port.ts';
import { readable } from '../access.ts';
import type { Handler, SignedIn } from '../context.ts';
import { unreadOf } from '../wire.ts';

export const markRead: Handler<'mark_read'> = async (context, { conversation, seq }) => {
  const where = await readable(context, conversation);
  if (where instanceof Refusal) return where;
  const { node, caller } = context;
  const { userId } = caller;
  const entry = await node.store.inboxEntry(userId, where.id);
  if (entry === undefined) return { conversation: where.id, read_seq: 0, unread_count: 0 }; // Nobody has written there yet.
  const wanted = Math.min(seq, where.lastSeq);
  const isForward = wanted > Math.max(entry.mark.seq, entry.own?.seq ?? 0);
  const mark = isForward ? await markAt(context, where.id, wanted) : entry.mark;
  const read_seq = Math.max(mark.seq, entry.own?.seq ?? 0);
  const unread_count = unreadOf({ ...entry, mark });
  if (isForward) {
    try {
      await node.store.mark(where.id, userId, mark);
    } catch (error) {
      // The disk does not take writes, which the operator hears here and the client as with every other write; repeating it is safe, since a mark never goes back.
      context.logger.warn({ err: error, requestId: context.requestId }, 'a read mark could not be stored');
      return new Refusal('unavailable', { retryAfterS: 1 });
    }
    node.journal.signal({ kind: 'read', userId, conversation: where.id, readSeq: read_seq, unreadCount: unread_count });
  }
  return { conversation: where.id, read_seq, unread_count };
};

/** The mark at a seq: every event, whichever lane it is in, carries how many messages there were. */
async function markAt({ node }: SignedIn, conversation: string, seq: number): Promise<Mark> {
  const [row] = await node.store.rows([
    { table: 'message', conversation, seq },
    { table: 'event', conversation, seq },
  ]);
  if (row?.table !== 'message' && row?.table !== 'event') throw new Error(`there is no event ${seq} in ${conversation}, though the head is at or past it`);
  return { seq, count: row.count };
}
