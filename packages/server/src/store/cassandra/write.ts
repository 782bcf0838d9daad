import { types } from 'cassandra-driver';
import type { Mark, PositionRow } from '../port.ts';
import type { ConversationRow, DecisionRow, EventRow, HeadRow, MemberRow, MessageRow, OwnRow, Row } from '../rows.ts';
import { concurrently } from './concurrently.ts';
import type { Connection } from './connection.ts';
import type { Heads } from './heads.ts';
import { insert, Mutations } from './mutations.ts';
import { decisionSliceOf, directoryShardOf, memberShardOf } from './places.ts';
import { eventLane, messageLane, noTime, number } from './shape.ts';
import { positionAt, timestampOf } from './timestamp.ts';

// Writes the rows of one record, in three steps, each begun when a quorum has acknowledged all of the one before:
//
//   rows        everything, with the heads, which nobody shows yet (see heads.ts)
//   pointers    what says that other rows are there: the end of a membership, up to which its subject still sees; in which bucket a head or an own message is
//   position    the position row: now the heads are shown
//
// The second is empty for almost every record. What is written follows from the record and from what earlier ones left, so whoever does it again, at the same
// time or after a failure, writes the same at the same timestamps. Text that was deleted or replaced is overwritten in its row: no reader sees
// it again. Its bytes leave a node's files when compaction next merges those that hold the old and the new row; `nodetool garbagecollect -g CELL KEYSPACE timeline`
// does so at once, and an operator who must be sure by a date runs it by then, on every node, and removes older snapshots and commit logs.

const position = insert('position', 'partition, position, last_id, last_command, generation');
const installation = insert('installation', 'no, admin_link_hash, admins');
const account = insert('account', 'shard, user_id, display_name, email, password_hash, credential_version, created_time, sessions');
const session = insert('session', 'token_hash, session_id, user_id, created_time, ended');
const conversation = insert('conversation', 'conversation, kind, title, open, member_count, created_time');
const conversationBucket = insert('conversation', 'conversation, bucket');
const openGroup = insert('open_group', 'shard, conversation, kind, title, open, member_count, created_time');
const membershipColumns =
  'conversation, user_id, joined_position, role, joined_seq, joined_count, left_seq, left_count, left_message_seq, left_time, left_title';
const member = insert('member', `shard, ${membershipColumns}`);
const memberOwnBucket = insert('member', 'conversation, shard, user_id, own_bucket');
const membership = insert('membership', membershipColumns);
const message = insert('timeline', 'conversation, bucket, lane, seq, kind, author, time, count, text, version, edited_time, deleted');
const event = insert('timeline', 'conversation, bucket, lane, seq, kind, author, time, count, detail');
const head = insert(
  'timeline',
  'conversation, bucket, head_partition, head_position, head_seq, head_count, head_message_seq, head_time, before_seq, before_count, before_message_seq, before_time',
);
const priorMessage = insert('timeline', 'conversation, bucket, prior_message_seq');
const own = insert('own', 'conversation, bucket, user_id, seq, count');
const decision = insert('decision', 'slice, key, fingerprint, seq, message_seq, version, time, code');
const mark = insert('mark', 'user_id, conversation, seq, count');

const joinedOf = 'SELECT joined_seq, joined_position, WRITETIME(role) AS written FROM member WHERE conversation = ? AND shard = ? AND user_id = ?';
const openGroupOf = 'SELECT open FROM open_group WHERE shard = ? AND conversation = ?';

/** Heads and own messages remembered of one partition; beyond, the memory starts anew. */
const rememberedMax = 50_000;

/** The record is already applied, and later ones too: somebody else did it meanwhile. */
class Overtaken extends Error {}

/** What this process itself knows of a partition while nobody else applies in it. */
interface Memory {
  /** Where the position row was when it was put together: if it is elsewhere now, somebody else was here. */
  position: number;
  heads: Map<string, HeadRow>;
  /** By conversation and person: the bucket that the member row points to. */
  ownBuckets: Map<string, number>;
}

/** The rows of one record. */
interface Batch {
  partition: number;
  at: PositionRow;
  memory: Memory;
  rows: Mutations;
  pointers: Mutations;
  /** Conversations that begin with it: a group by its `created`, a direct one by its row, which is written with the first message and never again. */
  made: Set<string>;
  /** The keys of all messages and events in it, as `conversation/seq`. */
  lanes: Set<string>;
  messages: Map<string, MessageRow[]>;
}

export class Writer {
  readonly #connection: Connection;
  readonly #heads: Heads;
  readonly #memories = new Map<number, Memory>();

  constructor(connection: Connection, heads: Heads) {
    this.#connection = connection;
    this.#heads = heads;
  }

  /** `Store.apply`. */
  async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
    const row = await this.#heads.position(partition);
    if (row.position >= at.position) return;
    if (row.lastId !== follows) {
      throw new Error(`The store is at record '${row.lastId}' of partition ${partition}, not at '${follows}': another writer was here.`);
    }
    const known = this.#memories.get(partition);
    this.#memories.delete(partition); // Until it is known to be true again.
    const memory = known?.position === row.position ? known : { position: row.position, heads: new Map(), ownBuckets: new Map() };
    try {
      await this.#write(partition, rows, at, memory);
    } catch (error) {
      if (error instanceof Overtaken && (await this.#heads.position(partition)).position >= at.position) return;
      throw error;
    }
    this.#heads.reached(partition, at.position);
    if (memory.heads.size + memory.ownBuckets.size <= rememberedMax) this.#memories.set(partition, { ...memory, position: at.position });
  }

  async mark(userId: string, conversationId: string, { seq, count }: Mark): Promise<void> {
    const mutations = new Mutations(types.Long.fromNumber(seq));
    mutations.add(userId, mark, [userId, conversationId, seq, count]);
    await mutations.write(this.#connection);
  }

  async #write(partition: number, rows: readonly Row[], at: PositionRow, memory: Memory): Promise<void> {
    const timestamp = timestampOf(at.position);
    const batch: Batch = {
      partition,
      at,
      memory,
      rows: new Mutations(timestamp),
      pointers: new Mutations(timestamp),
      made: new Set(rows.flatMap((row) => (row.table === 'conversation' && row.kind === 'direct' ? row.conversation : []))),
      lanes: new Set(),
      messages: new Map(),
    };
    const asking: (HeadRow | MemberRow | ConversationRow)[] = [];
    for (const row of rows) {
      if (row.table === 'head' || row.table === 'member' || row.table === 'conversation') asking.push(row);
      else this.#addPlain(batch, row);
    }
    await concurrently(asking, async (row) => {
      if (row.table === 'head') await this.#addHead(batch, row);
      else if (row.table === 'member') await this.#addMember(batch, row);
      else await this.#addConversation(batch, row);
    });
    await batch.rows.write(this.#connection);
    await batch.pointers.write(this.#connection);
    const last = new Mutations(timestamp);
    last.add('position', position, [partition, at.position, at.lastId, at.lastCommand, at.generation]);
    await last.write(this.#connection);
  }

  /** A head, in its bucket, with the one before it; and where it has come to a new bucket, what that and the one it left need. */
  async #addHead(batch: Batch, row: HeadRow): Promise<void> {
    const { rows, pointers, memory } = batch;
    const id = row.conversation;
    const before = memory.heads.get(id) ?? (await this.#headBefore(batch, id));
    memory.heads.set(id, row);
    const first = this.#heads.bucketOf(before.seq);
    const newest = this.#heads.bucketOf(row.seq);
    this.#putHead(batch, newest, row, before);
    if (newest === first) return;
    const entered = new Set([...this.#bucketsOf(batch, id), newest].filter((bucket) => bucket > first));
    for (const bucket of entered) {
      const start = bucket * this.#heads.bucketSeqs;
      const messages = (batch.messages.get(id) ?? []).filter(({ seq }) => seq < start);
      rows.add(`timeline/${id}/${bucket}`, priorMessage, [id, bucket, Math.max(before.messageSeq, ...messages.map(({ seq }) => seq))]);
    }
    // Whoever looks for the head in a bucket that it has left is sent on by it.
    for (const bucket of [first, ...entered]) if (bucket < newest) this.#putHead(batch, bucket, row, before);
    pointers.add(`conversation/${id}`, conversationBucket, [id, newest]);
  }

  #putHead({ rows, partition, at }: Batch, bucket: number, { conversation: id, seq, count, messageSeq, time }: HeadRow, before: HeadRow): void {
    const values = [id, bucket, partition, at.position, seq, count, messageSeq, time, before.seq, before.count, before.messageSeq, before.time];
    rows.add(`timeline/${id}/${bucket}`, head, values);
  }

  #bucketsOf({ lanes }: Batch, id: string): number[] {
    const buckets: number[] = [];
    for (const lane of lanes) {
      const slash = lane.lastIndexOf('/');
      if (lane.slice(0, slash) === id) buckets.push(this.#heads.bucketOf(Number(lane.slice(slash + 1))));
    }
    return buckets;
  }

  /** The head as all records before this one left it. This one may be there already in part, with the head before it beside its own. */
  async #headBefore({ at, made }: Batch, id: string): Promise<HeadRow> {
    const found = made.has(id) ? undefined : await this.#heads.newest(id);
    if (found === undefined) return { table: 'head', conversation: id, seq: 0, count: 0, messageSeq: 0, time: 0 };
    if (found.position > at.position) throw new Overtaken(`The head of ${id} is from position ${found.position}, after ${at.position}.`);
    return found.position === at.position ? found.before : found.head;
  }

  async #addMember(batch: Batch, row: MemberRow): Promise<void> {
    const { conversation: id, userId, left } = row;
    const joined = await this.#joinedPosition(batch, row);
    const values = [id, userId, joined, row.role, row.joinedSeq, row.joinedCount];
    values.push(...(left === null ? [0, 0, 0, 0, ''] : [left.seq, left.count, left.messageSeq, left.time, left.title]));
    const shard = memberShardOf(id, userId);
    // The end of a membership is a head to whom it ended for: up to there is shown what there is, so all of that must be there before.
    const mutations = left === null ? batch.rows : batch.pointers;
    mutations.add(`member/${id}/${shard}`, member, [shard, ...values]);
    mutations.add(`membership/${userId}`, membership, values);
  }

  /** The position of the record that began this membership: this one, if the event is in it. Otherwise the row that is there knows. */
  async #joinedPosition({ lanes, at }: Batch, { conversation: id, userId, joinedSeq }: MemberRow): Promise<number> {
    if (lanes.has(`${id}/${joinedSeq}`)) return at.position;
    const found = await this.#connection.first(joinedOf, [id, memberShardOf(id, userId), userId]);
    if (found === undefined || found.written === null) return at.position;
    const written = positionAt(found.written as types.Long);
    if (written > at.position) throw new Overtaken(`The membership of ${userId} in ${id} is from position ${written}, after ${at.position}.`);
    return number(found.joined_seq) === joinedSeq ? number(found.joined_position) : at.position;
  }

  async #addConversation({ rows }: Batch, row: ConversationRow): Promise<void> {
    const { conversation: id, kind, open } = row;
    const values = [id, kind, row.title, open, row.memberCount, row.createdTime];
    rows.add(`conversation/${id}`, conversation, values);
    if (kind !== 'group') return;
    const shard = directoryShardOf(id.slice(2));
    // Closed groups stand in the directory only where they were open once: else those who list the open ones would read past all of them.
    if (open || (await this.#connection.first(openGroupOf, [shard, id])) !== undefined) rows.add(`open_group/${shard}`, openGroup, [shard, ...values]);
  }

  /** Rows that nothing has to be known for. */
  #addPlain(batch: Batch, row: Exclude<Row, HeadRow | MemberRow | ConversationRow>): void {
    switch (row.table) {
      case 'message':
        addMessage(batch, row, this.#heads.bucketOf(row.seq));
        return;
      case 'event':
        addEvent(batch, row, this.#heads.bucketOf(row.seq));
        return;
      case 'own':
        addOwn(batch, row, this.#heads.bucketOf(row.seq));
        return;
      case 'decision':
        addDecision(batch, row);
        return;
      case 'account': {
        const shard = directoryShardOf(row.userId);
        const sessions = JSON.stringify(row.sessions);
        const values = [shard, row.userId, row.displayName, row.email, row.passwordHash ?? '', row.credentialVersion, row.createdTime, sessions];
        batch.rows.add(`account/${shard}`, account, values, sessions.length);
        return;
      }
      case 'session':
        batch.rows.add(`session/${row.tokenHash}`, session, [row.tokenHash, row.sessionId, row.userId, row.createdTime, row.ended]);
        return;
      case 'installation':
        batch.rows.add('installation', installation, [1, row.adminLinkHash, JSON.stringify(row.admins)]);
    }
  }
}

function addMessage({ rows, lanes, messages }: Batch, row: MessageRow, bucket: number): void {
  const { conversation: id, seq, kind, author, time, count, version, deleted } = row;
  const text = deleted ? '' : row.text;
  const values = [id, bucket, messageLane, seq, kind, author, time, count, text, version, row.editedTime ?? noTime, deleted];
  rows.add(`timeline/${id}/${bucket}`, message, values, text.length);
  lanes.add(`${id}/${seq}`);
  const known = messages.get(id);
  if (known === undefined) messages.set(id, [row]);
  else known.push(row);
}

function addEvent({ rows, lanes, made }: Batch, row: EventRow, bucket: number): void {
  const { table, conversation: id, seq, kind, by, time, count, ...detail } = row;
  rows.add(`timeline/${id}/${bucket}`, event, [id, bucket, eventLane, seq, kind, by, time, count, JSON.stringify(detail)]);
  lanes.add(`${id}/${seq}`);
  if (kind === 'created') made.add(id);
}

function addOwn({ rows, pointers, memory }: Batch, { conversation: id, userId, seq, count }: OwnRow, bucket: number): void {
  rows.add(`timeline/${id}/${bucket}`, own, [id, bucket, userId, seq, count]);
  if (bucket === 0 || memory.ownBuckets.get(`${id}/${userId}`) === bucket) return;
  const shard = memberShardOf(id, userId);
  pointers.add(`member/${id}/${shard}`, memberOwnBucket, [id, shard, userId, bucket]);
  memory.ownBuckets.set(`${id}/${userId}`, bucket);
}

function addDecision({ rows }: Batch, { key, fingerprint, seq, messageSeq, version, time, code }: DecisionRow): void {
  if (!/^[0-9a-f]{40}$/.test(key)) throw new Error('the key of a decision has 40 hexadecimal digits');
  const slice = decisionSliceOf(key);
  rows.add(`decision/${slice}`, decision, [slice, Buffer.from(key, 'hex'), Buffer.from(fingerprint, 'hex'), seq, messageSeq, version, time, code ?? '']);
}
