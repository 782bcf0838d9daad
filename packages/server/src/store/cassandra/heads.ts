import { origin, type PositionRow } from '../port.ts';
import type { HeadRow } from '../rows.ts';
import { concurrently } from './concurrently.ts';
import type { Connection } from './connection.ts';
import { type Columns, head, headColumns, number } from './shape.ts';

// Where heads are, and which of them may be shown.
//
// A head stands in the static columns of its conversation's newest bucket, so that it is written with the rows it is the head of, in one mutation: the one write a
// message costs of its own. Nothing tells a reader of that head that a quorum has the other rows too: what it saw may have come from the one replica that
// has them. So a head is never shown for being there. It carries the partition and position of its record, and beside it the head `before` that record:
//
//     position row of the partition    ≥ the head's position:  the record is whole, every row of it acknowledged: the head is shown
//                                      < the head's position:  it is being applied, or whoever did so died:        `before` is shown
//
// Why that is enough (rule 5 of the design). (1) The position row is written after every row of its record was acknowledged by a quorum, so whoever reads it at a quorum finds
// each of those rows at a quorum, from then on. (2) Records of a partition are applied one after another: when this head was written, the position row was at
// the record before, hence `before` is settled. (3) Nothing is lost by showing `before`: had the apply of the newer record resolved before the read began, the
// position row, read after the head, would have said so. (4) `before` follows from the journal alone: it is the head after all earlier records, whoever applies
// this one and however often. So two who apply the same record write the same.
//
// A conversation that outgrew its first bucket is found by its own row, which names a bucket that the head has reached, and from there on by looking further while
// a bucket is full: one that was left keeps the whole head of the record that left it. Whole, because a reader may come between: it sees that head, nothing yet in
// the next bucket, and then that the record is applied. The row that names the bucket is written after the head is acknowledged there.

/** A head as it stands in a bucket, shown or not. */
export interface FoundHead {
  partition: number;
  position: number;
  bucket: number;
  head: HeadRow;
  before: HeadRow;
}

/** How far a conversation is known to be settled: true for ever, if not the newest. */
export interface Reach {
  seq: number;
  messageSeq: number;
}

/** Conversations remembered; beyond, the memory starts anew. */
const rememberedMax = 100_000;

const headOf = `SELECT DISTINCT conversation, bucket, ${headColumns} FROM timeline WHERE conversation = ? AND bucket = ?`;
const bucketOfConversation = 'SELECT bucket FROM conversation WHERE conversation = ?';
const positionOf = 'SELECT position, last_id, last_command, generation FROM position WHERE partition = ?';

export class Heads {
  readonly bucketSeqs: number;
  readonly #connection: Connection;
  /** By partition, the furthest position row that was read or written here. */
  readonly #positions = new Map<number, number>();
  readonly #reaches = new Map<string, Reach>();

  constructor(connection: Connection, bucketSeqs: number) {
    this.#connection = connection;
    this.bucketSeqs = bucketSeqs;
  }

  bucketOf(seq: number): number {
    return Math.floor(seq / this.bucketSeqs);
  }

  /** The position row of a partition, now. */
  async position(partition: number): Promise<PositionRow> {
    const found = await this.#connection.first(positionOf, [partition]);
    if (found === undefined) return { ...origin };
    const row: PositionRow = {
      position: number(found.position),
      lastId: found.last_id as string,
      lastCommand: number(found.last_command),
      generation: found.generation as string,
    };
    this.reached(partition, row.position);
    return row;
  }

  /** The position row is at least here. */
  reached(partition: number, position: number): void {
    if (position > (this.#positions.get(partition) ?? -1)) this.#positions.set(partition, position);
  }

  /** The heads of those conversations that have one, as they may be shown. */
  async settled(conversations: readonly string[]): Promise<Map<string, HeadRow>> {
    const all = await concurrently(conversations, (conversation) => this.newest(conversation));
    return await this.settle(all.filter((found) => found !== undefined));
  }

  /** Of heads that were found, those to be shown. The position rows are read after the heads were. */
  async settle(found: readonly FoundHead[]): Promise<Map<string, HeadRow>> {
    const partitions = new Set(found.filter((one) => !this.#isSettled(one)).map((one) => one.partition));
    await concurrently([...partitions], (partition) => this.position(partition));
    const heads = new Map<string, HeadRow>();
    for (const one of found) {
      const shown = this.#isSettled(one) ? one.head : one.before;
      if (shown.seq === 0) continue; // Its first record is not whole yet.
      heads.set(shown.conversation, shown);
      this.#remember(shown);
    }
    return heads;
  }

  #isSettled({ partition, position }: FoundHead): boolean {
    return position <= (this.#positions.get(partition) ?? -1);
  }

  /** How far the conversation is settled, as far as somebody knows who asks up to `to`: reads the head only if what is remembered does not reach there. */
  async reach(conversation: string, to: number): Promise<Reach | undefined> {
    const known = this.#reaches.get(conversation);
    if (known !== undefined && known.seq >= to) return known;
    return (await this.settled([conversation])).get(conversation);
  }

  #remember({ conversation, seq, messageSeq }: HeadRow): void {
    if (this.#reaches.size >= rememberedMax) this.#reaches.clear();
    if (seq > (this.#reaches.get(conversation)?.seq ?? 0)) this.#reaches.set(conversation, { seq, messageSeq });
  }

  /** The newest head there is of a conversation, be it settled or not. */
  async newest(conversation: string): Promise<FoundHead | undefined> {
    const reach = this.#reaches.get(conversation);
    const start = await this.at(conversation, reach === undefined ? 0 : this.bucketOf(reach.seq));
    if (start !== undefined && !this.#isFull(start)) return start;
    return await this.beyond(conversation, reach === undefined ? ((await this.#farBucket(conversation)) ?? start) : start);
  }

  /** The newest head, from one on that may stand in a bucket that was left. */
  async beyond(conversation: string, found: FoundHead | undefined): Promise<FoundHead | undefined> {
    let newest = found;
    while (newest !== undefined && this.#isFull(newest)) {
      const next = await this.at(conversation, Math.max(newest.bucket + 1, this.bucketOf(newest.head.seq)));
      if (next === undefined) break;
      newest = next;
    }
    return newest;
  }

  /** The head in one bucket. */
  async at(conversation: string, bucket: number): Promise<FoundHead | undefined> {
    const columns = await this.#connection.first(headOf, [conversation, bucket]);
    return columns === undefined ? undefined : foundHead(columns);
  }

  #isFull({ bucket, head: { seq } }: FoundHead): boolean {
    return this.bucketOf(seq + 1) > bucket;
  }

  async #farBucket(conversation: string): Promise<FoundHead | undefined> {
    const columns = await this.#connection.first(bucketOfConversation, [conversation]);
    const bucket = columns?.bucket ?? null;
    return bucket === null ? undefined : await this.at(conversation, number(bucket));
  }
}

/** What static columns say; undefined where no head ever stood. */
export function foundHead(c: Columns): FoundHead | undefined {
  if (c.head_position === null) return undefined;
  const conversation = c.conversation as string;
  return {
    partition: c.head_partition as number,
    position: number(c.head_position),
    bucket: number(c.bucket),
    head: head(conversation, c, 'head'),
    before: head(conversation, c, 'before'),
  };
}
