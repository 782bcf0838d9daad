import { foldName, groupId } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { visibleGroup, writable } from '../access.ts';
import type { Handler } from '../context.ts';
import { submitWrite } from '../submit.ts';

export const updateGroup: Handler<'update_group'> = async (context, { name, title, open, client_id }) => {
  const parts = await writable(context, groupId(foldName(name)));
  if (parts instanceof Refusal) return parts;
  const accepted = await submitWrite(context, parts.id, client_id, { kind: 'update', title: title ?? null, open: open ?? null });
  if (accepted instanceof Refusal) return accepted;
  const { event } = accepted.result;
  if (event !== undefined && 'group' in event) return { ...accepted.fields, name: foldName(name), title: event.group.title, open: event.group.open };
  // Nothing had to change, or it is a repetition: what it asked for, and of the rest how the group is now.
  const found = await visibleGroup(context, parts.id);
  if (found instanceof Refusal) return found;
  return { ...accepted.fields, name: foldName(name), title: title ?? found.group.title, open: open ?? found.group.open };
};
