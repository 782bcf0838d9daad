import { type ConversationParts, peerOf, resolveConversation } from '@parlance/schema/ids';
import { Refusal } from '../node/refusal.ts';
import type { ConversationRow, HeadRow, MemberRow, Row } from '../store/rows.ts';
import type { SignedIn } from './context.ts';

// Who sees which conversation. A member sees all of it; a former member up to the event that ended the membership; others see that an open group
// is there and nothing in it; and for them a closed group is answered exactly like one that does not exist.

const conversationNotFound = (): Refusal => new Refusal('conversation_not_found');

/** Which conversation is meant, if the caller may be in it at all; it need not exist. */
export function partsOf(context: SignedIn, reference: string): ConversationParts | Refusal {
  const me = context.caller.userId;
  const parts = resolveConversation(reference, me);
  if (parts === undefined || (parts.kind === 'direct' && !parts.users.includes(me))) return conversationNotFound();
  return parts;
}

/**
 * The conversation of a write, looked at just before it is submitted: whether the other user or the group is there for the caller. What the caller may do in it is decided
 * at the write's place in the order. That somebody exists or is or was a member never stops being true, so it is read once.
 */
export async function writable(context: SignedIn, reference: string): Promise<ConversationParts | Refusal> {
  const parts = partsOf(context, reference);
  if (parts instanceof Refusal) return parts;
  const { caller, seen } = context;
  if (parts.kind === 'direct') return (await seen.isUser(peerOf(parts.users, caller.userId))) ? parts : new Refusal('user_not_found');
  if (seen.isMember(parts.id, caller.userId)) return parts;
  const { group, member } = await look(context, parts.id);
  if (member === undefined && !group?.open) return conversationNotFound();
  if (member !== undefined) seen.addMember(parts.id, caller.userId);
  return parts;
}

/** A conversation that the caller may read, and how far. */
export interface Readable {
  id: string;
  /** Newest seq that the caller may read; 0 in a direct conversation that nobody wrote in. */
  lastSeq: number;
}

/** The conversation of a read; refuses who may not read in it. */
export async function readable(context: SignedIn, reference: string): Promise<Readable | Refusal> {
  const parts = partsOf(context, reference);
  if (parts instanceof Refusal) return parts;
  const { id } = parts;
  const { group, member, head } = await look(context, id);
  if (member !== undefined) return { id, lastSeq: member.left?.seq ?? head?.seq ?? 0 };
  if (parts.kind === 'group') return group?.open ? new Refusal('not_a_member') : conversationNotFound();
  return (await context.seen.isUser(peerOf(parts.users, context.caller.userId))) ? { id, lastSeq: 0 } : new Refusal('user_not_found');
}

/** The group, if the caller is a member of it or it is open to see. */
export async function visibleGroup(context: SignedIn, id: string): Promise<{ group: ConversationRow; member: MemberRow | undefined } | Refusal> {
  const { group, member } = await look(context, id);
  if (group === undefined || (member === undefined && !group.open)) return conversationNotFound();
  return { group, member };
}

async function look(context: SignedIn, conversation: string): Promise<{ group?: ConversationRow; member?: MemberRow; head?: HeadRow }> {
  const { node, caller } = context;
  const rows: Row[] = await node.store.rows([
    { table: 'conversation', conversation },
    { table: 'member', conversation, userId: caller.userId },
    { table: 'head', conversation },
  ]);
  const found: { group?: ConversationRow; member?: MemberRow; head?: HeadRow } = {};
  for (const row of rows) {
    if (row.table === 'conversation') found.group = row;
    else if (row.table === 'member') found.member = row;
    else if (row.table === 'head') found.head = row;
  }
  return found;
}
