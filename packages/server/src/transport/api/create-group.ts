import { foldName, groupId } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import type { Handler } from '../context.ts';
import { submitWrite } from '../submit.ts';

export const createGroup: Handler<'create_group'> = async (context, input) => {
  const name = foldName(input.name);
  const { title = name, open = false, client_id } = input;
  const accepted = await submitWrite(context, groupId(name), client_id, { kind: 'create', title, open });
  return accepted instanceof Refusal ? accepted : { ...accepted.fields, name, title, open };
};
