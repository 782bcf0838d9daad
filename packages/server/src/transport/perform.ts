import { type Access, type Answer, type Call, type CallName, calls } from '@parlance/schema/calls';
import { problems } from '@parlance/schema/errors';
import { Refusal } from '../node/refusal.ts';
import { handlers } from './api/handlers.ts';
import type { CallContext, Handler, HandlerInput, Services, SignedIn } from './context.ts';
import type { Left } from './rate-limit.ts';

// The one way into a call, for every transport: whether it may be made, then the handler, then the count. The input has been validated.

/** Calls that count against a person's writes: all that change something, but for an import, which is one call for hundreds of messages. */
export const isLimited = (name: CallName): boolean => calls[name].method !== 'GET' && calls[name].access === 'session';

/** Why the call may not be made now, by whom it is made or how often; undefined when it may. `onLimit` is told what is left where it is counted. */
export function admit(name: CallName, context: CallContext, onLimit?: (left: Left) => void): Promise<Refusal | undefined> | Refusal | undefined {
  const { caller, sessions, limits } = context;
  const access: Access = calls[name].access;
  if (access === 'public') return undefined;
  if (caller === undefined) return new Refusal('not_signed_in');
  if (access === 'admin') return sessions.isAdmin(caller.userId).then((isAdmin) => (isAdmin ? undefined : new Refusal('admin_only')));
  if (!isLimited(name)) return undefined;
  const left = limits.writes.take(caller.userId);
  onLimit?.(left);
  return left.isAllowed ? undefined : new Refusal('rate_limited', { retryAfterS: left.retryAfterS });
}

/** Makes a call that was admitted. Throws what is broken, never what is refused. */
export function run<N extends CallName>(name: N, context: CallContext, input: HandlerInput<N>): Promise<Answer<N> | Refusal> {
  // Admitted means signed in where that is needed, which the types of a table over all calls cannot say.
  const handler = handlers[name] as unknown as Handler<N>;
  return handler(context as SignedIn as Parameters<typeof handler>[0], input);
}

/** Admits, makes and counts a call. */
export async function perform<N extends CallName>(name: N, context: CallContext, input: HandlerInput<N>): Promise<Answer<N> | Refusal> {
  const admitted = admit(name, context);
  const answer = (admitted instanceof Promise ? await admitted : admitted) ?? (await run(name, context, input));
  count(context, name, answer instanceof Refusal ? answer : undefined);
  return answer;
}

export function count({ metrics }: Services, name: CallName, refusal: Refusal | undefined): void {
  if (refusal === undefined) {
    metrics.called(name, (calls[name] as Call).status ?? 200);
    return;
  }
  metrics.refused(refusal.code);
  metrics.called(name, problems[refusal.code].status);
}
