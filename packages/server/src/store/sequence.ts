const chunkLength = 32;

/** What stands at one place of a conversation's order. */
export interface Placed {
  seq: number;
  count: number;
  /** The author's number; 0 for an event that is no message. */
  author: number;
}

/**
 * The order of one conversation, filled in any way round: 16 bytes for each place, in small chunks, so that many short conversations take little room and one
 * wrong large seq no more than a right one.
 */
export class Sequence {
  /** In a chunk two numbers for each place: 0 where nothing stands, else one more than the count; and the author. */
  readonly #chunks = new Map<number, Float64Array>();

  /** False when something stands there already. */
  put(seq: number, count: number, author: number): boolean {
    const index = Math.floor(seq / chunkLength);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = new Float64Array(2 * chunkLength);
      this.#chunks.set(index, chunk);
    }
    const place = 2 * (seq % chunkLength);
    if (chunk[place] !== 0) return false;
    chunk[place] = count + 1;
    chunk[place + 1] = author;
    return true;
  }

  at(seq: number): Placed | undefined {
    const chunk = this.#chunks.get(Math.floor(seq / chunkLength));
    const place = 2 * (seq % chunkLength);
    const count = chunk?.[place] ?? 0;
    return count === 0 ? undefined : { seq, count: count - 1, author: chunk![place + 1]! };
  }

  /** What stands anywhere, by seq. */
  *[Symbol.iterator](): Iterator<Placed> {
    for (const index of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      for (let place = 0; place < chunkLength; place++) {
        const placed = this.at(index * chunkLength + place);
        if (placed !== undefined) yield placed;
      }
    }
  }
}
