import { Refusal } from '../../node/refusal.ts';
import { accountOf, submitAccount } from '../accounts.ts';
import type { Handler } from '../context.ts';
import { checkPassword } from '../password-check.ts';

export const changePassword: Handler<'change_password'> = async (context, { current_password, new_password }) => {
  const { userId, sessionId } = context.caller;
  const account = await accountOf(context, userId);
  if (account === undefined) return new Refusal('not_signed_in');
  const refusal = await checkPassword(context, userId, account.passwordHash, current_password);
  if (refusal !== undefined) return refusal;
  const passwordHash = await context.passwords.hash(new_password);
  if (passwordHash instanceof Refusal) return passwordHash;
  const { credentialVersion } = account;
  const after = await submitAccount(context, { kind: 'change_password', userId, passwordHash, credentialVersion, keepSessionId: sessionId });
  return after instanceof Refusal ? after : null;
};
