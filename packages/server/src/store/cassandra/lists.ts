import { inboxMax } from '@parlance/schema/limits';
import type { InboxEntry, Mark } from '../port.ts';
import type { AccountRow, ConversationRow, HeadRow, MemberRow, MessageRow } from '../rows.ts';
import { concurrently } from './concurrently.ts';
import type { Connection } from './connection.ts';
import type { Heads } from './heads.ts';
import { directoryShardOf, lastMemberShardOf, memberShardOf } from './places.ts';
import type { Reader } from './read.ts';
import * as shape from './shape.ts';

// The lists people look at. What belongs to a person stands in their own partition (memberships, marks); heads, conversations and messages are looked up, 32 at a
// time. Where a membership decides how much is shown, it is read again after what it decides about.

const memberships = `SELECT ${shape.memberColumns} FROM membership WHERE user_id = ?`;
const marks = 'SELECT conversation, seq, count FROM mark WHERE user_id = ? AND conversation IN ?';
const members = `SELECT ${shape.memberColumns} FROM member WHERE conversation = ? AND shard = ? AND user_id > ? LIMIT ?`;
const users = `SELECT ${shape.accountColumns} FROM account WHERE shard = ? AND user_id >= ? AND user_id < ? LIMIT ?`;
const groups = `SELECT ${shape.conversationColumns} FROM open_group WHERE shard = ? AND conversation >= ? AND conversation < ? LIMIT ?`;

/** Rows in one page of somebody's memberships. */
const membershipsAtOnce = 500;
/** Keys in one query. */
const keysMax = 100;

export class Lists {
  readonly #connection: Connection;
  readonly #heads: Heads;
  readonly #reader: Reader;

  constructor(connection: Connection, heads: Heads, reader: Reader) {
    this.#connection = connection;
    this.#heads = heads;
    this.#reader = reader;
  }

  async inbox(userId: string, limit: number, after?: { time: number; conversation: string }): Promise<InboxEntry[]> {
    const found = await this.#newestMemberships(userId, inboxMax);
    const heads = await this.#heads.settled(found.map(({ conversation }) => conversation));
    const page = await this.#pageOf(
      found
        .map((member) => headFor(member, heads))
        .sort(byActivity)
        .filter((head) => after === undefined || byActivity(head, after) > 0),
      limit,
    );
    const now = new Map((await this.#newestMemberships(userId, inboxMax)).map((member) => [member.conversation, member]));
    const members = page.flatMap((conversation) => now.get(conversation.conversation) ?? []);
    return await this.#entries(userId, members, heads, new Map(page.map((row) => [row.conversation, row])));
  }

  async inboxEntry(userId: string, conversation: string): Promise<InboxEntry | undefined> {
    const [heads, [row]] = await Promise.all([this.#heads.settled([conversation]), this.#reader.lookUp([{ table: 'conversation', conversation }])]);
    if (row?.table !== 'conversation') return undefined;
    const [member] = await this.#reader.lookUp([{ table: 'member', conversation, userId }]);
    if (member?.table !== 'member') return undefined;
    return (await this.#entries(userId, [member], heads, new Map([[conversation, row]])))[0];
  }

  async memberships(userId: string, limit: number): Promise<{ member: MemberRow; seq: number }[]> {
    const heads = await this.#heads.settled((await this.#newestMemberships(userId, limit)).map(({ conversation }) => conversation));
    // Read again: who was removed since must not be given a head after that. Who joined since is not in it: they are told by the event.
    const found = await this.#newestMemberships(userId, limit);
    return found.map((member) => ({ member, seq: headFor(member, heads).seq }));
  }

  /** The conversations of the first `limit` of the heads. */
  async #pageOf(heads: HeadRow[], limit: number): Promise<ConversationRow[]> {
    const rows: ConversationRow[] = [];
    for (let from = 0; from < heads.length && rows.length < limit; ) {
      const some = heads.slice(from, from + limit - rows.length);
      from += some.length;
      const found = await this.#reader.lookUp(some.map(({ conversation }) => ({ table: 'conversation', conversation })));
      const byId = new Map(found.flatMap((row) => (row.table === 'conversation' ? [[row.conversation, row]] : [])));
      rows.push(...some.flatMap(({ conversation }) => byId.get(conversation) ?? []));
    }
    return rows;
  }

  async #entries(userId: string, members: MemberRow[], heads: Map<string, HeadRow>, conversations: Map<string, ConversationRow>): Promise<InboxEntry[]> {
    const shown = members.map((member) => headFor(member, heads));
    const [messages, read, owns] = await Promise.all([
      this.#messagesOf(shown),
      this.#marksOf(userId, members),
      concurrently(members, ({ conversation }) => this.#reader.own(conversation, userId, heads.get(conversation)?.seq)),
    ]);
    return members.map((member, index): InboxEntry => {
      const row = conversations.get(member.conversation)!;
      const head = shown[index]!;
      return {
        member,
        conversation: member.left === null ? row : { ...row, title: member.left.title },
        head,
        lastMessage: messages.get(member.conversation) ?? null,
        mark: read.get(member.conversation) ?? { seq: 0, count: 0 },
        own: owns[index] ?? null,
      };
    });
  }

  async #messagesOf(heads: HeadRow[]): Promise<Map<string, MessageRow>> {
    const keys = heads.flatMap(({ conversation, messageSeq }) => (messageSeq === 0 ? [] : [{ table: 'message' as const, conversation, seq: messageSeq }]));
    const rows = await this.#reader.lookUp(keys);
    return new Map(rows.flatMap((row) => (row.table === 'message' ? [[row.conversation, row]] : [])));
  }

  async #marksOf(userId: string, of: MemberRow[]): Promise<Map<string, Mark>> {
    const parts: string[][] = [];
    for (let from = 0; from < of.length; from += keysMax) parts.push(of.slice(from, from + keysMax).map(({ conversation }) => conversation));
    const rows = await concurrently(parts, (part) => this.#connection.all(marks, [userId, part]));
    return new Map(rows.flat().map((c) => [c.conversation as string, { seq: shape.number(c.seq), count: shape.number(c.count) }]));
  }

  /** Somebody who came back has an older row too, further on: it is passed over. */
  async #newestMemberships(userId: string, limit: number): Promise<MemberRow[]> {
    const newest = new Map<string, MemberRow>();
    for (let next: string | undefined, isFirst = true; isFirst || next !== undefined; isFirst = false) {
      const page = await this.#connection.page(memberships, [userId], Math.min(membershipsAtOnce, limit), next);
      for (const columns of page.rows) {
        const id = columns.conversation as string;
        if (!newest.has(id)) newest.set(id, shape.member(columns));
        if (newest.size === limit) return [...newest.values()];
      }
      next = page.next;
    }
    return [...newest.values()];
  }

  async members(conversation: string, limit: number, after = ''): Promise<MemberRow[]> {
    return await this.#along(memberShardOf(conversation, after), lastMemberShardOf(conversation), limit, async (shard, count) => {
      const found: MemberRow[] = [];
      for (let cursor = after, rows: shape.Columns[] = []; found.length < count; cursor = rows.at(-1)!.user_id as string) {
        rows = await this.#connection.all(members, [conversation, shard, cursor, count]);
        found.push(...rows.filter((columns) => columns.role !== null && shape.number(columns.left_seq) === 0).map(shape.member));
        if (rows.length < count) break;
      }
      return found;
    });
  }

  async users(prefix: string, limit: number, after = ''): Promise<AccountRow[]> {
    const first = firstAfter(prefix, after);
    const end = endOf(prefix);
    return await this.#along(directoryShardOf(first), directoryShardOf(end), limit, async (shard, count) =>
      (await this.#connection.all(users, [shard, first, end, count])).map(shape.account),
    );
  }

  async openGroups(prefix: string, limit: number, after = ''): Promise<ConversationRow[]> {
    const start = firstAfter(`g:${prefix}`, after);
    const end = endOf(`g:${prefix}`);
    return await this.#along(directoryShardOf(start.slice(2)), directoryShardOf(end.slice(2)), limit, async (shard, count) => {
      const found: ConversationRow[] = [];
      for (let first = start, rows: shape.Columns[] = []; found.length < count; first = `${rows.at(-1)!.conversation as string}\0`) {
        rows = await this.#connection.all(groups, [shard, first, end, count]);
        found.push(...rows.filter(({ open }) => open === true).map(shape.conversation));
        if (rows.length < count) break;
      }
      return found;
    });
  }

  /** The first rows of neighbouring shards, in order. The first shard alone is mostly enough; then more and more at once, since nearly empty ones come in rows. */
  async #along<T>(first: number, last: number, limit: number, read: (shard: number, count: number) => Promise<T[]>): Promise<T[]> {
    const found: T[] = [];
    let atOnce = 1;
    for (let shard = first; shard <= last && found.length < limit; ) {
      const shards = Array.from({ length: Math.min(atOnce, last - shard + 1) }, (_, index) => shard + index);
      found.push(...(await concurrently(shards, (one) => read(one, limit - found.length))).flat());
      shard += shards.length;
      atOnce *= 4;
    }
    return found.slice(0, limit);
  }
}

/** What a member sees of a conversation's progress: for one who left, what there was at the leaving. */
function headFor({ conversation, left }: MemberRow, heads: Map<string, HeadRow>): HeadRow {
  if (left !== null) return { table: 'head', conversation, seq: left.seq, count: left.count, messageSeq: left.messageSeq, time: left.time };
  return heads.get(conversation) ?? { table: 'head', conversation, seq: 0, count: 0, messageSeq: 0, time: 0 };
}

const byActivity = (a: { time: number; conversation: string }, b: { time: number; conversation: string }): number =>
  b.time - a.time || (a.conversation < b.conversation ? -1 : a.conversation > b.conversation ? 1 : 0);

/** Where a list begins: at the first string with the prefix, or just after the cursor. */
const firstAfter = (prefix: string, after: string): string => (after >= prefix ? `${after}\0` : prefix);

/** Names are ASCII, so nothing that begins with the prefix reaches this. */
const endOf = (prefix: string): string => `${prefix}\u{7f}`;
