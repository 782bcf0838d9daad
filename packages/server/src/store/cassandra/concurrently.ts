/** Requests of one call under way at the same time. */
const requestsMax = 32;

/** Does the work for every item, at most 32 at a time; answers in the order of the items. Rejects with the first failure, and begins nothing after it. */
export async function concurrently<T, R>(items: readonly T[], work: (item: T, index: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  let hasFailed = false;
  const worker = async (): Promise<void> => {
    while (next < items.length && !hasFailed) {
      const index = next++;
      try {
        results[index] = await work(items[index]!, index);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(requestsMax, items.length) }, worker));
  return results;
}
