import { foldName } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { accountOf, toAccount } from '../accounts.ts';
import type { Handler } from '../context.ts';

export const getUser: Handler<'get_user'> = async (context, { user }) => {
  const account = await accountOf(context, foldName(user));
  return account === undefined ? new Refusal('user_not_found') : toAccount(account);
};
