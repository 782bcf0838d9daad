import { pageDefault } from '@parlance/schema/limits';
import { Refusal } from '../../node/refusal.ts';
import { readable } from '../access.ts';
import type { Handler } from '../context.ts';
import { toChange } from '../wire.ts';

export const listChanges: Handler<'list_changes'> = async (context, { conversation, after = 0, limit = pageDefault }) => {
  const where = await readable(context, conversation);
  if (where instanceof Refusal) return where;
  const { id, lastSeq } = where;
  const rows = after < lastSeq ? await context.node.store.changes(id, after, lastSeq, limit) : [];
  const changes = rows.map((row) => toChange(row, id));
  const newest = changes.at(-1)?.seq ?? lastSeq;
  return { changes, next_cursor: newest < lastSeq ? String(newest) : null };
};
