import { Refusal } from '../../node/refusal.ts';
import { submitAccount } from '../accounts.ts';
import type { Handler } from '../context.ts';

export const logOut: Handler<'log_out'> = async (context) => {
  const { userId, sessionId } = context.caller;
  const account = await submitAccount(context, { kind: 'end_session', userId, sessionId });
  // Ended from elsewhere at the same moment: it is over, which is what was asked.
  return account instanceof Refusal && account.code !== 'session_not_found' ? account : null;
};
