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

// How rows come out of SQLite: for each table the columns to ask for and, beside them, the function that makes the row of them. Columns come as arrays,
// which costs half of what objects do; some list `width` for queries that join several.

type Column = string | number | Buffer | null;
export type Columns = readonly Column[];

export const accountColumns = 'user_id, display_name, email, password_hash, credential_version, created_time, sessions';
export const account = (c: Columns): AccountRow => ({
  table: 'account',
  userId: c[0] as string,
  displayName: c[1] as string,
  email: c[2] as string,
  passwordHash: c[3] as string | null,
  credentialVersion: c[4] as number,
  createdTime: c[5] as number,
  sessions: JSON.parse(c[6] as string),
});

export const sessionColumns = 'token_hash, session_id, user_id, created_time, ended';
export const session = (c: Columns): SessionRow => ({
  table: 'session',
  tokenHash: c[0] as string,
  sessionId: c[1] as string,
  userId: c[2] as string,
  createdTime: c[3] as number,
  ended: c[4] === 1,
});

export const installationColumns = 'admin_link_hash, admins';
export const installation = (c: Columns): InstallationRow => ({ table: 'installation', adminLinkHash: c[0] as string, admins: JSON.parse(c[1] as string) });

export const conversationColumns = 'kind, title, open, member_count, created_time';
export const conversationWidth = 5;
export const conversation = (id: string, c: Columns): ConversationRow => ({
  table: 'conversation',
  conversation: id,
  kind: c[0] as 'direct' | 'group',
  title: c[1] as string,
  open: c[2] === 1,
  memberCount: c[3] as number,
  createdTime: c[4] as number,
});

export const headColumns = 'seq, count, message_seq, time';
export const headWidth = 4;
export const head = (id: string, c: Columns): HeadRow => ({
  table: 'head',
  conversation: id,
  seq: c[0] as number,
  count: c[1] as number,
  messageSeq: c[2] as number,
  time: c[3] as number,
});

export const memberColumns = 'user_id, role, joined_seq, joined_count, left_seq, left_count, left_message_seq, left_time, left_title';
export const memberWidth = 9;
export const member = (id: string, c: Columns): MemberRow => ({
  table: 'member',
  conversation: id,
  userId: c[0] as string,
  role: c[1] as MemberRow['role'],
  joinedSeq: c[2] as number,
  joinedCount: c[3] as number,
  left: c[4] === null ? null : { seq: c[4] as number, count: c[5] as number, messageSeq: c[6] as number, time: c[7] as number, title: c[8] as string },
});

export const own = (id: string, userId: string, c: Columns): OwnRow => ({ table: 'own', conversation: id, userId, seq: c[0] as number, count: c[1] as number });

export const messageColumns = 'seq, is_action, author, text, time, version, edited_time, deleted, count';
export const message = (id: string, c: Columns): MessageRow => ({
  table: 'message',
  conversation: id,
  seq: c[0] as number,
  kind: c[1] === 1 ? 'action' : 'message',
  author: c[2] as string,
  text: c[7] === 1 ? '' : (c[3] as string),
  time: c[4] as number,
  version: c[5] as number,
  editedTime: c[6] as number | null,
  deleted: c[7] === 1,
  count: c[8] as number,
});

export const eventColumns = 'seq, kind, by, time, count, message_seq, version, user, role, title, open';
export function event(id: string, c: Columns): EventRow {
  const row: EventRow = {
    table: 'event',
    conversation: id,
    seq: c[0] as number,
    kind: c[1] as LaneEventKind,
    by: c[2] as string,
    time: c[3] as number,
    count: c[4] as number,
  };
  if (c[5] !== null) row.messageSeq = c[5] as number;
  if (c[6] !== null) row.version = c[6] as number;
  if (c[7] !== null) row.user = c[7] as string;
  if (c[8] !== null) row.role = c[8] as MemberRow['role'];
  if (c[9] !== null) row.title = c[9] as string;
  if (c[10] !== null) row.open = c[10] === 1;
  return row;
}

export const decisionColumns = 'lower(hex(key)), lower(hex(fingerprint)), seq, message_seq, version, time, code';
export const decision = (c: Columns): DecisionRow => ({
  table: 'decision',
  key: c[0] as string,
  fingerprint: c[1] as string,
  seq: c[2] as number,
  messageSeq: c[3] as number,
  version: c[4] as number,
  time: c[5] as number,
  code: c[6] as string | null,
});

/** The same columns of one of several joined tables. */
export const of = (table: string, columns: string): string =>
  columns
    .split(', ')
    .map((column) => `${table}.${column}`)
    .join(', ');
