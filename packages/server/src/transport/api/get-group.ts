import { foldName, groupId } from '@parlance/schema/ids';
import type { Group } from '@parlance/schema/types';
import { Refusal } from '../../node/refusal.ts';
import type { ConversationRow } from '../../store/rows.ts';
import { visibleGroup } from '../access.ts';
import type { Handler } from '../context.ts';

export const getGroup: Handler<'get_group'> = async (context, { name }) => {
  const found = await visibleGroup(context, groupId(foldName(name)));
  if (found instanceof Refusal) return found;
  const { group, member } = found;
  // A former member reads nothing after the leaving, and this would be how the group is now.
  if (!group.open && member?.left !== null) return new Refusal('conversation_not_found');
  return toGroup(group);
};

export const toGroup = ({ conversation, title, open, memberCount }: ConversationRow): Group => ({
  conversation,
  name: conversation.slice('g:'.length),
  title,
  open,
  member_count: memberCount,
});
