import { foldName } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import { hashSecret, newSessionId, newToken, sessionMs } from '../../node/sessions.ts';
import { accountOf, submitAccount } from '../accounts.ts';
import type { Handler } from '../context.ts';
import { checkPassword } from '../password-check.ts';
import { rfc3339 } from '../wire.ts';

export const logIn: Handler<'log_in'> = async (context, { user_id, password }) => {
  const userId = foldName(user_id);
  const account = await accountOf(context, userId);
  const refusal = await checkPassword(context, userId, account?.passwordHash, password);
  if (refusal !== undefined) return refusal;
  const token = newToken();
  const sessionId = newSessionId();
  const after = await submitAccount(context, {
    kind: 'start_session',
    userId,
    sessionId,
    tokenHash: hashSecret(token),
    userAgent: context.userAgent,
    credentialVersion: account!.credentialVersion,
  });
  if (after instanceof Refusal) {
    // The password was changed while it was checked: it is the wrong one now.
    return after.code === 'credentials_changed' || after.code === 'user_not_found' ? new Refusal('wrong_credentials') : after;
  }
  const session = after.sessions.find((candidate) => candidate.sessionId === sessionId);
  if (session === undefined) throw new Error(`session ${sessionId} is not among those of its account after its start`);
  return { token, session_id: sessionId, user_id: userId, expires_time: rfc3339(session.createdTime + sessionMs) };
};
