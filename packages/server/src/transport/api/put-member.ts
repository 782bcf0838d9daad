import { foldName, groupId } from '@parlance/schema/ids';
import type { Role } from '@parlance/schema/types';
import { Refusal } from '../../node/refusal.ts';
import { writable } from '../access.ts';
import type { Handler, SignedIn } from '../context.ts';
import { submitWrite } from '../submit.ts';

export const putMember: Handler<'put_member'> = async (context, { name, user: userInput, role, client_id }) => {
  const parts = await writable(context, groupId(foldName(name)));
  if (parts instanceof Refusal) return parts;
  const user = foldName(userInput);
  if (!(await context.seen.isUser(user))) return new Refusal('user_not_found');
  const accepted = await submitWrite(context, parts.id, client_id, { kind: 'put_member', user, role: role ?? null });
  if (accepted instanceof Refusal) return accepted;
  // Without a role given, who was added is a member; who was one already has the role of before.
  return { ...accepted.fields, user, role: role ?? (accepted.decision.seq > 0 ? 'member' : await roleOf(context, parts.id, user)) };
};

async function roleOf({ node }: SignedIn, conversation: string, userId: string): Promise<Role | null> {
  const [row] = await node.store.rows([{ table: 'member', conversation, userId }]);
  return row?.table === 'member' && row.left === null ? row.role : null;
}
