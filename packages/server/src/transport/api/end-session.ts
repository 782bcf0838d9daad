import { Refusal } from '../../node/refusal.ts';
import { submitAccount } from '../accounts.ts';
import type { Handler } from '../context.ts';

export const endSession: Handler<'end_session'> = async (context, { session_id }) => {
  const account = await submitAccount(context, { kind: 'end_session', userId: context.caller.userId, sessionId: session_id });
  return account instanceof Refusal ? account : null;
};
