import { foldName } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { accountOf, submitAccount, toAccount } from '../accounts.ts';
import { limitKeyOf } from '../address.ts';
import type { Handler } from '../context.ts';

export const register: Handler<'register'> = async (context, { user_id, email, password, display_name }) => {
  const { config, limits, passwords, address } = context;
  if (config.registration === 'closed') return new Refusal('registration_closed');
  const left = limits.registrations.take(limitKeyOf(address));
  if (!left.isAllowed) return new Refusal('rate_limited', { retryAfterS: left.retryAfterS });
  const userId = foldName(user_id);
  // The decider says so too; asking first saves the hashing, which is the dear part.
  if ((await accountOf(context, userId)) !== undefined) return new Refusal('user_exists');
  const passwordHash = await passwords.hash(password);
  if (passwordHash instanceof Refusal) return passwordHash;
  const account = await submitAccount(context, { kind: 'register', userId, email, displayName: display_name ?? userId, passwordHash, byAdmin: false });
  return account instanceof Refusal ? account : toAccount(account);
};
