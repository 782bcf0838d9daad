import type { Change, InboxEntry, Mark, PositionRow, Store } from '../port.ts';
import type { AccountRow, ConversationRow, MemberRow, MessageRow, Row, RowKey } from '../rows.ts';
import { Connection } from './connection.ts';
import { Heads } from './heads.ts';
import { Lists } from './lists.ts';
import { assertOptions, type CassandraOptions } from './options.ts';
import { bucketSeqs } from './places.ts';
import { Reader } from './read.ts';
import { scan } from './scan.ts';
import { Writer } from './write.ts';

// The store on Apache Cassandra. Any number of processes have it open at once; each partition of the journal is applied by whoever decides it, and by two
// at once when they disagree about that, which changes nothing. Everything is read and written at a quorum, so what one node acknowledged every node reads; nothing
// is read at ONE, locked, deleted or written without a timestamp made of the journal's position (timestamp.ts). The journal's order is the only order.
//
// Bounds: a bucket of a conversation holds 4,096 events; members of a group, users and groups are cut into ranges of names; decisions into slices of time. What
// grows without one is a single person's list of memberships and marks: some hundred bytes for each conversation they ever joined.

export class CassandraStore implements Store {
  readonly #connection: Connection;
  readonly #heads: Heads;
  readonly #reader: Reader;
  readonly #lists: Lists;
  readonly #writer: Writer;
  #isClosed = false;

  private constructor(connection: Connection, options: CassandraOptions) {
    this.#connection = connection;
    this.#heads = new Heads(connection, options.bucketSeqs ?? bucketSeqs);
    this.#reader = new Reader(connection, this.#heads);
    this.#lists = new Lists(connection, this.#heads, this.#reader);
    this.#writer = new Writer(connection, this.#heads);
  }

  /** Connects, and makes the keyspace and its tables where they are not there or not new enough. Rejects with a sentence for the operator when something is missing or wrong. */
  static async open(options: CassandraOptions): Promise<CassandraStore> {
    assertOptions(options);
    return new CassandraStore(await Connection.open(options), options);
  }

  async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
    this.#assertOpen();
    await this.#writer.apply(partition, rows, at, follows);
  }

  async position(partition: number): Promise<PositionRow> {
    this.#assertOpen();
    return await this.#heads.position(partition);
  }

  async rows(keys: readonly RowKey[]): Promise<Row[]> {
    this.#assertOpen();
    return await this.#reader.rows(keys);
  }

  async inbox(userId: string, limit: number, after?: { time: number; conversation: string }): Promise<InboxEntry[]> {
    this.#assertOpen();
    return await this.#lists.inbox(userId, limit, after);
  }

  async inboxEntry(userId: string, conversation: string): Promise<InboxEntry | undefined> {
    this.#assertOpen();
    return await this.#lists.inboxEntry(userId, conversation);
  }

  async memberships(userId: string, limit: number): Promise<{ member: MemberRow; seq: number }[]> {
    this.#assertOpen();
    return await this.#lists.memberships(userId, limit);
  }

  async members(conversation: string, limit: number, after?: string): Promise<MemberRow[]> {
    this.#assertOpen();
    return await this.#lists.members(conversation, limit, after);
  }

  async messages(conversation: string, from: number, to: number, limit: number, side: 'first' | 'last'): Promise<MessageRow[]> {
    this.#assertOpen();
    return await this.#reader.messages(conversation, from, to, limit, side);
  }

  async changes(conversation: string, after: number, to: number, limit: number): Promise<Change[]> {
    this.#assertOpen();
    return await this.#reader.changes(conversation, after, to, limit);
  }

  async users(prefix: string, limit: number, after?: string): Promise<AccountRow[]> {
    this.#assertOpen();
    return await this.#lists.users(prefix, limit, after);
  }

  async openGroups(prefix: string, limit: number, after?: string): Promise<ConversationRow[]> {
    this.#assertOpen();
    return await this.#lists.openGroups(prefix, limit, after);
  }

  async mark(conversation: string, userId: string, mark: Mark): Promise<void> {
    this.#assertOpen();
    await this.#writer.mark(userId, conversation, mark);
  }

  scan(): AsyncIterable<Row> {
    this.#assertOpen();
    return scan(this.#connection, this.#heads, this.#reader);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#connection.close();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('The store is closed.');
  }
}
