import { createHash } from 'node:crypto';

// A nick of IRC becomes a user id so that two nicks share an id exactly if they are the same nick on IRC. From an id of at most 31
// characters without trailing dot the folded nick can be told again:
//
//   alice        alice            letters, digits, `_` and `-` stay; capitals are folded
//   Zippo^       zippo.5e         anything else becomes '.' and two hexadecimal digits for each byte of its UTF-8
//   a.b          a.2eb            also for the dot itself
//   _bob         0._bob           an id begins with a letter or digit
//   [miles]      0..7bmiles.7d    IRC takes []\~ for the capitals of {}|^
//   (too long)   abcdefghijklmno.h0123456789abcd    the first 15 characters, `.h`, and 14 digits of the SHA-256 of the folded nick
//
// No two of these look alike: after a dot come two hexadecimal digits, except after the leading `0.`, where `_`, `-` or another dot comes,
// and in `.h`, which comes nowhere else. No id ends in a dot; that one is kept for nicks that a group has taken (`besideGroup`).

const idLengthMax = 32;
const digestDigits = 14;

/** The nick as IRC compares it (RFC 2812, section 2.2): A-Z are the capitals of a-z, and []\~ those of {}|^. Beyond ASCII nothing is folded. */
export const foldNick = (nick: string): string =>
  nick.replace(/[A-Z]/g, (letter) => letter.toLowerCase()).replace(/[[\]\\~]/g, (sign) => ({ '[': '{', ']': '}', '\\': '|' })[sign] ?? '^');

/** The user id of a nick. `prefix` goes in front, to keep imported people apart from those of the server; it must itself be a valid user id of at most 12 characters, or empty. */
export function userIdOf(nick: string, prefix = ''): string {
  if (nick === '') throw new Error('a nick has at least one character');
  const folded = foldNick(nick);
  const escaped = Array.from(folded, escapeCharacter).join('');
  const id = /^[a-z0-9]/.test(escaped) ? escaped : `0.${escaped}`;
  // One less than the longest, so that there is room for the dot of `besideGroup`.
  const lengthMax = idLengthMax - 1 - prefix.length;
  if (id.length <= lengthMax) return prefix + id;
  const digest = createHash('sha256').update(folded).digest('hex').slice(0, digestDigits);
  return `${prefix}${id.slice(0, Math.min(15, lengthMax - 2 - digestDigits))}.h${digest}`;
}

const escapeCharacter = (character: string): string =>
  /^[a-z0-9_-]$/.test(character) ? character : Array.from(Buffer.from(character), (byte) => `.${byte.toString(16).padStart(2, '0')}`).join('');

/** The user id beside a group that has the name already: users and groups share one namespace. */
export const besideGroup = (userId: string): string => `${userId}.`;
