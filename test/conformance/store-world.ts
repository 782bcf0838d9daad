import { hash } from 'node:crypto';
import { directId, groupId, parseConversationId } from '@parlance/schema/ids';
import type { PositionRow, Store } from '../../packages/server/src/store/port.ts';
import {
  type AccountRow,
  type ConversationRow,
  type DecisionRow,
  type HeadRow,
  keyOf,
  type MemberRow,
  type MessageRow,
  type Row,
} from '../../packages/server/src/store/rows.ts';

// Makes the rows that conversations make, so that a test reads like what people did. Each method returns rows; `commit` gives those of one
// record to the store, folded to the last value of each key, at the next position.

export class World {
  at: PositionRow;
  now = 1_750_000_000_000;
  readonly #rows = new Map<string, Row>();
  readonly #stores: Store[];
  readonly #partition: number;

  constructor(stores: Store[], partition = 0) {
    this.#stores = stores;
    this.#partition = partition;
    this.at = { position: -1, lastId: '', lastCommand: -1, generation: 'g' };
  }

  /** Gives the stores the rows in one `apply`. */
  async commit(...rows: Row[][]): Promise<void> {
    const folded = new Map(rows.flat().map((row) => [keyOf(row), row]));
    const follows = this.at.lastId;
    this.at = { position: this.at.position + 2, lastId: `id${this.at.position + 2}`, lastCommand: this.at.lastCommand + 3, generation: 'g' };
    for (const store of this.#stores) await store.apply(this.#partition, [...folded.values()], this.at, follows);
  }

  /** Everything made so far, as it is now. */
  rows(): Row[] {
    return [...this.#rows.values()];
  }

  get<T extends Row>(key: string): T | undefined {
    return this.#rows.get(key) as T | undefined;
  }

  head(conversation: string): HeadRow {
    return this.get<HeadRow>(`head/${conversation}`) ?? { table: 'head', conversation, seq: 0, count: 0, messageSeq: 0, time: 0 };
  }

  account(userId: string, change: Partial<AccountRow> = {}): Row[] {
    return this.#made({
      table: 'account',
      userId,
      displayName: userId.toUpperCase(),
      email: `${userId}@example.org`,
      passwordHash: null,
      credentialVersion: 1,
      createdTime: this.now,
      sessions: [],
      ...change,
    });
  }

  direct(a: string, b: string): string {
    return directId(a, b);
  }

  send(conversation: string, author: string, text: string, time = this.now): Row[] {
    const { seq, count, time: activity } = this.head(conversation);
    const message: MessageRow = {
      table: 'message',
      conversation,
      seq: seq + 1,
      kind: 'message',
      author,
      text,
      time,
      version: 1,
      editedTime: null,
      deleted: false,
      count: count + 1,
    };
    const rows: Row[] = [
      message,
      { table: 'head', conversation, seq: seq + 1, count: count + 1, messageSeq: seq + 1, time: Math.max(activity, time) },
      { table: 'own', conversation, userId: author, seq: seq + 1, count: count + 1 },
      decisionOf(`${conversation}/${seq + 1}`, { seq: seq + 1, messageSeq: seq + 1, version: 1, time }),
    ];
    const parts = parseConversationId(conversation);
    if (seq === 0 && parts?.kind === 'direct') {
      const users = [...new Set(parts.users)];
      rows.push({ table: 'conversation', conversation, kind: 'direct', title: '', open: false, memberCount: users.length, createdTime: time });
      for (const userId of users) rows.push({ table: 'member', conversation, userId, role: 'member', joinedSeq: 1, joinedCount: 0, left: null });
    }
    return this.#made(...rows);
  }

  edit(conversation: string, seq: number, text: string): Row[] {
    const before = this.get<MessageRow>(`message/${conversation}/${seq}`)!;
    return this.#change(conversation, 'edit', { ...before, text, version: before.version + 1, editedTime: this.now });
  }

  erase(conversation: string, seq: number): Row[] {
    const before = this.get<MessageRow>(`message/${conversation}/${seq}`)!;
    return this.#change(conversation, 'delete', { ...before, text: '', deleted: true });
  }

  group(name: string, owner: string, { title = name, open = false } = {}): Row[] {
    const conversation = groupId(name);
    return this.#made(
      { table: 'conversation', conversation, kind: 'group', title, open, memberCount: 1, createdTime: this.now },
      this.#joining(conversation, owner, 'owner'),
      { ...this.#event(conversation, owner), kind: 'created', title, open },
      this.#nextHead(conversation),
    );
  }

  join(name: string, userId: string): Row[] {
    const conversation = groupId(name);
    const group = this.get<ConversationRow>(`conversation/${conversation}`)!;
    return this.#made(
      { ...group, memberCount: group.memberCount + 1 },
      this.#joining(conversation, userId, 'member'),
      { ...this.#event(conversation, userId), kind: 'joined', user: userId, role: 'member' },
      this.#nextHead(conversation),
    );
  }

  leave(name: string, userId: string): Row[] {
    const conversation = groupId(name);
    const group = this.get<ConversationRow>(`conversation/${conversation}`)!;
    const member = this.get<MemberRow>(`member/${conversation}/${userId}`)!;
    const { seq, count, messageSeq } = this.head(conversation);
    return this.#made(
      { ...group, memberCount: group.memberCount - 1 },
      { ...member, left: { seq: seq + 1, count, messageSeq, time: this.now, title: group.title } },
      { ...this.#event(conversation, userId), kind: 'left', user: userId },
      this.#nextHead(conversation),
    );
  }

  update(name: string, change: { title?: string; open?: boolean }): Row[] {
    const conversation = groupId(name);
    const group = { ...this.get<ConversationRow>(`conversation/${conversation}`)!, ...change };
    return this.#made(group, { ...this.#event(conversation, 'ada'), kind: 'updated', title: group.title, open: group.open }, this.#nextHead(conversation));
  }

  #change(conversation: string, kind: 'edit' | 'delete', message: MessageRow): Row[] {
    const event: Row = { ...this.#event(conversation, message.author), kind, messageSeq: message.seq, version: message.version };
    return this.#made(message, event, this.#nextHead(conversation));
  }

  #joining(conversation: string, userId: string, role: MemberRow['role']): MemberRow {
    const { seq, count } = this.head(conversation);
    return { table: 'member', conversation, userId, role, joinedSeq: seq + 1, joinedCount: count, left: null };
  }

  #event(conversation: string, by: string) {
    const { seq, count } = this.head(conversation);
    return { table: 'event' as const, conversation, seq: seq + 1, by, time: this.now, count };
  }

  #nextHead(conversation: string): HeadRow {
    const head = this.head(conversation);
    return { ...head, seq: head.seq + 1, time: Math.max(head.time, this.now) };
  }

  #made(...rows: Row[]): Row[] {
    for (const event of rows.filter((row) => row.table === 'event')) {
      const { conversation, seq, messageSeq = 0, version = 0, time } = event;
      rows.push(decisionOf(`${conversation}/${seq}`, { seq, messageSeq, version, time }));
    }
    for (const row of rows) this.#rows.set(keyOf(row), row);
    return rows;
  }
}

/** A decision under a key made of `name`. */
export function decisionOf(name: string, change: Partial<DecisionRow> = {}): DecisionRow {
  const hex = hash('sha256', name);
  return {
    table: 'decision',
    key: `0007${hex.slice(-36)}`,
    fingerprint: hex.slice(-32),
    seq: 0,
    messageSeq: 0,
    version: 0,
    time: 1_750_000_000_000,
    code: null,
    ...change,
  };
}
