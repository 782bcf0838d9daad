import { foldName } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { toAccount } from '../accounts.ts';
import type { Handler } from '../context.ts';
import { nameCursor, pageOf } from '../page.ts';

export const listUsers: Handler<'list_users'> = async ({ node }, { prefix = '', cursor, limit }) => {
  const after = nameCursor(cursor);
  if (after instanceof Refusal) return after;
  const { rows, next_cursor } = await pageOf(
    limit,
    (max) => node.store.users(foldName(prefix), max, after),
    (row) => row.userId,
  );
  return { users: rows.map(toAccount), next_cursor };
};
