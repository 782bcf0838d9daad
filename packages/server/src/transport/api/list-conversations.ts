import { parseConversationId, peerOf } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import type { InboxEntry } from '../../store/port.ts';
import { accountsOf } from '../accounts.ts';
import type { Handler } from '../context.ts';
import { badCursor, pageOf } from '../page.ts';
import { toConversation } from '../wire.ts';

export const listConversations: Handler<'list_conversations'> = async (context, { cursor, limit }) => {
  const { node, caller } = context;
  const after = parseCursor(cursor);
  if (after instanceof Refusal) return after;
  const { rows, next_cursor } = await pageOf(limit, (max) => node.store.inbox(caller.userId, max, after), cursorOf);
  const peers = new Map(rows.map((entry) => [entry, peerIn(entry, caller.userId)]));
  const accounts = await accountsOf(context, [...new Set([...peers.values()].filter((peer) => peer !== undefined))]);
  const conversations = rows.map((entry) => toConversation(entry, caller.userId, accounts.get(peers.get(entry) ?? '')?.displayName));
  return { conversations, next_cursor };
};

function peerIn({ conversation }: InboxEntry, me: string): string | undefined {
  const parts = parseConversationId(conversation.conversation);
  return parts?.kind === 'direct' ? peerOf(parts.users, me) : undefined;
}

const cursorOf = ({ head, conversation }: InboxEntry): string => `${head.time},${conversation.conversation}`;

function parseCursor(cursor: string | undefined): { time: number; conversation: string } | undefined | Refusal {
  if (cursor === undefined) return undefined;
  const found = /^(-?\d{1,16}),(.+)$/.exec(cursor);
  if (found === null || parseConversationId(found[2]!) === undefined) return badCursor();
  return { time: Number(found[1]), conversation: found[2]! };
}
