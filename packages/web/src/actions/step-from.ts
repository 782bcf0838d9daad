/** The id of the conversation so many steps from the open one; undefined when there is none. */
export function stepFrom(ids: readonly string[], open: string | undefined, step: 1 | -1): string | undefined {
  if (ids.length === 0) return undefined;
  const at = open === undefined ? -1 : ids.indexOf(open);
  if (at === -1) return step === 1 ? ids[0] : ids.at(-1);
  return ids[(at + step + ids.length) % ids.length];
}
