import type { MessageKind, Role } from '@parlance/schema/types';

// The rows of the store: what `fold` makes of events, what `apply` writes, what deciders read as facts. Every row is whole and absolute (this
// head, this role, never +1), has one key, and is written from exactly one journal partition, so that positions order its writes.
// Times are milliseconds since 1970, UTC.

/** A person. `passwordHash` is null for an account that cannot log in yet (made by an import). */
export interface AccountRow {
  table: 'account';
  userId: string;
  displayName: string;
  email: string;
  passwordHash: string | null;
  /** Rises with every change of the password: a log-in checked against an older one is refused. */
  credentialVersion: number;
  createdTime: number;
  /** Open sessions, oldest first; at most `sessionsMax`. */
  sessions: { sessionId: string; tokenHash: string; createdTime: number; userAgent: string }[];
}

/** A log-in, found by the SHA-256 of its token. */
export interface SessionRow {
  table: 'session';
  tokenHash: string;
  sessionId: string;
  userId: string;
  createdTime: number;
  ended: boolean;
}

/** The one row about the installation itself: who may administer it. */
export interface InstallationRow {
  table: 'installation';
  /** SHA-256 of the secret in the first-administrator link. */
  adminLinkHash: string;
  admins: string[];
}

/** A conversation that exists: a group from its creation, a direct one from its first message. */
export interface ConversationRow {
  table: 'conversation';
  conversation: string;
  kind: 'direct' | 'group';
  title: string;
  open: boolean;
  memberCount: number;
  createdTime: number;
}

/** Somebody's membership, kept after it ended. A direct conversation has two (one, with oneself), from its first message, for ever. */
export interface MemberRow {
  table: 'member';
  conversation: string;
  userId: string;
  role: Role;
  joinedSeq: number;
  /** Messages there were when joining: reading starts there. */
  joinedCount: number;
  /** What may still be seen after leaving: up to the event that ended it, and the title there was then. Null while a member. */
  left: { seq: number; count: number; messageSeq: number; time: number; title: string } | null;
}

/** Somebody's own newest message, which counts as a read mark. */
export interface OwnRow {
  table: 'own';
  conversation: string;
  userId: string;
  seq: number;
  count: number;
}

/** How far a conversation is. A reader never sees a head whose rows it cannot see. */
export interface HeadRow {
  table: 'head';
  conversation: string;
  seq: number;
  /** Messages sent so far; deleting does not lower it. */
  count: number;
  /** Newest message; 0 when there is none. */
  messageSeq: number;
  /** Time of the newest event. */
  time: number;
}

/** A message in its current form; its `msg_id` is `seq`. Lane 0. */
export interface MessageRow {
  table: 'message';
  conversation: string;
  seq: number;
  kind: MessageKind;
  author: string;
  /** Empty when deleted. */
  text: string;
  time: number;
  version: number;
  editedTime: number | null;
  deleted: boolean;
  /** Messages up to and with this one. */
  count: number;
}

export type LaneEventKind = 'edit' | 'delete' | 'created' | 'joined' | 'added' | 'role' | 'removed' | 'left' | 'updated';

/** An event that is no message. Never holds text of a message. Lane 1. */
export interface EventRow {
  table: 'event';
  conversation: string;
  seq: number;
  kind: LaneEventKind;
  by: string;
  time: number;
  /** Messages before this event. */
  count: number;
  /** edit, delete: the message it is about, and its version then. */
  messageSeq?: number;
  version?: number;
  /** joined, added, role, removed, left: whose membership. */
  user?: string;
  role?: Role;
  /** created, updated. */
  title?: string;
  open?: boolean;
}

/** The first decision about one write, and the answer to every repetition. Found by `decisionKey`. */
export interface DecisionRow {
  table: 'decision';
  key: string;
  /** HMAC of the body: the same key with another body is refused. */
  fingerprint: string;
  /** The event’s seq; 0 for a refusal, and for an acceptance that changed nothing. */
  seq: number;
  /** The message it is about, for message writes; 0 otherwise. */
  messageSeq: number;
  /** The message’s version after it, or the current one of a `version_mismatch`; 0 otherwise. */
  version: number;
  time: number;
  /** Null when accepted. */
  code: string | null;
}

export type Row = AccountRow | SessionRow | InstallationRow | ConversationRow | MemberRow | OwnRow | HeadRow | MessageRow | EventRow | DecisionRow;

export type Table = Row['table'];

/** Names one row. */
export type RowKey =
  | { table: 'account'; userId: string }
  | { table: 'session'; tokenHash: string }
  | { table: 'installation' }
  | { table: 'conversation' | 'head'; conversation: string }
  | { table: 'member' | 'own'; conversation: string; userId: string }
  | { table: 'message' | 'event'; conversation: string; seq: number }
  | { table: 'decision'; key: string };

/** The key of a row as one string, for maps. Names hold no `/`, so no two keys look alike. */
export function keyOf(key: RowKey | Row): string {
  switch (key.table) {
    case 'account':
      return `account/${key.userId}`;
    case 'session':
      return `session/${key.tokenHash}`;
    case 'installation':
      return 'installation';
    case 'conversation':
    case 'head':
      return `${key.table}/${key.conversation}`;
    case 'member':
    case 'own':
      return `${key.table}/${key.conversation}/${key.userId}`;
    case 'message':
    case 'event':
      return `${key.table}/${key.conversation}/${key.seq}`;
    case 'decision':
      return `decision/${key.key}`;
  }
}
