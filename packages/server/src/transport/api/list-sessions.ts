import { Refusal } from '../../node/refusal.ts';
import { sessionMs } from '../../node/sessions.ts';
import { accountOf } from '../accounts.ts';
import type { Handler } from '../context.ts';
import { rfc3339 } from '../wire.ts';

export const listSessions: Handler<'list_sessions'> = async (context) => {
  const { caller } = context;
  const account = await accountOf(context, caller.userId);
  if (account === undefined) return new Refusal('not_signed_in');
  const sessions = account.sessions
    .filter((session) => !context.sessions.isTooOld(session))
    .map(({ sessionId, createdTime, userAgent }) => ({
      session_id: sessionId,
      created_time: rfc3339(createdTime),
      expires_time: rfc3339(createdTime + sessionMs),
      current: sessionId === caller.sessionId,
      user_agent: userAgent,
    }));
  return { sessions, next_cursor: null };
};
