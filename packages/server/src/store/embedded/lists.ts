import { inboxMax } from '@parlance/schema/limits';
import type { Database, Statement } from 'better-sqlite3';
import type { InboxEntry } from '../port.ts';
import type { AccountRow, ConversationRow, MemberRow } from '../rows.ts';
import * as shape from './shape.ts';

// The lists people look at, each one statement. A list ends before `end`, the first string that is beyond every one with the prefix.

const newestMemberships = 'FROM member WHERE user_id = +? AND role IS NOT NULL ORDER BY joined_position DESC, no DESC LIMIT +?';

// What a member sees of a conversation's progress: for one who left, what there was at the leaving.
const seen = `
  coalesce(member.left_seq, head.seq, 0) AS seq, coalesce(member.left_count, head.count, 0) AS count,
  coalesce(member.left_message_seq, head.message_seq, 0) AS message_seq, coalesce(member.left_time, head.time, 0) AS time`;

// The page is found first, and only its rows are looked up further. `time` must be asked of a query around the one that makes it: within that one the name means the head's.
const entries = (memberships: string, page = '') => `
  WITH page AS MATERIALIZED (
    SELECT * FROM (
      SELECT member.no AS member, conversation.no AS conversation, conversation.id AS id, ${seen}
      FROM (SELECT * ${memberships}) AS member JOIN conversation ON conversation.no = member.conversation AND conversation.kind IS NOT NULL
        LEFT JOIN head ON head.conversation = member.conversation)
    ${page})
  SELECT page.id, ${shape.of('page', shape.headColumns)}, ${shape.of('member', shape.memberColumns)}, ${shape.of('conversation', shape.conversationColumns)},
    mark.seq, mark.count, own.seq, own.count, ${shape.of('message', shape.messageColumns)}
  FROM page JOIN member ON member.no = page.member JOIN conversation ON conversation.no = page.conversation
    LEFT JOIN mark ON mark.member = page.member LEFT JOIN own ON own.member = page.member
    LEFT JOIN message ON message.conversation = page.conversation AND message.seq = page.message_seq AND message.superseded = 0
  ORDER BY page.time DESC, page.id`;

export class Lists {
  readonly #inbox: Statement;
  readonly #inboxEntry: Statement;
  readonly #memberships: Statement;
  readonly #members: Statement;
  readonly #users: Statement;
  readonly #openGroups: Statement;

  constructor(database: Database) {
    this.#inbox = database.prepare(entries(newestMemberships, 'WHERE time < ? OR (time = +? AND id > ?) ORDER BY time DESC, id LIMIT +?')).raw();
    this.#inboxEntry = database
      .prepare(entries('FROM member WHERE user_id = +? AND conversation = (SELECT no FROM conversation WHERE id = +?) AND role IS NOT NULL'))
      .raw();
    this.#memberships = database
      .prepare(
        `SELECT conversation.id, coalesce(member.left_seq, head.seq, 0), ${shape.of('member', shape.memberColumns)}
         FROM (SELECT * ${newestMemberships}) AS member JOIN conversation ON conversation.no = member.conversation
           LEFT JOIN head ON head.conversation = member.conversation
         ORDER BY member.joined_position DESC, member.no DESC`,
      )
      .raw();
    this.#members = database
      .prepare(
        `SELECT ${shape.memberColumns} FROM member
         WHERE conversation = (SELECT no FROM conversation WHERE id = +?) AND user_id > ? AND role IS NOT NULL AND left_seq IS NULL ORDER BY user_id LIMIT +?`,
      )
      .raw();
    this.#users = database
      .prepare(`SELECT ${shape.accountColumns} FROM account WHERE user_id >= ? AND user_id > ? AND user_id < ? ORDER BY user_id LIMIT +?`)
      .raw();
    this.#openGroups = database
      .prepare(
        `SELECT id, ${shape.conversationColumns} FROM conversation INDEXED BY open_group
         WHERE open = 1 AND kind = 'group' AND id >= ? AND id > ? AND id < ? ORDER BY id LIMIT +?`,
      )
      .raw();
  }

  inbox(userId: string, limit: number, after = { time: Number.MAX_SAFE_INTEGER, conversation: '' }): InboxEntry[] {
    return (this.#inbox.all(userId, inboxMax, after.time, after.time, after.conversation, limit) as shape.Columns[]).map(entry);
  }

  inboxEntry(userId: string, conversation: string): InboxEntry | undefined {
    const columns = this.#inboxEntry.get(userId, conversation) as shape.Columns | undefined;
    return columns === undefined ? undefined : entry(columns);
  }

  memberships(userId: string, limit: number): { member: MemberRow; seq: number }[] {
    return (this.#memberships.all(userId, limit) as shape.Columns[]).map((columns) => ({
      member: shape.member(columns[0] as string, columns.slice(2)),
      seq: columns[1] as number,
    }));
  }

  members(conversation: string, limit: number, after = ''): MemberRow[] {
    return (this.#members.all(conversation, after, limit) as shape.Columns[]).map((columns) => shape.member(conversation, columns));
  }

  users(prefix: string, limit: number, after = ''): AccountRow[] {
    return (this.#users.all(prefix, after, endOf(prefix), limit) as shape.Columns[]).map(shape.account);
  }

  openGroups(prefix: string, limit: number, after = ''): ConversationRow[] {
    const first = `g:${prefix}`;
    return (this.#openGroups.all(first, after, endOf(first), limit) as shape.Columns[]).map((columns) =>
      shape.conversation(columns[0] as string, columns.slice(1)),
    );
  }
}

/** Names are ASCII, so nothing that begins with the prefix reaches this. */
const endOf = (prefix: string): string => `${prefix}\u{7f}`;

function entry(columns: shape.Columns): InboxEntry {
  const id = columns[0] as string;
  const [head, member, conversation, counts, message] = split(columns.slice(1), [shape.headWidth, shape.memberWidth, shape.conversationWidth, 4]) as [
    shape.Columns,
    shape.Columns,
    shape.Columns,
    (number | null)[],
    shape.Columns,
  ];
  const [markSeq, markCount, ownSeq, ownCount] = counts;
  const memberRow = shape.member(id, member);
  const conversationRow = shape.conversation(id, conversation);
  return {
    member: memberRow,
    conversation: memberRow.left === null ? conversationRow : { ...conversationRow, title: memberRow.left.title },
    head: shape.head(id, head),
    lastMessage: message[0] === null ? null : shape.message(id, message),
    mark: { seq: markSeq ?? 0, count: markCount ?? 0 },
    own: ownSeq === null ? null : shape.own(id, memberRow.userId, [ownSeq!, ownCount!]),
  };
}

/** The columns of joined tables, one after another: as many as each width says, and then the rest. */
function split(columns: shape.Columns, widths: readonly number[]): shape.Columns[] {
  const parts: shape.Columns[] = [];
  let from = 0;
  for (const width of widths) {
    parts.push(columns.slice(from, from + width));
    from += width;
  }
  return [...parts, columns.slice(from)];
}
