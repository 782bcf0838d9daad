import type { DecidedCode } from '@parlance/schema/errors';
import { parseConversationId } from '@parlance/schema/ids';
import type { Role } from '@parlance/schema/types';
import type { Attempt, ConversationCommand, ImportCommand, WriteCommand } from '../journal/command.ts';
import type { ConversationEvent, GroupEvent, Result } from '../journal/record.ts';
import type { Facts } from '../store/facts.ts';
import type { ConversationRow, DecisionRow, HeadRow, MemberRow, MessageRow } from '../store/rows.ts';

// The rules of conversations, as a pure function. It is asked once for every command, at the command's place in the order, with the facts as
// they are there; `now` is the deciding node's clock and only ever becomes a time that people read. What it says goes into the journal
// and is true from then on; so it must depend on nothing but its arguments.

/** Decides one command: one result, or one per item of an import. */
export function decide(facts: Facts, command: ConversationCommand, now: number): Result[] {
  if (command.kind === 'import') return decideImport(facts, command);
  const prior = facts.decision(command.decisionKey);
  if (prior !== undefined) return [repeat(prior, command)];
  return [decideWrite(facts, command, now)];
}

/** The first decision is the answer for ever; the same key for another body is a mistake of the client, and changes nothing. */
const repeat = (prior: DecisionRow, attempt: Attempt): Result =>
  prior.fingerprint === attempt.fingerprint ? { decision: prior, repeated: true } : { refusal: 'client_id_reused' };

function decideWrite(facts: Facts, command: WriteCommand, now: number): Result {
  const head = facts.head(command.conversation);
  const place = new Place(command, head, now);
  if (command.kind === 'create') return decideCreate(facts, command, place);
  const access = accessOf(facts, command);
  switch (command.kind) {
    case 'send':
      if (access === undefined) return place.refuse('not_a_member');
      return place.message(command.text);
    case 'edit':
    case 'delete':
      if (access === undefined) return place.refuse('not_a_member');
      return decideMessageChange(facts, command, access, place);
    case 'update':
    case 'put_member':
    case 'remove_member': {
      const group = facts.conversation(command.conversation);
      if (group === undefined) return { refusal: 'conversation_not_found' };
      if (command.kind === 'update') return decideUpdate(command, group, access, place);
      const target = facts.currentMember(command.conversation, command.user);
      return command.kind === 'put_member' ? decidePutMember(command, group, access, target, place) : decideRemoveMember(command, group, access, target, place);
    }
  }
}

/** The author's standing here: the membership in a group, `'peer'` in a direct conversation, undefined when none. */
type Access = MemberRow | 'peer' | undefined;

function accessOf(facts: Facts, command: WriteCommand): Access {
  const { conversation, author } = command;
  if (conversation.startsWith('g:')) return facts.currentMember(conversation, author);
  const parts = parseConversationId(conversation);
  return parts?.kind === 'direct' && parts.users.includes(author) ? 'peer' : undefined;
}

const administers = (access: Access): access is MemberRow => access !== undefined && access !== 'peer' && access.role !== 'member';

function decideMessageChange(facts: Facts, command: WriteCommand & { kind: 'edit' | 'delete' }, access: Access, place: Place): Result {
  const message = facts.message(command.conversation, command.messageSeq);
  if (message === undefined) return place.refuse('message_not_found');
  const isAllowed = message.author === command.author || (command.kind === 'delete' && administers(access));
  if (!isAllowed) return place.refuse('not_the_author');
  if (message.deleted) return place.refuse('message_deleted');
  if (command.version !== null && command.version !== message.version) return place.refuse('version_mismatch', message.version);
  return place.messageChange(
    command.kind,
    command.kind === 'edit'
      ? { ...message, text: command.text, version: message.version + 1, editedTime: place.time }
      : { ...message, text: '', deleted: true },
  );
}

function decideCreate(facts: Facts, command: WriteCommand & { kind: 'create' }, place: Place): Result {
  const { conversation, author, title, open } = command;
  // The name may be a user's: users and groups share a namespace, and a partition by their bare name.
  if (facts.conversation(conversation) !== undefined || facts.account(command.key) !== undefined) return place.refuse('name_taken');
  const group: ConversationRow = { table: 'conversation', conversation, kind: 'group', title, open, memberCount: 1, createdTime: place.time };
  return place.group('created', group, [place.memberOf(author, 'owner')], { title, open });
}

function decideUpdate(command: WriteCommand & { kind: 'update' }, group: ConversationRow, access: Access, place: Place): Result {
  if (access === undefined) return place.refuse('not_a_member');
  if (!administers(access)) return place.refuse('role_required');
  const title = command.title ?? group.title;
  const open = command.open ?? group.open;
  if (title === group.title && open === group.open) return place.nothing();
  return place.group('updated', { ...group, title, open }, [], { title, open });
}

// Who may do what to whom. An admin adds and removes plain members; the owner does everything, and is one person at any time.
//
//   put_member by        on oneself              on a member            on others
//   nobody (open group)  joins as member         not_a_member           not_a_member
//   member               no change               role_required          role_required
//   admin                steps down to member    role_required          adds as member
//   owner                last_owner              any role; owner:       adds as member or admin
//                                                hands over
function decidePutMember(
  command: WriteCommand & { kind: 'put_member' },
  group: ConversationRow,
  access: Access,
  target: MemberRow | undefined,
  place: Place,
): Result {
  const { author, user, role } = command;
  const actor = access === 'peer' ? undefined : access;
  if (actor === undefined) {
    if (user !== author || !group.open) return place.refuse('not_a_member');
    if (role !== null && role !== 'member') return place.refuse('role_required');
    return place.group('joined', withCount(group, 1), [place.memberOf(user, 'member')], { user, role: 'member' });
  }
  if (target !== undefined && (role === null || role === target.role)) return place.nothing();
  if (user === author) {
    if (actor.role === 'owner') return place.refuse('last_owner');
    if (actor.role === 'admin' && role === 'member') return place.group('role', group, [{ ...actor, role }], { user, role });
    return place.refuse('role_required');
  }
  if (!administers(actor)) return place.refuse('role_required');
  if (target === undefined) {
    if (role === 'owner') return place.refuse('member_not_found');
    if (role === 'admin' && actor.role !== 'owner') return place.refuse('role_required');
    return place.group('added', withCount(group, 1), [place.memberOf(user, role ?? 'member')], { user, role: role ?? 'member' });
  }
  if (actor.role !== 'owner') return place.refuse('role_required');
  const changed: MemberRow = { ...target, role: role as Role };
  const members: MemberRow[] = role === 'owner' ? [changed, { ...actor, role: 'admin' }] : [changed];
  return place.group('role', group, members, { user, role: changed.role });
}

function decideRemoveMember(
  command: WriteCommand & { kind: 'remove_member' },
  group: ConversationRow,
  access: Access,
  target: MemberRow | undefined,
  place: Place,
): Result {
  const { author, user } = command;
  const actor = access === 'peer' ? undefined : access;
  if (user === author) {
    if (actor === undefined) return place.nothing();
    if (actor.role === 'owner') return place.refuse('last_owner');
    return place.group('left', withCount(group, -1), [place.leaving(actor, group)], { user });
  }
  if (actor === undefined) return place.refuse('not_a_member');
  if (!administers(actor)) return place.refuse('role_required');
  if (target === undefined) return place.nothing();
  if (target.role !== 'member' && actor.role !== 'owner') return place.refuse('role_required');
  return place.group('removed', withCount(group, -1), [place.leaving(target, group)], { user });
}

const withCount = (group: ConversationRow, change: number): ConversationRow => ({ ...group, memberCount: group.memberCount + change });

// The items of an import are decided one after another on one moving head. Their times are kept as given; the head's time does not go back.
function decideImport(facts: Facts, command: ImportCommand): Result[] {
  const head = { ...facts.head(command.conversation) };
  const decidedHere = new Map<string, DecisionRow>();
  return command.items.map((item) => {
    const prior = decidedHere.get(item.decisionKey) ?? facts.decision(item.decisionKey);
    if (prior !== undefined) return repeat(prior, item);
    const place = new Place({ ...item, conversation: command.conversation }, head, item.time);
    const result = place.importedMessage(item.kind, item.text, item.time);
    const event = result.event as ConversationEvent;
    head.seq = event.seq;
    head.count = event.count;
    head.messageSeq = event.messageSeq;
    head.time = event.activity;
    decidedHere.set(item.decisionKey, result.decision!);
    return result;
  });
}

/** The next place in a conversation's order, and the ways to fill it. */
class Place {
  readonly seq: number;
  /** Kept from going backwards within the conversation. */
  readonly time: number;
  readonly #write: Attempt & { conversation: string };
  readonly #head: HeadRow;

  constructor(write: Attempt & { conversation: string }, head: HeadRow, now: number) {
    this.#write = write;
    this.#head = head;
    this.seq = head.seq + 1;
    this.time = Math.max(now, head.time);
  }

  refuse(code: DecidedCode, version = 0): Result {
    return { decision: this.#decision(0, 0, version, this.time, code) };
  }

  /** Accepted, and nothing had to change. */
  nothing(): Result {
    return { decision: this.#decision(0, 0, 0, this.time, null) };
  }

  message(text: string): Result {
    const isFirst = this.seq === 1 && this.#write.conversation.startsWith('d:');
    const event: ConversationEvent = { kind: 'message', ...this.#base(this.time, true), text };
    if (isFirst) event.first = true;
    return { event, decision: this.#decision(this.seq, this.seq, 1, this.time, null) };
  }

  importedMessage(kind: 'message' | 'action', text: string, time: number): Result {
    const event: ConversationEvent = { kind, ...this.#base(time, true), text, imported: true };
    if (this.seq === 1 && this.#write.conversation.startsWith('d:')) event.first = true;
    return { event, decision: this.#decision(this.seq, this.seq, 1, time, null) };
  }

  messageChange(kind: 'edit' | 'delete', message: MessageRow): Result {
    return {
      event: { kind, ...this.#base(this.time, false), message },
      decision: this.#decision(this.seq, message.seq, message.version, this.time, null),
    };
  }

  group(kind: GroupEvent['kind'], group: ConversationRow, members: MemberRow[], more: { user?: string; role?: Role; title?: string; open?: boolean }): Result {
    return {
      event: { kind, ...this.#base(this.time, false), group, members, ...more },
      decision: this.#decision(this.seq, 0, 0, this.time, null),
    };
  }

  memberOf(userId: string, role: Role): MemberRow {
    return { table: 'member', conversation: this.#write.conversation, userId, role, joinedSeq: this.seq, joinedCount: this.#head.count, left: null };
  }

  leaving(member: MemberRow, { title }: ConversationRow): MemberRow {
    return { ...member, left: { seq: this.seq, count: this.#head.count, messageSeq: this.#head.messageSeq, time: this.time, title } };
  }

  #base(time: number, isMessage: boolean) {
    return {
      conversation: this.#write.conversation,
      seq: this.seq,
      time,
      by: this.#write.author,
      clientId: this.#write.clientId,
      count: isMessage ? this.#head.count + 1 : this.#head.count,
      messageSeq: isMessage ? this.seq : this.#head.messageSeq,
      activity: Math.max(time, this.#head.time),
    };
  }

  #decision(seq: number, messageSeq: number, version: number, time: number, code: DecidedCode | null): DecisionRow {
    const { decisionKey: key, fingerprint } = this.#write;
    return { table: 'decision', key, fingerprint, seq, messageSeq, version, time, code };
  }
}
