import type { Answer } from '@parlance/schema/calls';
import { parseConversationId } from '@parlance/schema/ids';
import {
  type AccountRow,
  type ConversationRow,
  type DecisionRow,
  keyOf,
  type MemberRow,
  type MessageRow,
  type OwnRow,
  type Row,
  type SessionRow,
} from './rows.ts';
import { Sequence } from './sequence.ts';

// Reads every row of a store, in whatever order they come, and checks what must hold between them. It keeps 16 bytes for each event, and whole
// only what is rare: memberships, accounts, messages that were changed. A rule has a name; a finding names the rule, the row and what is wrong.

/** What is wrong, and how much was looked at. */
export type Findings = Answer<'verify'>;

const findingsMax = 1000;
const rowsPerProgress = 5000;

/** Checks the rows, which must be all of one moment. `progress` hears now and then how many were read. Rejects when the rows cannot be read. */
export async function verify(rows: AsyncIterable<Row>, progress: (rows: number) => void): Promise<Findings> {
  const check = new Check();
  let count = 0;
  for await (const row of rows) {
    check.read(row);
    if (++count % rowsPerProgress === 0) progress(count);
  }
  progress(count);
  return { rows: count, ...check.finish() };
}

class Check {
  readonly #findings: Findings['findings'] = [];
  readonly #conversations = new Map<string, ConversationCheck>();
  readonly #accounts = new Set<string>();
  readonly #admins: string[] = [];
  /** By token: who the open session belongs to, as the account says and as the session says. */
  readonly #listedSessions = new Map<string, string>();
  readonly #openSessions = new Map<string, string>();
  /** Authors by number, for `Sequence`. */
  readonly #authors = new Map<string, number>();
  /** For each seq: how many decisions made an event of that seq, less how many such events there are, over all conversations. */
  readonly #decided = new Map<number, number>();
  #messages = 0;

  readonly #find = (rule: string, row: string, detail: string): void => {
    if (this.#findings.length < findingsMax) this.#findings.push({ rule, row, detail });
  };

  read(row: Row): void {
    switch (row.table) {
      case 'account':
        this.#readAccount(row);
        return;
      case 'session':
        this.#readSession(row);
        return;
      case 'installation':
        this.#admins.push(...row.admins);
        return;
      case 'decision':
        this.#readDecision(row);
        return;
      case 'conversation':
        this.#conversationOf(row.conversation).row = row;
        return;
      case 'head':
        this.#conversationOf(row.conversation).head = row;
        return;
      case 'member':
        this.#conversationOf(row.conversation).members.push(row);
        return;
      case 'own':
        this.#conversationOf(row.conversation).owns.push(row);
        return;
      case 'message':
        this.#messages += 1;
        this.#count(row.seq, -1);
        this.#conversationOf(row.conversation).readMessage(row, this.#numberOf(row.author));
        return;
      case 'event':
        this.#count(row.seq, -1);
        this.#conversationOf(row.conversation).readEvent(row);
    }
  }

  finish(): Omit<Findings, 'rows'> {
    for (const conversation of this.#conversations.values()) {
      conversation.finish((userId) => this.#numberOf(userId));
      if (conversation.id.startsWith('g:') && this.#accounts.has(conversation.id.slice(2))) {
        this.#find('name', `conversation/${conversation.id}`, 'a user has the same name as this group');
      }
    }
    for (const [token, owner] of this.#listedSessions) {
      if (this.#openSessions.get(token) !== owner)
        this.#find('session', `session/${token}`, `${owner} is in the list of the account, but there is no such open session`);
    }
    for (const [token, owner] of this.#openSessions) {
      if (this.#listedSessions.get(token) !== owner) this.#find('session', `session/${token}`, `${owner} is open, but not in the list of the account`);
    }
    for (const admin of this.#admins) if (!this.#accounts.has(admin)) this.#find('admin', 'installation', `the administrator ${admin} has no account`);
    for (const [seq, surplus] of this.#decided) {
      if (surplus > 0) this.#find('decision', `seq ${seq}`, `${surplus} more accepted decisions than events have this seq, over all conversations`);
      if (surplus < 0) this.#find('decision', `seq ${seq}`, `${-surplus} more events than accepted decisions have this seq, over all conversations`);
    }
    return { conversations: this.#conversations.size, messages: this.#messages, findings: this.#findings };
  }

  #readAccount(row: AccountRow): void {
    this.#accounts.add(row.userId);
    for (const { tokenHash, sessionId } of row.sessions) this.#listedSessions.set(tokenHash, `${row.userId}/${sessionId}`);
  }

  #readSession(row: SessionRow): void {
    if (!row.ended) this.#openSessions.set(row.tokenHash, `${row.userId}/${row.sessionId}`);
  }

  // A decision does not name its conversation (its key is a hash of it), so which event it made is only checked in sum: each event was made by one decision.
  #readDecision(row: DecisionRow): void {
    const wrong = (detail: string): void => this.#find('decision', keyOf(row), detail);
    if (row.code !== null && row.seq !== 0) wrong(`refused with ${row.code}, and yet it made the event ${row.seq}`);
    if (row.code === null && row.messageSeq > row.seq) wrong(`made the event ${row.seq} about the later message ${row.messageSeq}`);
    if (row.code === null && row.messageSeq > 0 && row.version < 1) wrong('is about a message, and names no version of it');
    if (row.code === null && row.seq > 0 && row.seq === row.messageSeq && row.version !== 1) wrong(`made a message, in version ${row.version}`);
    if (row.code === null && row.seq > 0) this.#count(row.seq, 1);
  }

  #count(seq: number, change: number): void {
    const surplus = (this.#decided.get(seq) ?? 0) + change;
    if (surplus === 0) this.#decided.delete(seq);
    else this.#decided.set(seq, surplus);
  }

  #conversationOf(id: string): ConversationCheck {
    const known = this.#conversations.get(id);
    if (known !== undefined) return known;
    const made = new ConversationCheck(id, this.#find);
    this.#conversations.set(id, made);
    return made;
  }

  #numberOf(author: string): number {
    const known = this.#authors.get(author);
    if (known !== undefined) return known;
    this.#authors.set(author, this.#authors.size + 1);
    return this.#authors.size;
  }
}

interface Changed {
  version: number;
  deleted: boolean;
  edits: { seq: number; version: number }[];
  deletes: { seq: number; version: number }[];
}

class ConversationCheck {
  readonly id: string;
  row: ConversationRow | undefined;
  head: Extract<Row, { table: 'head' }> | undefined;
  readonly members: MemberRow[] = [];
  readonly owns: OwnRow[] = [];
  readonly #find: (rule: string, row: string, detail: string) => void;
  readonly #sequence = new Sequence();
  /** Messages that are not as they were sent, or have events about them. */
  readonly #changed = new Map<number, Changed>();

  constructor(id: string, find: (rule: string, row: string, detail: string) => void) {
    this.id = id;
    this.#find = find;
  }

  readMessage(row: MessageRow, author: number): void {
    this.#place(row, author);
    if (row.deleted && row.text !== '') this.#find('deleted_text', keyOf(row), 'it is deleted, but its text can still be read');
    if (row.editedTime === null && row.version !== 1) this.#find('version', keyOf(row), `it has version ${row.version}, but no time of an edit`);
    if (row.version === 1 && !row.deleted) return;
    const changed = this.#changedOf(row.seq);
    changed.version = row.version;
    changed.deleted = row.deleted;
  }

  readEvent(row: Extract<Row, { table: 'event' }>): void {
    this.#place(row, 0);
    if (row.kind !== 'edit' && row.kind !== 'delete') return;
    if (row.messageSeq === undefined || row.version === undefined) {
      this.#find('version', keyOf(row), 'it does not name its message and version');
      return;
    }
    const { edits, deletes } = this.#changedOf(row.messageSeq);
    (row.kind === 'edit' ? edits : deletes).push({ seq: row.seq, version: row.version });
  }

  finish(numberOf: (userId: string) => number): void {
    this.#checkSequence();
    for (const [seq, changed] of this.#changed) this.#checkChanged(seq, changed);
    this.#checkPeople();
    for (const member of this.members) this.#checkMembership(member);
    for (const own of this.owns) {
      const found = this.#sequence.at(own.seq);
      // That it is the newest cannot be asked: an imported message is no sign of having read, and its row looks like any other.
      if (found?.author !== numberOf(own.userId)) this.#find('own', keyOf(own), `it points to ${own.seq}, which is no message of ${own.userId}`);
      else if (found.count !== own.count) this.#find('own', keyOf(own), `it counts ${own.count} messages where there were ${found.count}`);
    }
  }

  #place(row: MessageRow | Extract<Row, { table: 'event' }>, author: number): void {
    if (!Number.isSafeInteger(row.seq) || row.seq < 1) this.#find('dense', keyOf(row), `${row.seq} is no place in the order`);
    else if (!this.#sequence.put(row.seq, row.count, author)) this.#find('once', keyOf(row), 'another event has the same seq');
  }

  #changedOf(seq: number): Changed {
    const known = this.#changed.get(seq);
    if (known !== undefined) return known;
    const made: Changed = { version: 1, deleted: false, edits: [], deletes: [] };
    this.#changed.set(seq, made);
    return made;
  }

  #checkSequence(): void {
    const { id, head } = this;
    const row = `head/${id}`;
    let expected = 1;
    let messages = 0;
    let messageSeq = 0;
    for (const { seq, count, author } of this.#sequence) {
      if (seq !== expected) this.#find('dense', row, `nothing stands at ${expected}${seq - 1 > expected ? ` to ${seq - 1}` : ''}`);
      // After a gap the count is taken as given, or everything that follows would be wrong too.
      const rise = author > 0 ? 1 : 0;
      if (seq === expected && count !== messages + rise)
        this.#find('count', `${rise === 1 ? 'message' : 'event'}/${id}/${seq}`, `it counts ${count} messages after ${messages}`);
      messages = count;
      if (rise === 1) messageSeq = seq;
      expected = seq + 1;
    }
    if (this.row === undefined) this.#find('conversation', `conversation/${id}`, 'it has rows, but none of its own');
    if (head === undefined) {
      this.#find('head', row, 'it is missing');
      return;
    }
    if (head.seq > expected - 1) this.#find('dense', row, `the head is at ${head.seq}, but nothing stands after ${expected - 1}`);
    if (head.seq < expected - 1) this.#find('head', row, `the head is at ${head.seq}, but there is an event at ${expected - 1}`);
    if (head.count !== messages) this.#find('head_count', row, `the head counts ${head.count} messages; there are ${messages}`);
    if (head.messageSeq !== messageSeq) this.#find('head_message', row, `the head has ${head.messageSeq} as the newest message; it is ${messageSeq}`);
  }

  #checkChanged(seq: number, { version, deleted, edits, deletes }: Changed): void {
    const wrong = (detail: string): void => this.#find('version', `message/${this.id}/${seq}`, detail);
    if (!this.#sequence.at(seq)?.author) {
      wrong('events are about it, but it is not there');
      return;
    }
    edits.sort((a, b) => a.seq - b.seq);
    edits.forEach((edit, index) => {
      if (edit.version !== index + 2) wrong(`its edit at ${edit.seq} made version ${edit.version} where ${index + 2} was next`);
    });
    if (version !== edits.length + 1) wrong(`it has version ${version} after ${edits.length} edits`);
    if (deletes.length !== (deleted ? 1 : 0)) wrong(`it is ${deleted ? 'deleted' : 'not deleted'}, and was deleted ${deletes.length} times`);
    for (const { seq: at, version: then } of deletes) {
      if (then !== version) wrong(`it was deleted at ${at} in version ${then}, and has version ${version}`);
      if (edits.some((edit) => edit.seq > at)) wrong(`it was edited after it was deleted at ${at}`);
    }
  }

  #checkPeople(): void {
    const { id, row } = this;
    if (row === undefined) return;
    const parts = parseConversationId(id);
    if (parts?.kind !== row.kind) this.#find('conversation', keyOf(row), `it is a ${row.kind} one, which its id does not say`);
    const current = this.members.filter((member) => member.left === null);
    if (row.memberCount !== current.length) this.#find('member_count', keyOf(row), `it counts ${row.memberCount} members and has ${current.length}`);
    const owners = current.filter((member) => member.role === 'owner').length;
    if (row.kind === 'group' && owners !== 1) this.#find('one_owner', keyOf(row), `it has ${owners} owners`);
    if (parts?.kind !== 'direct') return;
    const users = [...new Set<string>(parts.users)].sort();
    const members = current.map((member) => member.userId).sort();
    if (users.join() !== members.join()) this.#find('direct_members', keyOf(row), `its members are ${members.join(', ') || 'nobody'}`);
  }

  #checkMembership(member: MemberRow): void {
    const wrong = (detail: string): void => this.#find('membership', keyOf(member), detail);
    const end = this.head?.seq ?? 0;
    const { joinedSeq, joinedCount, left } = member;
    if (joinedSeq < 1 || joinedSeq > end) wrong(`it began at ${joinedSeq}, and the head is at ${end}`);
    else if (this.#messagesBefore(joinedSeq) !== joinedCount)
      wrong(`it began with ${joinedCount} messages where there were ${this.#messagesBefore(joinedSeq)}`);
    if (left === null) return;
    if (left.seq <= joinedSeq || left.seq > end) wrong(`it began at ${joinedSeq} and ended at ${left.seq}, and the head is at ${end}`);
    else if (this.#messagesBefore(left.seq) !== left.count) wrong(`it ended with ${left.count} messages where there were ${this.#messagesBefore(left.seq)}`);
    if (left.messageSeq >= left.seq || (left.messageSeq > 0 && !this.#sequence.at(left.messageSeq)?.author)) {
      wrong(`when it ended, ${left.messageSeq} was the newest message, and that is none`);
    }
  }

  /** Undefined where nothing stands, which another rule finds. */
  #messagesBefore(seq: number): number | undefined {
    const found = this.#sequence.at(seq);
    return found === undefined ? undefined : found.count - (found.author > 0 ? 1 : 0);
  }
}
