import { Refusal } from '../node/refusal.ts';
import { StoreUnavailable } from '../store/port.ts';
import type { CallContext } from './context.ts';

/** What a thrown error is for whoever made the call. It is logged here, with all that is known, and the answer says nothing of the inside. */
export function refusalOfFailure(error: unknown, { logger, requestId }: Pick<CallContext, 'logger' | 'requestId'>, call: string | undefined): Refusal {
  const about = { err: error, requestId, call };
  if (error instanceof StoreUnavailable) {
    logger.warn(about, 'the store could not be asked');
    return new Refusal('unavailable', { retryAfterS: 1, detail: 'The store cannot be reached. Repeat in a second, and a write with the same client_id.' });
  }
  logger.error(about, 'a call failed');
  return new Refusal('internal');
}
