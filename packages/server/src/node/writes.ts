import { hash, randomFillSync } from 'node:crypto';
import { textBytesMax } from '@parlance/schema/limits';
import { type Attempt, keyOfConversation } from '../journal/command.ts';
import { partitionOf } from '../journal/port.ts';

// What makes a write findable for ever: the key of its decision, and the fingerprint of its body. Both are computed for every message
// on the thread that also holds the sockets, hence the one-shot hashes: a Hmac object alone costs 4 to 26 µs, all of this about 4.

const blockBytes = 64;
const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** Makes attempts of writes under the installation key. Bodies are fingerprinted with it so that a stored fingerprint does not confirm a guess of a deleted text. */
export class Writes {
  // HMAC (RFC 2104): hash(outerPad, hash(innerPad, body)). The pads stay at the front of two buffers.
  #inner: Buffer;
  readonly #outer = Buffer.alloc(blockBytes + 32);

  constructor(installationKey: Buffer) {
    if (installationKey.length < 16 || installationKey.length > blockBytes) throw new Error('an installation key has 16 to 64 bytes');
    this.#inner = Buffer.alloc(blockBytes + textBytesMax + 1024);
    for (let index = 0; index < blockBytes; index++) {
      this.#inner[index] = (installationKey[index] ?? 0) ^ 0x36;
      this.#outer[index] = (installationKey[index] ?? 0) ^ 0x5c;
    }
  }

  /** `body`: the kind of the write and then every field that makes it what it is, in a fixed order; null for one left out. No field may hold NUL. */
  attempt(conversation: string, author: string, clientId: string, body: readonly (string | number | boolean | null)[]): Attempt {
    return { author, clientId, decisionKey: decisionKey(conversation, author, clientId), fingerprint: this.fingerprint(body) };
  }

  /** The first 128 bits of the HMAC-SHA-256 of the body, in hexadecimal. */
  fingerprint(body: readonly (string | number | boolean | null)[]): string {
    const text = body.join('\0');
    if (text.length * 3 > this.#inner.length - blockBytes) {
      const larger = Buffer.alloc(blockBytes + text.length * 3);
      this.#inner.copy(larger, 0, 0, blockBytes);
      this.#inner = larger;
    }
    const bytes = this.#inner.write(text, blockBytes);
    this.#outer.write(hash('sha256', this.#inner.subarray(0, blockBytes + bytes), 'hex'), blockBytes, 'hex');
    return hash('sha256', this.#outer, 'hex').slice(0, 32);
  }
}

/**
 * The key under which the decision about a write is kept, 40 hexadecimal digits: 13 that tell where to look, then 27 of a hash. For a UUIDv7 the first 12 are the
 * milliseconds inside it, so that decisions made together stand together: with hashes in front, each of a million decisions lies on a page of its own,
 * and writing it costs that page; the 13th is the same for all of a journal partition (while there are 16 or a power of two below), so that those of one record
 * are in one place. For any other client_id they are f and 12 more of the hash; a UUID that claims so late a time is one of those. A function
 * of the three ids alone: no clock is trusted, and a repetition a year later finds the same key.
 */
export function decisionKey(conversation: string, author: string, clientId: string): string {
  const digest = hash('sha256', `${conversation}\0${author}\0${clientId}`, 'hex');
  return placeOf(conversation, clientId, digest) + digest.slice(0, 27);
}

function placeOf(conversation: string, clientId: string, digest: string): string {
  if (clientId.length === 36 && uuidV7.test(clientId)) {
    const ms = (clientId.slice(0, 8) + clientId.slice(9, 13)).toLowerCase();
    if (ms < 'f') return ms + partitionOf(keyOfConversation(conversation), 16).toString(16);
  }
  return `f${digest.slice(27, 39)}`;
}

const random = Buffer.alloc(10 * 256);
let randomUsed = random.length;

/** A UUIDv7 (RFC 9562) of the time `now`, ms since 1970: the client_id of a write that came without one. */
export function newClientId(now: number): string {
  if (randomUsed === random.length) {
    randomFillSync(random);
    randomUsed = 0;
  }
  const hex = random.toString('hex', randomUsed, randomUsed + 10);
  randomUsed += 10;
  const time = now.toString(16).padStart(12, '0');
  const variant = '89ab'[Number.parseInt(hex[3]!, 16) & 3];
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(7, 19)}`;
}
