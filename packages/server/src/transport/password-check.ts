import type { AttemptGuard } from '../node/passwords.ts';
import { Refusal } from '../node/refusal.ts';
import { limitKeyOf } from './address.ts';
import type { CallContext } from './context.ts';

/**
 * Checks a password, with the limits of failed attempts. Undefined when it is right. The answer and its time are the same for a wrong password, an unknown user
 * and an account without a password.
 */
export async function checkPassword(
  context: CallContext,
  userId: string,
  passwordHash: string | null | undefined,
  password: string,
): Promise<Refusal | undefined> {
  const { limits, passwords } = context;
  const address = limitKeyOf(context.address);
  const guard: AttemptGuard = {
    refusal() {
      const retryAfterS = limits.logIns.waitS(userId, address);
      return retryAfterS === 0
        ? undefined
        : new Refusal('rate_limited', { retryAfterS, detail: 'Too many failed attempts. Wait as long as Retry-After says.' });
    },
    checked(fits) {
      if (fits) limits.logIns.succeeded(userId, address);
      else limits.logIns.failed(userId, address);
    },
  };
  // Asked before the queue too: who has used up the limit does not get to fill it.
  const fits = guard.refusal() ?? (await passwords.verify(passwordHash, password, guard));
  if (fits instanceof Refusal) return fits;
  return fits ? undefined : new Refusal('wrong_credentials');
}
