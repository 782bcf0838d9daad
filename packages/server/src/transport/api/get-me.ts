import { Refusal } from '../../node/refusal.ts';
import { accountOf, toMe } from '../accounts.ts';
import type { Handler } from '../context.ts';

export const getMe: Handler<'get_me'> = async (context) => {
  const account = await accountOf(context, context.caller.userId);
  return account === undefined ? new Refusal('not_signed_in') : toMe(context, account);
};
