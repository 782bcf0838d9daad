import { foldName, groupId } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { visibleGroup } from '../access.ts';
import { accountsOf } from '../accounts.ts';
import type { Handler } from '../context.ts';
import { nameCursor, pageOf } from '../page.ts';

export const listMembers: Handler<'list_members'> = async (context, { name, cursor, limit }) => {
  const id = groupId(foldName(name));
  const found = await visibleGroup(context, id);
  if (found instanceof Refusal) return found;
  if (found.member?.left !== null) return new Refusal('not_a_member');
  const after = nameCursor(cursor);
  if (after instanceof Refusal) return after;
  const { rows, next_cursor } = await pageOf(
    limit,
    (max) => context.node.store.members(id, max, after),
    (row) => row.userId,
  );
  const accounts = await accountsOf(
    context,
    rows.map((row) => row.userId),
  );
  const members = rows.map(({ userId, role, joinedSeq }) => ({
    user: userId,
    display_name: accounts.get(userId)?.displayName ?? userId,
    role,
    joined_seq: joinedSeq,
  }));
  return { members, next_cursor };
};
