import type { types } from 'cassandra-driver';
import type {
  AccountRow,
  ConversationRow,
  DecisionRow,
  EventRow,
  HeadRow,
  InstallationRow,
  LaneEventKind,
  MemberRow,
  MessageRow,
  OwnRow,
  SessionRow,
} from '../rows.ts';

// How rows come out of Cassandra: for each table the columns to ask for and, beside them, the function that makes the row of them. What
// goes in is beside it in write.ts. Where a value may be absent, something else stands in for null: '' for a hash and for a code, -1 for a time, 0 for a seq.

/** One row as the driver gives it, by column. */
export type Columns = Readonly<Record<string, unknown>>;

/** A bigint column as a number: nothing stored is beyond 2^53. */
export const number = (value: unknown): number => (value as types.Long).toNumber();

export const noTime = -1;

export const accountColumns = 'user_id, display_name, email, password_hash, credential_version, created_time, sessions';
export const account = (c: Columns): AccountRow => ({
  table: 'account',
  userId: c.user_id as string,
  displayName: c.display_name as string,
  email: c.email as string,
  passwordHash: c.password_hash === '' ? null : (c.password_hash as string),
  credentialVersion: c.credential_version as number,
  createdTime: number(c.created_time),
  sessions: JSON.parse(c.sessions as string),
});

export const sessionColumns = 'token_hash, session_id, user_id, created_time, ended';
export const session = (c: Columns): SessionRow => ({
  table: 'session',
  tokenHash: c.token_hash as string,
  sessionId: c.session_id as string,
  userId: c.user_id as string,
  createdTime: number(c.created_time),
  ended: c.ended as boolean,
});

export const installationColumns = 'admin_link_hash, admins';
export const installation = (c: Columns): InstallationRow => ({
  table: 'installation',
  adminLinkHash: c.admin_link_hash as string,
  admins: JSON.parse(c.admins as string),
});

/** Of conversation and of open_group. */
export const conversationColumns = 'conversation, kind, title, open, member_count, created_time';
export const conversation = (c: Columns): ConversationRow => ({
  table: 'conversation',
  conversation: c.conversation as string,
  kind: c.kind as ConversationRow['kind'],
  title: c.title as string,
  open: c.open as boolean,
  memberCount: c.member_count as number,
  createdTime: number(c.created_time),
});

/** Of member and of membership. */
export const memberColumns =
  'conversation, user_id, role, joined_seq, joined_count, joined_position, left_seq, left_count, left_message_seq, left_time, left_title';
export const member = (c: Columns): MemberRow => ({
  table: 'member',
  conversation: c.conversation as string,
  userId: c.user_id as string,
  role: c.role as MemberRow['role'],
  joinedSeq: number(c.joined_seq),
  joinedCount: number(c.joined_count),
  left:
    number(c.left_seq) === 0
      ? null
      : {
          seq: number(c.left_seq),
          count: number(c.left_count),
          messageSeq: number(c.left_message_seq),
          time: number(c.left_time),
          title: c.left_title as string,
        },
});

export const ownColumns = 'conversation, bucket, user_id, seq, count';
export const own = (c: Columns): OwnRow => ({
  table: 'own',
  conversation: c.conversation as string,
  userId: c.user_id as string,
  seq: number(c.seq),
  count: number(c.count),
});

export const headColumns =
  'head_partition, head_position, head_seq, head_count, head_message_seq, head_time, before_seq, before_count, before_message_seq, before_time';

/** A head, or the one before it: `which` is the beginning of its columns. */
export const head = (id: string, c: Columns, which: 'head' | 'before'): HeadRow => ({
  table: 'head',
  conversation: id,
  seq: number(c[`${which}_seq`]),
  count: number(c[`${which}_count`]),
  messageSeq: number(c[`${which}_message_seq`]),
  time: number(c[`${which}_time`]),
});

export const messageLane = 0;
export const eventLane = 1;

export const laneColumns = 'conversation, lane, seq, kind, author, time, count, text, version, edited_time, deleted, detail';
export const message = (c: Columns): MessageRow => ({
  table: 'message',
  conversation: c.conversation as string,
  seq: number(c.seq),
  kind: c.kind as MessageRow['kind'],
  author: c.author as string,
  text: c.text as string,
  time: number(c.time),
  version: c.version as number,
  editedTime: number(c.edited_time) === noTime ? null : number(c.edited_time),
  deleted: c.deleted as boolean,
  count: number(c.count),
});

export const event = (c: Columns): EventRow => ({
  table: 'event',
  conversation: c.conversation as string,
  seq: number(c.seq),
  kind: c.kind as LaneEventKind,
  by: c.author as string,
  time: number(c.time),
  count: number(c.count),
  ...(JSON.parse(c.detail as string) as Partial<EventRow>),
});

/** Of a row of timeline. */
export const lane = (c: Columns): MessageRow | EventRow => (c.lane === messageLane ? message(c) : event(c));

export const decisionColumns = 'key, fingerprint, seq, message_seq, version, time, code';
export const decision = (c: Columns): DecisionRow => ({
  table: 'decision',
  key: (c.key as Buffer).toString('hex'),
  fingerprint: (c.fingerprint as Buffer).toString('hex'),
  seq: number(c.seq),
  messageSeq: number(c.message_seq),
  version: c.version as number,
  time: number(c.time),
  code: c.code === '' ? null : (c.code as string),
});
