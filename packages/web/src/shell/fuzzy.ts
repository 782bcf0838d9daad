/**
 * How well what was typed fits a name: null when its letters do not stand in it in that order; else more is better. Letters at the start of a word count most, those
 * that follow one another next, and a short name before a long one. Case and accents make no difference.
 */
export function matchScore(typed: string, name: string): number | null {
  const wanted = fold(typed).replace(/\s+/g, '');
  const text = fold(name);
  if (wanted === '') return 0;
  let score = 0;
  let at = -1;
  for (const [index, letter] of [...wanted].entries()) {
    const next = text.indexOf(letter, at + 1);
    if (next === -1) return null;
    // The start of a later word is meant rather than a letter in the middle of this one, if the rest can follow from there.
    const start = next === at + 1 ? -1 : startOfWord(text, letter, at + 1);
    const rest = [...wanted].slice(index + 1);
    at = start !== -1 && isSubsequence(rest, text.slice(start + 1)) ? start : next;
    score += isStart(text, at) ? 8 : next === at && text[at - 1] === wanted[index - 1] ? 5 : 1;
  }
  return score + (text.startsWith(wanted) ? 10 : 0) - text.length / 100;
}

const fold = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();

const isStart = (text: string, index: number): boolean => index === 0 || /[^\p{L}\p{N}]/u.test(text[index - 1]!);

function startOfWord(text: string, letter: string, from: number): number {
  for (let index = text.indexOf(letter, from); index !== -1; index = text.indexOf(letter, index + 1)) if (isStart(text, index)) return index;
  return -1;
}

function isSubsequence(letters: readonly string[], text: string): boolean {
  let at = 0;
  for (const letter of letters) {
    const next = text.indexOf(letter, at);
    if (next === -1) return false;
    at = next + 1;
  }
  return true;
}

/** Those that fit, the best first; of equals, the order they came in. */
export const bestMatches = <T>(typed: string, all: readonly T[], nameOf: (one: T) => readonly string[]): T[] =>
  all
    .map((one) => ({ one, score: nameOf(one).reduce<number | null>((best, name) => higher(best, matchScore(typed, name)), null) }))
    .filter(({ score }) => score !== null)
    .sort((a, b) => b.score! - a.score!)
    .map(({ one }) => one);

const higher = (a: number | null, b: number | null): number | null => (a === null ? b : b === null ? a : Math.max(a, b));
