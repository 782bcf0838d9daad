import { foldName, groupId } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { writable } from '../access.ts';
import type { Handler } from '../context.ts';
import { submitWrite } from '../submit.ts';

export const removeMember: Handler<'remove_member'> = async (context, { name, user: userInput, client_id }) => {
  const parts = await writable(context, groupId(foldName(name)));
  if (parts instanceof Refusal) return parts;
  const user = foldName(userInput);
  if (!(await context.seen.isUser(user))) return new Refusal('user_not_found');
  const accepted = await submitWrite(context, parts.id, client_id, { kind: 'remove_member', user });
  return accepted instanceof Refusal ? accepted : { ...accepted.fields, user, role: null };
};
