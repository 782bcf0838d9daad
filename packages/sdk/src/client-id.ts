/**
 * A UUIDv7 (RFC 9562, section 5.7): the time in ms, then random bits. The server finds one again fastest among the keys of a conversation.
 * `random` answers numbers in [0, 1).
 */
export function makeClientId(now: number, random: () => number): string {
  const time = Math.floor(now).toString(16).padStart(12, '0');
  const variant = (8 + Math.floor(random() * 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3, random)}-${variant}${digits(3, random)}-${digits(6, random)}${digits(6, random)}`;
}

const digits = (count: number, random: () => number): string =>
  Math.floor(random() * 16 ** count)
    .toString(16)
    .padStart(count, '0');
