import { type ConversationParts, peerOf } from '@parlance/schema/ids';
import type { Conversation } from '@parlance/schema/types';
import { Refusal } from '../../node/refusal.ts';
import { partsOf, visibleGroup } from '../access.ts';
import { accountOf } from '../accounts.ts';
import type { Handler, SignedIn } from '../context.ts';
import { toConversation } from '../wire.ts';

export const getConversation: Handler<'get_conversation'> = async (context, { conversation }) => {
  const me = context.caller.userId;
  const parts = partsOf(context, conversation);
  if (parts instanceof Refusal) return parts;
  const entry = await context.node.store.inboxEntry(me, parts.id);
  if (parts.kind === 'direct') {
    const peer = await accountOf(context, peerOf(parts.users, me));
    if (peer === undefined) return new Refusal('user_not_found');
    return entry === undefined ? unwritten(parts, me, peer.displayName) : toConversation(entry, me, peer.displayName);
  }
  return entry === undefined ? fromOutside(context, parts) : toConversation(entry, me, undefined);
};

const nothing = { role: null, seq: 0, last_message: null, last_activity: null, read_seq: 0, unread_count: 0 };

/** A direct conversation is there before its first message, empty. */
const unwritten = (parts: ConversationParts & { kind: 'direct' }, me: string, title: string): Conversation => ({
  conversation: parts.id,
  kind: 'direct',
  user: peerOf(parts.users, me),
  title,
  left: false,
  ...nothing,
});

/** An open group that the caller is not in: nothing of it but title and member count. */
async function fromOutside(context: SignedIn, { id, name }: ConversationParts & { kind: 'group' }): Promise<Conversation | Refusal> {
  const found = await visibleGroup(context, id);
  if (found instanceof Refusal) return found;
  const { title, open, memberCount } = found.group;
  return { conversation: id, kind: 'group', name, title, open, member_count: memberCount, left: true, ...nothing };
}
