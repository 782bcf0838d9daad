import type { Command, WriteCommand } from '../../packages/server/src/journal/command.ts';

// The rules of accounts and conversations once more, written without looking at decide.ts and as short as they go: what the judge
// re-decides every command with, at its place in the order.

export interface TruthMessage {
  author: string;
  version: number;
  deleted: boolean;
  /** By version: the text of version 1 is at 1. */
  texts: (string | undefined)[];
}

export interface TruthEvent {
  seq: number;
  kind: string;
  by: string;
  clientId: string;
  /** Position of its record. */
  at: number;
  /** Seq of the message it is about, and the version and deletion then. */
  message: number;
  version: number;
  deleted: boolean;
}

export interface TruthConversation {
  id: string;
  isOpen: boolean;
  title: string;
  roles: Map<string, string>;
  /** User → the event that ended the membership. */
  left: Map<string, number>;
  messages: Map<number, TruthMessage>;
  events: TruthEvent[];
  time: number;
}

/** What comes of a command: a refusal (undecided ones are stored nowhere), an event's kind with what it is about, or nothing to change. */
export interface Ruling {
  code: string | null;
  isStored: boolean;
  kind?: string;
  message?: number;
  version: number;
}

const refuse = (code: string, version = 0): Ruling => ({ code, isStored: true, version });
const nothing: Ruling = { code: null, isStored: true, version: 0 };
const accept = (kind: string, message = 0, version = 0): Ruling => ({ code: null, isStored: true, kind, message, version });

export const usersOf = (conversation: string): string[] => conversation.slice(2).split(':');

export function rule(conversation: TruthConversation, command: WriteCommand, names: ReadonlySet<string>): Ruling {
  const { author } = command;
  const isGroup = conversation.id.startsWith('g:');
  const role = isGroup ? conversation.roles.get(author) : usersOf(conversation.id).includes(author) ? 'peer' : undefined;
  const leads = role === 'owner' || role === 'admin';
  switch (command.kind) {
    case 'create':
      return names.has(command.key) ? refuse('name_taken') : accept('created');
    case 'send':
      return role === undefined ? refuse('not_a_member') : accept('message', conversation.events.length + 1, 1);
    case 'edit':
    case 'delete': {
      const message = conversation.messages.get(command.messageSeq);
      if (role === undefined) return refuse('not_a_member');
      if (message === undefined) return refuse('message_not_found');
      if (message.author !== author && !(command.kind === 'delete' && leads)) return refuse('not_the_author');
      if (message.deleted) return refuse('message_deleted');
      if (command.version !== null && command.version !== message.version) return refuse('version_mismatch', message.version);
      return accept(command.kind, command.messageSeq, message.version + (command.kind === 'edit' ? 1 : 0));
    }
  }
  if (conversation.events.length === 0) return { code: 'conversation_not_found', isStored: false, version: 0 };
  if (command.kind === 'update') {
    if (role === undefined) return refuse('not_a_member');
    if (!leads) return refuse('role_required');
    const isSame = (command.title ?? conversation.title) === conversation.title && (command.open ?? conversation.isOpen) === conversation.isOpen;
    return isSame ? nothing : accept('updated');
  }
  const theirs = conversation.roles.get(command.user);
  const isSelf = command.user === author;
  if (command.kind === 'remove_member') {
    if (isSelf) return role === undefined ? nothing : role === 'owner' ? refuse('last_owner') : accept('left');
    if (role === undefined) return refuse('not_a_member');
    if (!leads) return refuse('role_required');
    if (theirs === undefined) return nothing;
    return theirs === 'member' || role === 'owner' ? accept('removed') : refuse('role_required');
  }
  const wanted = command.role;
  if (role === undefined) {
    if (!isSelf || !conversation.isOpen) return refuse('not_a_member');
    return wanted === null || wanted === 'member' ? accept('joined') : refuse('role_required');
  }
  if (theirs !== undefined && (wanted === null || wanted === theirs)) return nothing;
  if (isSelf) return role === 'owner' ? refuse('last_owner') : role === 'admin' && wanted === 'member' ? accept('role') : refuse('role_required');
  if (!leads) return refuse('role_required');
  if (theirs === undefined) {
    if (wanted === 'owner') return refuse('member_not_found');
    return wanted === 'admin' && role !== 'owner' ? refuse('role_required') : accept('added');
  }
  return role === 'owner' ? accept('role') : refuse('role_required');
}

/** Carries out what was ruled. */
export function carryOut(conversation: TruthConversation, command: WriteCommand, { kind, message = 0, version }: Ruling, at: number): void {
  const seq = conversation.events.length + 1;
  const { roles, left, messages } = conversation;
  switch (command.kind) {
    case 'create':
      roles.set(command.author, 'owner');
      break;
    case 'send':
      messages.set(seq, { author: command.author, version: 1, deleted: false, texts: [undefined, command.text] });
      break;
    case 'edit':
      messages.get(message)!.version = version;
      messages.get(message)!.texts[version] = command.text;
      break;
    case 'delete':
      messages.get(message)!.deleted = true;
      break;
    case 'remove_member':
      roles.delete(command.user);
      left.set(command.user, seq);
      break;
    case 'put_member':
      if (command.role === 'owner') roles.set(command.author, 'admin');
      roles.set(command.user, command.role ?? 'member');
      left.delete(command.user);
      break;
  }
  if (command.kind === 'create' || command.kind === 'update') {
    conversation.title = command.title ?? conversation.title;
    conversation.isOpen = command.open ?? conversation.isOpen;
  }
  const { author: by, clientId } = command;
  conversation.events.push({ seq, kind: kind!, by, clientId, at, message, version, deleted: messages.get(message)?.deleted ?? false });
}

/** What makes a write the write it is: two attempts with the same body are the same. */
export function bodyOf(command: WriteCommand): string {
  const { nonce: _n, key: _k, decisionKey: _d, fingerprint: _f, clientId: _c, author: _a, conversation: _v, ...body } = command;
  return JSON.stringify(Object.entries(body).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const isWrite = (command: Command): command is WriteCommand => 'decisionKey' in command;
