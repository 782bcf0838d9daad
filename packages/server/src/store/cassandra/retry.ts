import { policies } from 'cassandra-driver';

type RetryPolicy = policies.retry.RetryPolicy;
type Info = Parameters<RetryPolicy['onRequestError']>[0];
type Consistency = Parameters<RetryPolicy['onRequestError']>[1];

/** Further tries of one request, each on the next node. */
const retriesMax = 2;

/**
 * Asks the next node when one does not answer, answers too late or has not enough of the others. Every statement of the store may be repeated: what it writes has its
 * timestamp with it, so a write that lands twice, or later than one after it, changes nothing. The guard's conditional ones are marked as not repeatable, and the
 * driver does not ask here for them.
 */
export class RetryAll extends policies.retry.RetryPolicy {
  override onUnavailable(info: Info, consistency: Consistency) {
    return this.#decide(info, consistency);
  }

  override onReadTimeout(info: Info, consistency: Consistency) {
    return this.#decide(info, consistency);
  }

  override onWriteTimeout(info: Info, consistency: Consistency) {
    return this.#decide(info, consistency);
  }

  override onRequestError(info: Info, consistency: Consistency) {
    return this.#decide(info, consistency);
  }

  #decide(info: Info, consistency: Consistency) {
    return info.nbRetry < retriesMax ? this.retryResult(consistency, false) : this.rethrowResult();
  }
}
