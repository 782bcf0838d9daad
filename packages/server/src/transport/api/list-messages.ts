import { pageDefault } from '@parlance/schema/limits';
import { Refusal } from '../../node/refusal.ts';
import type { Store } from '../../store/port.ts';
import type { MessageRow } from '../../store/rows.ts';
import { type Readable, readable } from '../access.ts';
import type { Handler } from '../context.ts';
import { messageSeqOf } from '../submit.ts';
import { invalid } from '../validate.ts';
import { toMessage } from '../wire.ts';

export const listMessages: Handler<'list_messages'> = async (context, { conversation, before, after, around, limit = pageDefault }) => {
  const given = Object.entries({ before, after, around }).filter(([, value]) => value !== undefined);
  if (given.length > 1) return invalid(given[1]![0], `cannot be given together with "${given[0]![0]}"`);
  const where = await readable(context, conversation);
  if (where instanceof Refusal) return where;
  const { store } = context.node;
  const page =
    after !== undefined
      ? await pageAfter(store, where, messageSeqOf(after), limit)
      : around !== undefined
        ? await pageAround(store, where, messageSeqOf(around), limit)
        : await pageBefore(store, where, before === undefined ? where.lastSeq + 1 : messageSeqOf(before), limit);
  return { messages: page.rows.map(toMessage), next_cursor: page.next === undefined ? null : String(page.next.seq) };
};

interface Page {
  rows: MessageRow[];
  /** The last row in the direction of reading, when there are more beyond it. */
  next: MessageRow | undefined;
}

async function pageBefore(store: Store, { id, lastSeq }: Readable, before: number, limit: number): Promise<Page> {
  const rows = await store.messages(id, 1, Math.min(before - 1, lastSeq), limit + 1, 'last');
  const hasMore = rows.length > limit;
  if (hasMore) rows.shift();
  return { rows, next: hasMore ? rows[0] : undefined };
}

async function pageAfter(store: Store, { id, lastSeq }: Readable, after: number, limit: number): Promise<Page> {
  const rows = await store.messages(id, after + 1, lastSeq, limit + 1, 'first');
  const hasMore = rows.length > limit;
  if (hasMore) rows.pop();
  return { rows, next: hasMore ? rows.at(-1) : undefined };
}

/** Half of the page leads up to and with the message, half follows it; its cursor goes on with older ones. */
async function pageAround(store: Store, where: Readable, around: number, limit: number): Promise<Page> {
  const older = await pageBefore(store, where, around + 1, Math.ceil(limit / 2));
  const newer = await pageAfter(store, where, around, Math.floor(limit / 2));
  return { rows: [...older.rows, ...newer.rows], next: older.next };
}
