import type { Change } from '../port.ts';
import type { EventRow, MessageRow, OwnRow, Row, RowKey } from '../rows.ts';
import { concurrently } from './concurrently.ts';
import type { Connection } from './connection.ts';
import type { Heads } from './heads.ts';
import { lookUp, type PlainKey } from './lookup.ts';
import { memberShardOf } from './places.ts';
import * as shape from './shape.ts';

// Reading by key and along a conversation.
//
// Order matters where one row says how much of the others may be seen. A head is read before the rows it is the head of. Head and conversation are read before
// memberships: a membership read too early would give somebody who was removed meanwhile what came after. And no list goes past the head, where rows may
// stand of a record that is not whole yet.

const range = `SELECT ${shape.laneColumns} FROM timeline WHERE conversation = ? AND bucket = ?`;
const oldest = `${range} AND lane = 0 AND seq >= ? AND seq <= ? LIMIT ?`;
const newest = `${range} AND lane = 0 AND seq >= ? AND seq <= ? ORDER BY lane DESC, seq DESC LIMIT ?`;
const bothLanes = `${range} AND lane IN (0, 1) AND seq >= ? AND seq <= ?`;
const priorMessage = 'SELECT DISTINCT prior_message_seq FROM timeline WHERE conversation = ? AND bucket = ?';
const ownBucket = 'SELECT own_bucket FROM member WHERE conversation = ? AND shard = ? AND user_id = ?';
const ownOf = `SELECT ${shape.ownColumns} FROM own WHERE conversation = ? AND bucket = ? AND user_id = ?`;

/** Buckets read ahead at once when those before held no message. */
const bucketsAhead = 8;

export class Reader {
  readonly #connection: Connection;
  readonly #heads: Heads;

  constructor(connection: Connection, heads: Heads) {
    this.#connection = connection;
    this.#heads = heads;
  }

  async rows(keys: readonly RowKey[]): Promise<Row[]> {
    const heads: string[] = [];
    const conversations: PlainKey[] = [];
    const owns: { conversation: string; userId: string }[] = [];
    const others: PlainKey[] = [];
    for (const key of keys) {
      switch (key.table) {
        case 'head':
          heads.push(key.conversation);
          break;
        case 'conversation':
          conversations.push({ table: 'conversation', conversation: key.conversation });
          break;
        case 'own':
          owns.push(key);
          break;
        case 'member':
          others.push({ table: 'member', conversation: key.conversation, userId: key.userId });
          break;
        default:
          others.push(key);
      }
    }
    const [settled, first] = await Promise.all([this.#heads.settled(heads), this.lookUp(conversations)]);
    const [second, own] = await Promise.all([this.lookUp(others), concurrently(owns, ({ conversation, userId }) => this.own(conversation, userId))]);
    return [...settled.values(), ...first, ...second, ...own.filter((row) => row !== undefined)];
  }

  lookUp(keys: readonly PlainKey[]): Promise<Row[]> {
    return lookUp(this.#connection, keys, (seq) => this.#heads.bucketOf(seq));
  }

  /** Somebody's own newest message. `headSeq`, where it is known, may spare looking for the bucket. */
  async own(conversation: string, userId: string, headSeq?: number): Promise<OwnRow | undefined> {
    const bucket = headSeq !== undefined && this.#heads.bucketOf(headSeq) === 0 ? 0 : await this.#ownBucket(conversation, userId);
    const columns = await this.#connection.first(ownOf, [conversation, bucket, userId]);
    return columns === undefined ? undefined : shape.own(columns);
  }

  async #ownBucket(conversation: string, userId: string): Promise<number> {
    const bucket = (await this.#connection.first(ownBucket, [conversation, memberShardOf(conversation, userId), userId]))?.own_bucket ?? null;
    return bucket === null ? 0 : shape.number(bucket);
  }

  async messages(conversation: string, from: number, to: number, limit: number, side: 'first' | 'last'): Promise<MessageRow[]> {
    const reach = await this.#heads.reach(conversation, to);
    const last = Math.min(to, reach?.messageSeq ?? 0);
    if (from > last || limit < 1) return [];
    return side === 'last' ? await this.#newestMessages(conversation, from, last, limit) : await this.#oldestMessages(conversation, from, last, limit);
  }

  /** From the newest bucket down. One without messages says where the newest before it is, so that any number of buckets of edits costs one step. */
  async #newestMessages(conversation: string, from: number, to: number, limit: number): Promise<MessageRow[]> {
    const found: MessageRow[] = [];
    let bucket = this.#heads.bucketOf(to);
    while (bucket >= this.#heads.bucketOf(from) && found.length < limit) {
      const rows = await this.#connection.all(newest, [conversation, bucket, from, to, limit - found.length]);
      found.push(...rows.map(shape.message));
      bucket = rows.length > 0 ? bucket - 1 : await this.#bucketBefore(conversation, bucket);
    }
    return found.reverse();
  }

  async #bucketBefore(conversation: string, bucket: number): Promise<number> {
    const prior = (await this.#connection.first(priorMessage, [conversation, bucket]))?.prior_message_seq ?? null;
    return prior === null ? bucket - 1 : Math.min(bucket - 1, shape.number(prior) === 0 ? -1 : this.#heads.bucketOf(shape.number(prior)));
  }

  /** From the oldest bucket up; where there is none to be seen, several at once. There is one ahead: `to` is a message, or has one before it. */
  async #oldestMessages(conversation: string, from: number, to: number, limit: number): Promise<MessageRow[]> {
    const found: MessageRow[] = [];
    const end = this.#heads.bucketOf(to);
    let atOnce = 1;
    for (let bucket = this.#heads.bucketOf(from); bucket <= end && found.length < limit; ) {
      const buckets = Array.from({ length: Math.min(atOnce, end - bucket + 1) }, (_, index) => bucket + index);
      const rows = (await concurrently(buckets, (one) => this.#connection.all(oldest, [conversation, one, from, to, limit - found.length]))).flat();
      found.push(...rows.map(shape.message));
      bucket += buckets.length;
      atOnce = bucketsAhead;
    }
    return found.slice(0, limit);
  }

  async changes(conversation: string, after: number, to: number, limit: number): Promise<Change[]> {
    const reach = await this.#heads.reach(conversation, to);
    const last = Math.min(to, reach?.seq ?? 0, after + limit);
    if (last <= after) return [];
    const from = this.#heads.bucketOf(after + 1);
    const buckets = Array.from({ length: this.#heads.bucketOf(last) - from + 1 }, (_, index) => from + index);
    const columns = (await concurrently(buckets, (bucket) => this.#connection.all(bothLanes, [conversation, bucket, after + 1, last]))).flat();
    const bySeq = new Map(columns.map(shape.lane).map((row) => [row.seq, row]));
    const rows: (MessageRow | EventRow)[] = [];
    for (let seq = after + 1, row = bySeq.get(seq); row !== undefined; row = bySeq.get(++seq)) rows.push(row);
    return await this.#withMessages(conversation, rows, bySeq);
  }

  /** Each edit and delete with its message: from the page, or looked up after it. Either was read after the head, so it is at least as the event left it. */
  async #withMessages(conversation: string, rows: (MessageRow | EventRow)[], bySeq: Map<number, MessageRow | EventRow>): Promise<Change[]> {
    const elsewhere = new Set<number>();
    for (const row of rows) if (row.table === 'event' && row.messageSeq !== undefined && !bySeq.has(row.messageSeq)) elsewhere.add(row.messageSeq);
    const found = await this.lookUp([...elsewhere].map((seq) => ({ table: 'message', conversation, seq })));
    const messages = new Map<number, MessageRow>();
    for (const row of [...bySeq.values(), ...found]) if (row.table === 'message') messages.set(row.seq, row);
    return rows.map((row) => {
      if (row.table === 'message') return { message: row };
      const message = row.messageSeq === undefined ? undefined : messages.get(row.messageSeq);
      return message === undefined ? { event: row } : { event: row, message };
    });
  }
}
