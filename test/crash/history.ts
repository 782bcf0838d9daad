import type { WriteName } from '@parlance/schema/calls';
import type { Change, Message } from '@parlance/schema/types';

// What clients saw, what the server says afterwards, and the check that the two agree. Pure: it knows no server, so that it can be shown that it
// catches what it is for.
//
// Every write is repeated, under its client_id, after the last crash, twice. By then each has at most one decision, and every event there is must be the effect of
// exactly one of them: an event that nobody's answer names was doubled, invented, or refused and yet took effect.
//
// Of a cluster there is more to know: what each node says, what was read through another node right after an answer, and what live sockets were pushed. All of it
// must be the one order that `after` is.

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
  /** No answer, or 503. `why` is for people. */
  | { is: 'unknown'; why?: string };

export interface Entry {
  write: Write;
  /** The attempts while faults went on, then the repetitions. */
  outcomes: Outcome[];
  /** How many of the outcomes are attempts; 1 when left out. */
  attempts?: number;
  /** When the first attempt began, ms of the observing process. */
  sinceMs?: number;
}

/** What somebody read of their own write, begun after it was answered and through whichever node. */
export interface OwnRead {
  entry: Entry;
  /** Which node, for people. */
  through: string;
  /** The event at the write's place; undefined when there was none yet. */
  change: Change | undefined;
  /** The code, where the read was refused. */
  refusal?: string;
}

/** What live sockets told one person, one socket after another: each resumes where the one before it ended. */
export interface Observed {
  by: string;
  /** Which node, for people. */
  through: string;
  told: Told[];
}

/** An event that was pushed, or (without one) the announcement of a conversation at that seq. */
export interface Told {
  conversation: string;
  seq: number;
  change?: Change;
  /** When it came, ms of the observing process. */
  atMs: number;
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
  reads?: OwnRead[];
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
  /** What each node says is in the conversations, after all repetitions, by its name. */
  views?: ReadonlyMap<string, ReadonlyMap<string, Change[]>>;
  /** What live sockets were pushed by then. */
  observed?: readonly Observed[];
  /** When all this was, by the clocks that are right, ms since 1970. */
  during?: { from: number; to: number };
}

/** Nodes agree on the time no better than heartbeats tell it. */
const offMsMax = 10_000;

export type Rule =
  /** What can happen to machines is no fault of the program: it answers that too, and says what to do. */
  | 'answered internal'
  | 'a node ended by itself'
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
  | 'edited by another'
  | 'edited after deletion'
  | 'time goes back'
  | 'time is off'
  | 'read mark lost'
  | 'nodes disagree'
  | 'of one mind too late'
  | 'not read by its author'
  | 'pushed twice'
  | 'pushed with a gap'
  | 'pushed and not so'
  | 'pushed after removal'
  | 'not pushed';

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
  for (const [node, view] of readBack.views ?? []) checkView(node, view, readBack.after, find);
  for (const read of history.reads ?? []) checkOwnRead(read, readBack.after, find);
  if (readBack.during !== undefined) checkTimes(readBack.after, readBack.during, find);
  if (readBack.observed !== undefined) {
    const never = new Map([...neverDecided(history.entries)].map((text) => [text, 'refused and present' as const]));
    const beginnings = beginningsOf(history.entries);
    for (const observed of readBack.observed) checkObserved(observed, { after: readBack.after, never, beginnings }, find);
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
  if (entry.outcomes.some((outcome) => outcome.is === 'undecided' && outcome.code === 'internal')) find('answered internal', shown(entry));
  const first = entry.outcomes.findIndex(isDecided);
  if (first >= 0 && entry.outcomes.slice(first).some((outcome) => outcome.is === 'undecided')) {
    find('answer changed', `${shown(entry)}: decided, and then not`);
  }
}

function checkTimes(view: ReadonlyMap<string, Change[]>, { from, to }: { from: number; to: number }, find: Find): void {
  for (const { conversation, seq, time } of [...view.values()].flat()) {
    const at = Date.parse(time);
    if (at < from - offMsMax || at > to + offMsMax) find('time is off', `${conversation} ${seq}: ${time}`);
  }
}

function checkEvents({ conversation, entries, before, after }: Place, find: Find): void {
  for (const [index, change] of after.entries()) if (change.seq !== index + 1) find('not dense', `${conversation}: ${change.seq} stands at ${index + 1}`);
  for (const [index, change] of before.entries()) {
    if (index > 0 && change.time < before[index - 1]!.time)
      find('time goes back', `${conversation} ${change.seq}: ${change.time} after ${before[index - 1]!.time}`);
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
    const wasAcknowledged = entry.outcomes.slice(0, entry.attempts ?? 1).some(({ is }) => is === 'accepted');
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
  const expected = new Map<string, { by: string; text: string; version: number; isDeleted: boolean }>();
  const decided = entries.map((entry) => ({ entry, decision: decisionOf(entry) }));
  for (const { entry, decision } of decided) {
    const { text } = entry.write.input;
    if (typeof text === 'string' && decision?.is !== 'accepted' && entry.outcomes.at(-1)?.is !== 'unknown') forbidden.set(text, 'refused and present');
  }
  const effects = decided
    .filter((one): one is { entry: Entry; decision: Outcome & { is: 'accepted'; seq: number } } => one.decision?.is === 'accepted' && one.decision.seq !== null)
    .sort((a, b) => a.decision.seq - b.decision.seq);
  for (const { entry, decision } of effects) {
    const { name, by, input } = entry.write;
    if (name === 'send_message') {
      expected.set(String(decision.seq), { by, text: String(input.text), version: 1, isDeleted: false });
      continue;
    }
    const message = expected.get(String(input.msg_id));
    if (message === undefined) continue;
    if (name === 'edit_message' && by !== message.by) find('edited by another', `${shown(entry)}: of a message by ${message.by}`);
    if (name === 'edit_message' && message.isDeleted) find('edited after deletion', shown(entry));
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

// ── of a cluster ──

function checkView(node: string, view: ReadonlyMap<string, Change[]>, after: ReadonlyMap<string, Change[]>, find: Find): void {
  for (const [conversation, changes] of after) {
    const theirs = view.get(conversation) ?? [];
    for (let index = 0; index < Math.max(changes.length, theirs.length); index++) {
      const [one, other] = [changes[index], theirs[index]];
      if (JSON.stringify(one) !== JSON.stringify(other)) find('nodes disagree', `${conversation}: ${node} says ${plain(other)}, others ${plain(one)}`);
    }
  }
}

function checkOwnRead({ entry, through, change, refusal }: OwnRead, after: ReadonlyMap<string, Change[]>, find: Find): void {
  const decision = decisionOf(entry);
  if (decision?.is !== 'accepted' || decision.seq === null) return;
  const changes = after.get(entry.write.conversation) ?? [];
  const say = (what: string): void => find('not read by its author', `${shown(entry)} at ${decision.seq}, through ${through}: ${what}`);
  if (refusal !== undefined) {
    // Somebody may have been put out meanwhile.
    const isOut = changes.some(({ seq, kind, user }) => seq >= decision.seq! && user === entry.write.by && (kind === 'removed' || kind === 'left'));
    if (!isOut) say(refusal);
  } else if (change === undefined || !isEffect(entry, decision, change)) say(plain(change));
  else if (decision.version !== undefined && change.message !== undefined && change.message.version < decision.version)
    say(`version ${change.message.version}`);
  else if (entry.write.name === 'delete_message' && change.message?.deleted !== true) say('not deleted');
}

/** Texts of writes that never took effect. */
const neverDecided = (entries: readonly Entry[]): Set<string> =>
  new Set(
    entries
      .filter((entry) => typeof entry.write.input.text === 'string' && decisionOf(entry)?.is !== 'accepted' && entry.outcomes.at(-1)?.is !== 'unknown')
      .map((entry) => entry.write.input.text as string),
  );

/** When the write began whose effect an event is, by its place. */
function beginningsOf(entries: readonly Entry[]): Map<string, number> {
  const beginnings = new Map<string, number>();
  for (const entry of entries) {
    const decision = decisionOf(entry);
    if (decision?.is === 'accepted' && decision.seq !== null) beginnings.set(placeKey(entry.write.conversation, decision.seq), entry.sinceMs ?? 0);
  }
  return beginnings;
}

const placeKey = (conversation: string, seq: number): string => `${conversation} ${seq}`;

interface Truth {
  after: ReadonlyMap<string, Change[]>;
  never: ReadonlyMap<string, Rule>;
  beginnings: ReadonlyMap<string, number>;
}

/** One person's sockets follow every conversation without a gap, from where it was announced or began for them to its end, or to the end of their membership. */
function checkObserved({ by, through, told }: Observed, { after, never, beginnings }: Truth, find: Find): void {
  const cursors = new Map<string, number>();
  const whose = `${by} through ${through}`;
  for (const { conversation, seq, change, atMs } of told) {
    const changes = after.get(conversation) ?? [];
    const cursor = cursors.get(conversation);
    if (change === undefined) {
      cursors.set(conversation, Math.max(seq, cursor ?? 0));
      continue;
    }
    if (cursor === undefined && seq > 1 && !isEntrance(changes[seq - 1], by)) find('pushed with a gap', `${conversation} ${seq}: first of all to ${whose}`);
    else if (cursor !== undefined && seq <= cursor) find('pushed twice', `${conversation} ${seq}: to ${whose}, which had ${cursor}`);
    // Who was put out and let in again goes on from there; what happened meanwhile is not pushed but may be read.
    else if (cursor !== undefined && seq > cursor + 1 && !(isOutAt(changes, cursor, by) && isEntrance(changes[seq - 1], by))) {
      find('pushed with a gap', `${conversation} ${seq}: to ${whose}, which had ${cursor}`);
    }
    if (plain(change) !== plain(changes[seq - 1]))
      find('pushed and not so', `${conversation}: ${plain(change)} to ${whose}, and it is ${plain(changes[seq - 1])}`);
    const rule = change.message?.text === undefined ? undefined : never.get(change.message.text);
    if (rule !== undefined) find(rule, `${conversation} ${seq}: pushed to ${whose}`);
    if (isOutAt(changes, seq - 1, by) && !isEntrance(changes[seq - 1], by)) {
      // Catching up after being let in again shows it too, but not before that was even asked for.
      const back = changes.find((later) => later.seq > seq && isEntrance(later, by));
      const backSinceMs = back === undefined ? Number.POSITIVE_INFINITY : (beginnings.get(placeKey(conversation, back.seq)) ?? 0);
      if (atMs < backSinceMs) find('pushed after removal', `${conversation} ${seq}: to ${whose}`);
    }
    cursors.set(conversation, Math.max(seq, cursor ?? 0));
  }
  for (const detail of unpushed({ by, through, told }, after)) find('not pushed', detail);
}

/** What somebody's sockets have not been told yet of the conversations they are in, or of their leaving them. */
export function unpushed({ by, through, told }: Observed, after: ReadonlyMap<string, Change[]>): string[] {
  const cursors = new Map<string, number>();
  for (const { conversation, seq } of told) cursors.set(conversation, Math.max(seq, cursors.get(conversation) ?? 0));
  const missing: string[] = [];
  for (const [conversation, changes] of after) {
    const cursor = cursors.get(conversation);
    const end = isOutAt(changes, changes.length, by) ? changes.findLast((change) => isExit(change, by))!.seq : changes.length;
    if (cursor === undefined) {
      if (isInsideAtEnd(conversation, changes, by)) missing.push(`${conversation}: nothing at all to ${by} through ${through}`);
    } else if (cursor < end) missing.push(`${conversation}: to ${by} through ${through} only up to ${cursor} of ${end}`);
  }
  return missing;
}

const isExit = ({ kind, user }: Change, by: string): boolean => user === by && (kind === 'removed' || kind === 'left');
const isEntrance = (change: Change | undefined, by: string): boolean => change?.user === by && (change.kind === 'added' || change.kind === 'joined');

/** Whether somebody had been inside and was out again once the event `seq` had happened. */
const isOutAt = (changes: readonly Change[], seq: number, by: string): boolean => {
  const last = changes.findLast((change) => change.seq <= seq && (isExit(change, by) || isEntrance(change, by)));
  return last !== undefined && isExit(last, by);
};

function isInsideAtEnd(conversation: string, changes: readonly Change[], by: string): boolean {
  if (changes.length === 0) return false;
  if (!conversation.startsWith('g:')) return conversation.split(':').slice(1).includes(by);
  if (isOutAt(changes, changes.length, by)) return false;
  return changes[0]!.by === by || changes.some((change) => isEntrance(change, by));
}
