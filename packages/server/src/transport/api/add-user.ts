import { foldName } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { accountOf, submitAccount, toAccount } from '../accounts.ts';
import type { Handler } from '../context.ts';

export const addUser: Handler<'add_user'> = async (context, { user_id, email, password, display_name }) => {
  const userId = foldName(user_id);
  const existing = await accountOf(context, userId);
  if (existing !== undefined && existing.passwordHash !== null) return new Refusal('user_exists');
  const passwordHash = await context.passwords.hash(password);
  if (passwordHash instanceof Refusal) return passwordHash;
  const displayName = display_name ?? existing?.displayName ?? userId;
  const account = await submitAccount(context, { kind: 'register', userId, email, displayName, passwordHash, byAdmin: true });
  return account instanceof Refusal ? account : toAccount(account);
};
