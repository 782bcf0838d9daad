import type { AccountRow, ConversationRow, EventRow, HeadRow, MemberRow, MessageRow, OwnRow, Row, RowKey } from './rows.ts';

// What people read: a projection of the events journal and its long-term home.
//
// Order: `apply` calls of one partition come one after another, in the order of their positions. Atomicity: none is promised over several rows, but
// (1) the position row is written only after every other row of the call is durable, and (2) a reader never sees a head whose rows it
// cannot see. Retry: applying the same rows at the same position again, by anybody, changes nothing; an older position never overwrites a newer
// one. Durability: when `apply` or `mark` resolves, the effect survives and every later read, on any node, sees it.
// Any method may reject: then the outcome is unknown, and asking again is safe; with `StoreUnavailable` when that will do, because nothing is broken here. Times are milliseconds; limits are rows, 1 to 1,000.

/** Too few of the machines that hold the rows could be reached in time. */
export class StoreUnavailable extends Error {}

/** The fold of one partition's events journal, as it was at `position`. */
export interface PositionRow {
  /** Position in the events journal of the last record whose rows are all here; -1 before the first. */
  position: number;
  /** Id of the last valid decided record; '' before the first. */
  lastId: string;
  /** Position in the commands journal of the last command decided; -1 before the first. */
  lastCommand: number;
  /** Which making of the journal's topics the positions belong to. */
  generation: string;
}

export const origin: PositionRow = { position: -1, lastId: '', lastCommand: -1, generation: '' };

/** A conversation of somebody’s, with what the inbox shows of it, as they may see it: for a left one as it was at the leaving. */
export interface InboxEntry {
  member: MemberRow;
  conversation: ConversationRow;
  /** For a left conversation made of `member.left`. */
  head: HeadRow;
  lastMessage: MessageRow | null;
  /** The read mark and one’s own newest message, and how many messages there were at each; zeros when there is none. */
  mark: Mark;
  own: OwnRow | null;
}

export interface Mark {
  seq: number;
  count: number;
}

export interface Store {
  /**
   * Makes the rows readable and durable, then moves the partition's position row. `rows` hold at most one value per key.
   * Rejects, having changed nothing, when the position row does not name `follows` as the last valid id (another writer was here), unless
   * the row is already at or past `at.position`: then the rows are there and nothing is left to do.
   */
  apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void>;
  /** The position row; `origin` when nothing was ever applied. */
  position(partition: number): Promise<PositionRow>;

  /** The rows of these keys that exist, in any order. The facts of deciding, and what authorises reads. Always the newest durable values. */
  rows(keys: readonly RowKey[]): Promise<Row[]>;

  /** Somebody's conversations: those of the newest `inboxMax` memberships, latest `head.time` first (ties by conversation id), at most `limit`, after `after`. */
  inbox(userId: string, limit: number, after?: { time: number; conversation: string }): Promise<InboxEntry[]>;
  /** One of them; undefined when never a member. */
  inboxEntry(userId: string, conversation: string): Promise<InboxEntry | undefined>;
  /** Somebody's memberships, ended ones too, with heads (for a left one as at the leaving): those joined latest (by the position of the record) first, at most `limit`. What a live socket follows. */
  memberships(userId: string, limit: number): Promise<{ member: MemberRow; seq: number }[]>;
  /** Current members, by user id, after `after`. */
  members(conversation: string, limit: number, after?: string): Promise<MemberRow[]>;

  /** Up to `limit` messages with `from` <= seq <= `to`, oldest first: the oldest of them (`first`), or the newest (`last`). */
  messages(conversation: string, from: number, to: number, limit: number, side: 'first' | 'last'): Promise<MessageRow[]>;
  /** Every event with `after` < seq <= `to`, in order, at most `limit`, without a gap: stops before one it cannot see. An edit or delete comes with its message's row as it is now. */
  changes(conversation: string, after: number, to: number, limit: number): Promise<Change[]>;

  /** The directory, by user id, only ids beginning with `prefix`, after `after`. */
  users(prefix: string, limit: number, after?: string): Promise<AccountRow[]>;
  /** Open groups, by conversation id, only names beginning with `prefix`, after the conversation id `after`. */
  openGroups(prefix: string, limit: number, after?: string): Promise<ConversationRow[]>;

  /** Moves a read mark forward; one further on stays. The only write that is not an event: its own value is its order. */
  mark(conversation: string, userId: string, mark: Mark): Promise<void>;

  /** Every row of every table in unspecified order, for `verify`: reads in pages and does not hold up writers. */
  scan(): AsyncIterable<Row>;
  close(): Promise<void>;
}

/** One event as stored: a message in lane 0, or another event, with the message it is about. */
export type Change = { message: MessageRow; event?: undefined } | { event: EventRow; message?: MessageRow };
