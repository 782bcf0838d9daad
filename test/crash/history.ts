import type { WriteName } from '@parlance/schema/calls';
import type { Change, Message } from '@parlance/schema/types';

// What clients saw, what the server says afterwards, and the check that the two agree. Pure: it knows no server, so that it can be shown that it
// catches what it is for.
//
// Every write is repeated, under its client_id, after the last crash, twice. By then each has at most one decision, and every event there is must be the effect of
// exactly one of them: an event that nobody's answer names was doubled, invented, or refused and yet took effect.

/** A write as its author made it. Texts are unique to the write. */
export interface Write {
  name: WriteName;
  /** Stable id. */
  conversation: string;
  by: string;
  clientId: string;
  input: Readonly<Record<string, unknown>>;
}

export type Outcome =
  | { is: 'accepted'; seq: number | null; time: string | null; msgId?: string | undefined; version?: number | undefined }
  /** Decided: the answer for ever. */
  | { is: 'refused'; code: string; version?: number | undefined }
  /** Ended before it was decided, and stored nothing. */
  | { is: 'undecided'; code: string }
  /** No answer, or 503. */
  | { is: 'unknown' };

export interface Entry {
  write: Write;
  /** The first attempt, then the repetitions. */
  outcomes: Outcome[];
}

/** A read mark that was answered. */
export interface Marked {
  by: string;
  conversation: string;
  readSeq: number;
}

export interface History {
  entries: Entry[];
  marks: Marked[];
}

export interface ReadBack {
  /** All events of each conversation after the crash, before any write was repeated. */
  before: ReadonlyMap<string, Change[]>;
  /** The same after all repetitions. */
  after: ReadonlyMap<string, Change[]>;
  /** All of each conversation's history, after all repetitions. */
  messages: ReadonlyMap<string, Message[]>;
  /** How far each has read, by `markKey`. */
  marks: ReadonlyMap<string, number>;
}

export type Rule =
  | 'acknowledged and lost'
  | 'answer changed'
  | 'decided twice'
  | 'not dense'
  | 'not the effect of one write'
  | 'refused and present'
  | 'deleted and readable'
  | 'not as last written'
  | 'vanished'
  | 'by nobody inside'
  | 'read mark lost';

export interface Finding {
  rule: Rule;
  detail: string;
}

export const markKey = (by: string, conversation: string): string => `${by} ${conversation}`;

/** Everything that speaks against the promises; empty when nothing does. */
export function check(history: History, readBack: ReadBack): Finding[] {
  const findings: Finding[] = [];
  const find = (rule: Rule, detail: string): void => void findings.push({ rule, detail });
  for (const entry of history.entries) checkAnswers(entry, find);
  const byConversation = Map.groupBy(history.entries, (entry) => entry.write.conversation);
  for (const conversation of new Set([...byConversation.keys(), ...readBack.before.keys(), ...readBack.after.keys()])) {
    const place = {
      conversation,
      entries: byConversation.get(conversation) ?? [],
      before: readBack.before.get(conversation) ?? [],
      after: readBack.after.get(conversation) ?? [],
      messages: readBack.messages.get(conversation) ?? [],
    };
    checkEvents(place, find);
    checkMessages(place, find);
  }
  for (const { by, conversation, readSeq } of history.marks) {
    const now = readBack.marks.get(markKey(by, conversation)) ?? 0;
    if (now < readSeq) find('read mark lost', `${by} had read ${conversation} up to ${readSeq}, now ${now}`);
  }
  return findings;
}

type Find = (rule: Rule, detail: string) => void;

interface Place {
  conversation: string;
  entries: Entry[];
  before: Change[];
  after: Change[];
  messages: Message[];
}

const isDecided = (outcome: Outcome): boolean => outcome.is === 'accepted' || outcome.is === 'refused';
const shown = ({ write }: Entry): string => `${write.name} ${write.clientId} by ${write.by} in ${write.conversation}`;

/** The one decision of a write, if it ever was told. */
export const decisionOf = ({ outcomes }: Entry): Outcome | undefined => outcomes.find(isDecided);

function checkAnswers(entry: Entry, find: Find): void {
  const decided = entry.outcomes.filter(isDecided);
  for (const outcome of decided) {
    if (JSON.stringify(outcome) === JSON.stringify(decided[0])) continue;
    find('answer changed', `${shown(entry)}: ${JSON.stringify(decided[0])}, then ${JSON.stringify(outcome)}`);
  }
  const first = entry.outcomes.findIndex(isDecided);
  if (first >= 0 && entry.outcomes.slice(first).some((outcome) => outcome.is === 'undecided')) {
    find('answer changed', `${shown(entry)}: decided, and then not`);
  }
}

function checkEvents({ conversation, entries, before, after }: Place, find: Find): void {
  for (const [index, change] of after.entries()) if (change.seq !== index + 1) find('not dense', `${conversation}: ${change.seq} stands at ${index + 1}`);
  for (const [index, change] of before.entries()) {
    if (plain(change) !== plain(after[index])) find('vanished', `${conversation}: ${plain(change)}, then ${plain(after[index])}`);
  }
  const effects = new Map<number, Entry>();
  for (const entry of entries) {
    const decision = decisionOf(entry);
    if (decision?.is !== 'accepted' || decision.seq === null) continue;
    const { seq } = decision;
    const other = effects.get(seq);
    if (other !== undefined) find('decided twice', `${shown(other)} and ${shown(entry)} both have seq ${seq}`);
    effects.set(seq, entry);
    const wasAcknowledged = entry.outcomes[0]!.is === 'accepted';
    if (!isEffect(entry, decision, after[seq - 1])) find('acknowledged and lost', `${shown(entry)}: nothing of it at ${seq}`);
    else if (wasAcknowledged && before[seq - 1] === undefined) find('acknowledged and lost', `${shown(entry)}: it came back only when repeated`);
  }
  const inside = new Set<string>();
  for (const change of after) {
    if (!effects.has(change.seq)) find('not the effect of one write', `${conversation}: ${plain(change)}`);
    if (conversation.startsWith('g:')) checkMembership(change, inside, find);
  }
}

/** Everybody who does something in a group is in it at that place. */
function checkMembership({ conversation, seq, kind, by, user }: Change, inside: Set<string>, find: Find): void {
  if (kind === 'created') inside.add(by);
  else if (kind === 'joined') inside.add(user!);
  else if (!inside.has(by)) find('by nobody inside', `${conversation} ${seq}: ${kind} by ${by}`);
  if (kind === 'added') inside.add(user!);
  if (kind === 'removed' || kind === 'left') inside.delete(user!);
}

const plain = (change: Change | undefined): string =>
  change === undefined ? 'nothing' : `${change.seq} ${change.kind} by ${change.by} ${change.msg_id ?? change.user ?? ''} ${change.time}`.trim();

const kindsOf: Record<WriteName, readonly string[]> = {
  send_message: ['message'],
  edit_message: ['edit'],
  delete_message: ['delete'],
  create_group: ['created'],
  update_group: ['updated'],
  put_member: ['joined', 'added', 'role'],
  remove_member: ['removed', 'left'],
};

function isEffect({ write }: Entry, decision: Outcome & { is: 'accepted' }, change: Change | undefined): boolean {
  if (change === undefined || change.by !== write.by || !kindsOf[write.name].includes(change.kind)) return false;
  if (decision.msgId !== undefined && change.msg_id !== decision.msgId) return false;
  return write.input.user === undefined || change.user === write.input.user;
}

function checkMessages({ conversation, entries, after, messages }: Place, find: Find): void {
  // A message may not show a text whose write did not take effect, nor the text of one that was deleted.
  const forbidden = new Map<string, Rule>();
  const expected = new Map<string, { text: string; version: number; isDeleted: boolean }>();
  const decided = entries.map((entry) => ({ entry, decision: decisionOf(entry) }));
  for (const { entry, decision } of decided) {
    const { text } = entry.write.input;
    if (typeof text === 'string' && decision?.is !== 'accepted' && entry.outcomes.at(-1)?.is !== 'unknown') forbidden.set(text, 'refused and present');
  }
  const effects = decided
    .filter((one): one is { entry: Entry; decision: Outcome & { is: 'accepted'; seq: number } } => one.decision?.is === 'accepted' && one.decision.seq !== null)
    .sort((a, b) => a.decision.seq - b.decision.seq);
  for (const { entry, decision } of effects) {
    const { name, input } = entry.write;
    if (name === 'send_message') {
      expected.set(String(decision.seq), { text: String(input.text), version: 1, isDeleted: false });
      continue;
    }
    const message = expected.get(String(input.msg_id));
    if (message === undefined) continue;
    if (name === 'edit_message') Object.assign(message, { text: input.text, version: message.version + 1 });
    if (name !== 'delete_message') continue;
    message.isDeleted = true;
    const ofMessage = effects.filter((one) => one.entry.write.input.msg_id === input.msg_id || String(one.decision.seq) === input.msg_id);
    for (const one of ofMessage) if (typeof one.entry.write.input.text === 'string') forbidden.set(one.entry.write.input.text, 'deleted and readable');
  }
  const all = [...messages, ...after.flatMap((change) => change.message ?? [])];
  for (const { msg_id, text, version, deleted } of all) {
    const rule = text === undefined ? undefined : forbidden.get(text);
    if (rule !== undefined) find(rule, `${conversation} ${msg_id}: ${text}`);
    const wanted = expected.get(msg_id);
    if (wanted === undefined) continue;
    const isRight = deleted === true ? wanted.isDeleted : !wanted.isDeleted && text === wanted.text;
    if (!isRight || version !== wanted.version) {
      find('not as last written', `${conversation} ${msg_id}: ${JSON.stringify({ text, version, deleted })}, not ${JSON.stringify(wanted)}`);
    }
  }
  const ids = new Set(messages.map((message) => message.msg_id));
  for (const id of expected.keys()) if (!ids.has(id)) find('acknowledged and lost', `${conversation}: message ${id} is not in the history`);
  if (ids.size !== messages.length) find('decided twice', `${conversation}: the history holds a message twice`);
}
