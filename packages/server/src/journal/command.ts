import type { MessageKind, Role } from '@parlance/schema/types';

// What nodes ask the sequencer to decide. A command holds everything deciding needs beside facts: no password and no raw token ever enters
// one (the node hashes first). Its journal key is the thing whose rules apply, so that all its commands meet in one partition.

interface Base {
  /** Unique to this attempt, 1-64 characters: how the waiting request is found again. Never `clientId`, which a retry shares. */
  nonce: string;
  /** See `keyOfConversation`. */
  key: string;
}

/** What every write in a conversation carries: who, and under which key its first decision is kept. */
export interface Attempt {
  author: string;
  clientId: string;
  /** `decisionKey(conversation, author, clientId)`. */
  decisionKey: string;
  /** HMAC of the body under the installation key. */
  fingerprint: string;
}

interface Write extends Base, Attempt {
  conversation: string;
}

export type WriteCommand =
  | (Write & { kind: 'send'; text: string })
  | (Write & { kind: 'edit'; messageSeq: number; text: string; version: number | null })
  | (Write & { kind: 'delete'; messageSeq: number; version: number | null })
  | (Write & { kind: 'create'; title: string; open: boolean })
  | (Write & { kind: 'update'; title: string | null; open: boolean | null })
  | (Write & { kind: 'put_member'; user: string; role: Role | null })
  | (Write & { kind: 'remove_member'; user: string });

export interface ImportItem extends Attempt {
  kind: MessageKind;
  text: string;
  time: number;
}

/** Up to `importItemsMax` messages of one conversation, decided one after another. The node has checked that `by` is an administrator. */
export interface ImportCommand extends Base {
  kind: 'import';
  conversation: string;
  by: string;
  items: ImportItem[];
}

export type ConversationCommand = WriteCommand | ImportCommand;

export type AccountCommand =
  /** `byAdmin`: an account without a password may be given one. `passwordHash` null: an account that cannot log in yet. */
  | (Base & { kind: 'register'; userId: string; email: string; displayName: string; passwordHash: string | null; byAdmin: boolean })
  | (Base & { kind: 'start_session'; userId: string; sessionId: string; tokenHash: string; userAgent: string; credentialVersion: number })
  | (Base & { kind: 'end_session'; userId: string; sessionId: string })
  | (Base & { kind: 'change_password'; userId: string; passwordHash: string; credentialVersion: number; keepSessionId: string })
  | (Base & { kind: 'set_display_name'; userId: string; displayName: string })
  | (Base & { kind: 'set_admin_link'; linkHash: string })
  | (Base & { kind: 'claim_admin'; userId: string; linkHash: string });

export type Command = ConversationCommand | AccountCommand;

/** Journal key of installation-wide commands; no name begins so. */
export const installationKey = '*';

/**
 * The journal key of a conversation. A group's is its bare name, the same as a user's of that name, so that the two
 * meet in one partition and the shared namespace needs no lock.
 */
export const keyOfConversation = (conversation: string): string => (conversation.startsWith('g:') ? conversation.slice(2) : conversation);
