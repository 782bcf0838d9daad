import { Refusal } from '../../node/refusal.ts';
import { submitAccount, toMe } from '../accounts.ts';
import type { Handler } from '../context.ts';

export const updateMe: Handler<'update_me'> = async (context, { display_name }) => {
  const account = await submitAccount(context, { kind: 'set_display_name', userId: context.caller.userId, displayName: display_name });
  return account instanceof Refusal ? account : toMe(context, account);
};
