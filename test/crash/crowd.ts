import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { WriteName } from '@parlance/schema/calls';
import { directId, groupId } from '@parlance/schema/ids';
import type { Change, Message } from '@parlance/schema/types';
import { at, type LiveClient, Person } from '../conformance/protocol-client.ts';
import type { Random } from '../support/random.ts';
import { requestOf } from '../support/request.ts';
import { decisionOf, type Entry, type History, markKey, type Outcome, type OwnRead, type ReadBack, type Write } from './history.ts';

// People who keep a server busy, over HTTP and over live sockets, and write down what they tried and what they were told. Some of what they
// try is bound to be refused. When the server dies, what was under way has an unknown outcome; afterwards they repeat everything. Where there are several
// nodes they insist: what has no answer through one is tried again through another.

type Json = Record<string, any>;

/** Writes under way at once, of one person, over each transport. */
const handsPerTransport = 3;
const repeatsAtOnce = 24;
const busyTries = 3;
/** Longer than nobody waits for an answer where there are other doors. The request goes on all the same, and may yet take effect. */
const patienceMs = 4000;

/** The server does not do what it should, though nothing is wrong with it. */
export class Unserved extends Error {}

/** A way into a cluster. */
export interface Door {
  /** Which, for people. */
  name: string;
  url: string;
}

export interface Insistence {
  /** Every attempt goes through one of these; read anew each time, since doors come and go. */
  doors(): readonly Door[];
  /** Of one person, over each transport. */
  hands: number;
  /** The longest a hand rests between two writes; asked before each rest. */
  restMsMax(): number;
}

export class Crowd {
  readonly history: History & { reads: OwnRead[] } = { entries: [], marks: [], reads: [] };
  readonly #random: Random;
  readonly #people: Person[];
  readonly #conversations: string[] = [];
  /** Who is sure to read all of a conversation. */
  readonly #readers = new Map<string, Person>();
  #isStopped = false;
  #count = 0;

  private constructor(people: Person[], random: Random) {
    this.#people = people;
    this.#random = random;
  }

  /** Registers the people, 4 at least, and makes an open and a closed group in which half of them are. */
  static async make(url: string, random: Random, peopleCount = 6): Promise<Crowd> {
    const people = await Promise.all(Array.from({ length: peopleCount }, () => Person.make(url)));
    const crowd = new Crowd(people, random);
    const [ann, bob, cem, dee] = people as [Person, Person, Person, Person];
    for (const [open, owner] of [[true, ann] as const, [false, bob] as const]) {
      const name = crowd.#newGroupName();
      crowd.#addConversation(groupId(name), owner);
      await crowd.#makeKnown(crowd.#write('create_group', owner, groupId(name), { name, title: 'Group', open }));
      for (const user of [cem, dee]) await crowd.#makeKnown(crowd.#write('put_member', owner, groupId(name), { name, user: user.id, role: 'member' }));
    }
    for (const [one, two] of [[ann, bob] as const, [cem, dee] as const, [ann, dee] as const]) crowd.#addConversation(directId(one.id, two.id), one);
    for (const person of people) crowd.#addConversation(directId(person.id, person.id), person);
    return crowd;
  }

  /** The same people with the same past, for a copy of the server's folder. */
  fork(random: Random): Crowd {
    const people = this.#people.map((person) => Object.assign(new Person(person.url, person.id), { token: person.token }));
    const crowd = new Crowd(people, random);
    Object.assign(crowd.history, structuredClone(this.history));
    for (const id of this.#conversations) crowd.#addConversation(id, crowd.#person(this.#readers.get(id)!.id));
    return crowd;
  }

  /** From now on everybody talks to the server at this address. */
  moveTo(url: string): void {
    for (const person of this.#people) Object.assign(person, { url });
  }

  /** Works until `stop` is called or the server no longer answers. */
  async work(url: string): Promise<void> {
    this.#isStopped = false;
    this.moveTo(url);
    await Promise.all(
      this.#people.map(async (person) => {
        const line = await Line.open(person);
        const hands = Array.from({ length: 2 * handsPerTransport }, (_, index) => this.#keepBusy(person, index % 2 === 0 ? line : undefined));
        await Promise.all(hands);
        line?.close();
      }),
    );
  }

  get people(): readonly Person[] {
    return this.#people;
  }

  /** Works until `stop` is called, through whichever door: retries what had no answer, and now and then reads through another what was answered. */
  async insist(how: Insistence): Promise<void> {
    this.#isStopped = false;
    const hand = async (person: Person, line: Reopened | undefined): Promise<void> => {
      while (!this.#isStopped) {
        if (this.#random.once(15)) await this.#markRead(through(person, this.#random.pick(how.doors()).url));
        else await this.#insistOn(this.#begin(this.#invent(person)), person, line, how);
        await pause(this.#random.below(how.restMsMax()));
      }
    };
    await Promise.all(
      this.#people.map(async (person) => {
        const line = new Reopened(person);
        await Promise.all(Array.from({ length: 2 * how.hands }, (_, index) => hand(person, index % 2 === 0 ? line : undefined)));
        line.close();
      }),
    );
  }

  #begin(write: Write): Entry {
    const entry: Entry = { write, outcomes: [], sinceMs: performance.now() };
    this.history.entries.push(entry);
    return entry;
  }

  async #insistOn(entry: Entry, person: Person, line: Reopened | undefined, { doors }: Insistence): Promise<void> {
    do {
      const door = this.#random.pick(doors());
      const attempting = line === undefined ? attempt(through(person, door.url), entry.write) : line.attempt(entry.write, door.url);
      const outcome = await within(patienceMs, attempting, { is: 'unknown' } as Outcome);
      entry.outcomes.push(outcome);
      if (outcome.is === 'accepted' && outcome.seq !== null && this.#random.once(3))
        await this.#readOwn(entry, outcome.seq, person, this.#random.pick(doors()));
      if (outcome.is !== 'unknown') return;
      await pause(100);
    } while (!this.#isStopped);
  }

  async #readOwn(entry: Entry, seq: number, person: Person, door: Door): Promise<void> {
    const path = `${at(entry.write.conversation)}/changes?after=${seq - 1}&limit=1`;
    const answered = await within(
      patienceMs,
      through(person, door.url)
        .get(path)
        .catch(() => undefined),
      undefined,
    );
    if (answered === undefined) return;
    const { status, body } = answered;
    const read = { entry, through: door.name };
    if (status === 200) this.history.reads.push({ ...read, change: (body.changes as Change[])[0] });
    else if (status < 500 && status !== 429) this.history.reads.push({ ...read, change: undefined, refusal: String(body.code) });
  }

  /** Makes so many writes, so many at once, over HTTP, whatever comes of them; resolves with what that was. */
  async write(count: number, atOnce: number): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const hand = async (): Promise<void> => {
      while (count-- > 0) {
        const person = this.#random.pick(this.#people);
        const entry = this.#begin(this.#invent(person));
        const outcome = await attempt(person, entry.write);
        entry.outcomes.push(outcome);
        outcomes.push(outcome);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, hand));
    return outcomes;
  }

  /** Reads one conversation as somebody who may: how many events it has. */
  async countEvents(): Promise<number> {
    const [id] = this.#conversations;
    return (await changesOf(this.#readers.get(id!)!, id!)).length;
  }

  /** No further writes; `work` resolves when those under way have their outcome. */
  stop(): void {
    this.#isStopped = true;
  }

  async #keepBusy(person: Person, line: Line | undefined): Promise<void> {
    for (let isAlive = true; isAlive && !this.#isStopped; ) {
      if (this.#random.once(15)) isAlive = await this.#markRead(person);
      else {
        const entry = this.#begin(this.#invent(person));
        const outcome = await (line === undefined ? attempt(person, entry.write) : line.attempt(entry.write));
        entry.outcomes.push(outcome);
        isAlive = outcome.is !== 'unknown';
      }
    }
  }

  /** Something that a person might do. */
  #invent(person: Person): Write {
    const random = this.#random;
    // Mostly where one is sure to be inside, otherwise in any group.
    const own = this.#conversations.filter((id) => id.split(':').includes(person.id) || this.#readers.get(id) === person);
    const conversation = random.once(3) ? random.pick(this.#groups()) : random.pick(own);
    const dice = random.below(100);
    const known = dice < 60 ? undefined : this.#someMessage(conversation);
    if (dice < 60 || (dice < 82 && known === undefined)) return this.#write('send_message', person, conversation, {});
    const version = random.once(4) ? { version: 1 + random.below(3) } : {};
    if (dice < 74) return this.#write('edit_message', person, conversation, { msg_id: known, ...version });
    if (dice < 82) return this.#write('delete_message', person, conversation, { msg_id: known, ...version });
    const group = random.once(3) || !conversation.startsWith('g:') ? random.pick(this.#groups()) : conversation;
    const name = group.slice('g:'.length);
    const user = random.pick(this.#people).id;
    if (dice < 88) return this.#write('put_member', person, group, { name, user, ...(random.once(2) && { role: random.pick(['member', 'admin']) }) });
    if (dice < 93) return this.#write('remove_member', person, group, { name, user });
    if (dice < 97) return this.#write('update_group', person, group, { name, title: `Group ${this.#count}` });
    if (!random.once(12)) return this.#write('create_group', person, group, { name, title: 'Taken', open: false });
    const made = groupId(this.#newGroupName());
    this.#addConversation(made, person);
    return this.#write('create_group', person, made, { name: made.slice('g:'.length), title: 'Made', open: random.once(2) });
  }

  /** A write with a client_id and, where it has one, a text of its own. */
  #write(name: WriteName, person: Person, conversation: string, input: Record<string, unknown>): Write {
    const clientId = `${name}-${this.#count++}-${randomUUID().slice(0, 8)}`;
    const hasText = name === 'send_message' || name === 'edit_message';
    const isMessageCall = hasText || name === 'delete_message';
    return {
      name,
      conversation,
      by: person.id,
      clientId,
      input: { ...(isMessageCall && { conversation }), ...input, ...(hasText && { text: `text of ${clientId}` }) },
    };
  }

  /** A recent message that somebody was told the id of; now and then one that is not there. */
  #someMessage(conversation: string): string | undefined {
    const { entries } = this.history;
    for (let index = entries.length - 1 - this.#random.below(30); index >= 0; index--) {
      const { write } = entries[index]!;
      const decision = decisionOf(entries[index]!);
      if (write.name !== 'send_message' || write.conversation !== conversation || decision?.is !== 'accepted') continue;
      return this.#random.once(20) ? '999999' : decision.msgId;
    }
    return undefined;
  }

  async #markRead(person: Person): Promise<boolean> {
    const conversation = this.#random.pick(this.#conversations);
    try {
      const marking = person.call('PUT', `${at(conversation)}/read`, { seq: 1 + this.#random.below(200) });
      const { status, body } = await within(patienceMs, marking, { status: 503, body: {} as Json });
      if (status === 200) this.history.marks.push({ by: person.id, conversation, readSeq: body.read_seq as number });
      return true;
    } catch {
      return false;
    }
  }

  #groups = (): string[] => this.#conversations.filter((id) => id.startsWith('g:'));

  #newGroupName = (): string => `g-${randomUUID().slice(0, 13)}`;

  #addConversation(id: string, reader: Person): void {
    this.#conversations.push(id);
    this.#readers.set(id, reader);
  }

  async #makeKnown(write: Write): Promise<void> {
    const sinceMs = performance.now();
    const outcome = await attempt(this.#person(write.by), write);
    if (outcome.is !== 'accepted') throw new Unserved(`${write.name}: ${JSON.stringify(outcome)}`);
    this.history.entries.push({ write, outcomes: [outcome], sinceMs });
  }

  #person = (id: string): Person => this.#people.find((person) => person.id === id)!;

  /** Reads everything, repeats every write so many times, and reads everything again. The repetitions go through any of the doors. */
  async lookBack(url: string, { doors = [{ name: '', url }], repeats = 2 }: { doors?: readonly Door[]; repeats?: number } = {}): Promise<ReadBack> {
    this.moveTo(url);
    for (const entry of this.history.entries) entry.attempts ??= entry.outcomes.length;
    const before = await this.view(url);
    for (let time = 0; time < repeats; time++) await this.#repeatAll(doors);
    return {
      before,
      after: await this.view(url),
      messages: await this.#readAll(url, (person, id) => messagesOf(person, id)),
      marks: await this.#readMarks(),
    };
  }

  /** All events of all conversations, as the server at this address tells them. */
  view = (url: string): Promise<Map<string, Change[]>> => this.#readAll(url, (person, id) => changesOf(person, id));

  /** Texts that were deleted. */
  deletedTexts(): string[] {
    const deleted = new Set(this.history.entries.filter(({ write }) => write.name === 'delete_message').flatMap((entry) => placeOf(entry) ?? []));
    return this.history.entries
      .filter((entry) => entry.write.input.text !== undefined && deleted.has(placeOf(entry) ?? ''))
      .map((entry) => String(entry.write.input.text));
  }

  async #repeatAll(doors: readonly Door[]): Promise<void> {
    // In whatever order: what was decided has its answer, and what was not is decided now.
    const waiting = [...this.history.entries];
    const repeat = async (): Promise<void> => {
      for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) await this.#repeat(entry, doors);
    };
    await Promise.all(Array.from({ length: repeatsAtOnce }, repeat));
  }

  /** Where there are several doors, one that has no answer in time is not the end yet: a machine that all of them share may be too busy for that. */
  async #repeat(entry: Entry, doors: readonly Door[]): Promise<void> {
    for (let triesLeft = doors.length > 1 ? busyTries : 1; ; ) {
      const door = this.#random.pick(doors);
      const outcome = await attempt(through(this.#person(entry.write.by), door.url), entry.write);
      entry.outcomes.push(outcome);
      if (outcome.is !== 'unknown') return;
      triesLeft -= 1;
      if (triesLeft === 0)
        throw new Unserved(`no answer to ${JSON.stringify(entry.write)} though nothing is wrong with the server: ${door.name} ${outcome.why}`);
    }
  }

  async #readAll<T>(url: string, read: (person: Person, conversation: string) => Promise<T[]>): Promise<Map<string, T[]>> {
    const found = new Map<string, T[]>();
    for (const id of this.#conversations) {
      const all = await Promise.all(this.#readersOf(id).map((person) => read(through(person, url), id)));
      found.set(
        id,
        all.reduce((longest, one) => (one.length > longest.length ? one : longest)),
      );
    }
    return found;
  }

  /** Who may read all of it. A group whose making was cut off by the crash may be anybody's who tried to make one of its name. */
  #readersOf(id: string): Person[] {
    const makers = this.history.entries.filter(({ write }) => write.name === 'create_group' && write.conversation === id).map(({ write }) => write.by);
    return [...new Set([this.#readers.get(id)!, ...makers.map(this.#person)])];
  }

  async #readMarks(): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    for (const { by, conversation } of this.history.marks) {
      const key = markKey(by, conversation);
      if (found.has(key)) continue;
      const { body } = await this.#person(by).get(at(conversation));
      found.set(key, (body.read_seq as number | undefined) ?? 0);
    }
    return found;
  }
}

/** The same person at another address. */
export const through = (person: Person, url: string): Person => Object.assign(new Person(url, person.id), { token: person.token });

/** The value, or after so many milliseconds another: what was begun goes on. */
async function within<T, O>(ms: number, value: Promise<T>, otherwise: O): Promise<T | O> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<O>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), ms);
  });
  return Promise.race([value, late]).finally(() => clearTimeout(timer));
}

/** Which message a write that was accepted is about. */
function placeOf(entry: Entry): string | undefined {
  const decision = decisionOf(entry);
  return decision?.is === 'accepted' && decision.msgId !== undefined ? `${entry.write.conversation} ${decision.msgId}` : undefined;
}

/** One attempt of a write over HTTP. */
export async function attempt(person: Person, { name, input, clientId }: Write): Promise<Outcome> {
  const { method, path, body } = requestOf(name, { ...input, client_id: clientId });
  try {
    const answered = await person.call(method, path, body);
    return answered.status < 300 ? acceptedOf(answered.body) : refusedOf(answered.body);
  } catch (error) {
    return { is: 'unknown', why: String((error as Error).cause ?? error) };
  }
}

const acceptedOf = (answer: Json): Outcome => ({
  is: 'accepted',
  seq: answer.seq,
  time: answer.time,
  msgId: answer.msg_id,
  version: answer.version ?? answer.message?.version,
});

const uncertain = new Set(['unavailable', 'overloaded', 'draining', 'request_timeout']);

function refusedOf(problem: Json): Outcome {
  if (uncertain.has(problem.code)) return { is: 'unknown', why: `${problem.code} ${problem.detail}` };
  return problem.decided === true ? { is: 'refused', code: problem.code, version: problem.version } : { is: 'undecided', code: problem.code };
}

async function changesOf(person: Person, conversation: string): Promise<Change[]> {
  const all: Change[] = [];
  for (let after: string | null = '0'; after !== null; ) {
    const { status, body } = await person.get(`${at(conversation)}/changes?after=${after}&limit=200`);
    if (status !== 200) return all; // A group whose making was cut off.
    all.push(...(body.changes as Change[]));
    after = body.next_cursor as string | null;
  }
  return all;
}

async function messagesOf(person: Person, conversation: string): Promise<Message[]> {
  const all: Message[] = [];
  for (let after: string | null = '0'; after !== null; ) {
    const { status, body } = await person.get(`${at(conversation)}/messages?after=${after}&limit=200`);
    if (status !== 200) return all;
    all.push(...(body.messages as Message[]));
    after = body.next_cursor as string | null;
  }
  return all;
}

/** A live socket that writes are made over. */
class Line {
  readonly #live: LiveClient;
  readonly #person: Person;
  readonly #waiting = new Map<string, (outcome: Outcome) => void>();

  private constructor(live: LiveClient, person: Person) {
    this.#live = live;
    this.#person = person;
    live.socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Json));
    live.socket.on('close', () => {
      for (const resolve of this.#waiting.values()) resolve({ is: 'unknown' });
      this.#waiting.clear();
    });
  }

  /** Undefined when the server has gone already. */
  static async open(person: Person): Promise<Line | undefined> {
    try {
      return new Line(await person.live(), person);
    } catch {
      return undefined;
    }
  }

  attempt({ name, input, clientId }: Write): Promise<Outcome> {
    if (this.#live.closed !== undefined) return Promise.resolve({ is: 'unknown' });
    return new Promise((resolve) => {
      this.#waiting.set(clientId, resolve);
      this.#live.say({ type: name, client_id: clientId, ...input });
    });
  }

  get isClosed(): boolean {
    return this.#live.closed !== undefined;
  }

  #take(frame: Json): void {
    this.#live.frames.length = 0; // What came is not needed twice, and there is a lot of it.
    const isMine = frame.type !== 'event' || frame.by === this.#person.id;
    const resolve = isMine ? this.#waiting.get(frame.client_id) : undefined;
    if (resolve === undefined) return;
    this.#waiting.delete(frame.client_id);
    if (frame.type === 'event') resolve(acceptedOf(frame));
    else if (frame.type === 'ack') resolve(acceptedOf(frame.answer));
    else resolve(refusedOf(frame.problem));
  }

  close(): void {
    this.#live.close();
  }
}

/** A person's line that is opened again, at another address, when it is broken. */
class Reopened {
  readonly #person: Person;
  #line: Promise<Line | undefined> | undefined;

  constructor(person: Person) {
    this.#person = person;
  }

  async attempt(write: Write, url: string): Promise<Outcome> {
    this.#line ??= Line.open(through(this.#person, url));
    const line = this.#line;
    const opened = await within(patienceMs, line, undefined);
    const outcome = opened === undefined ? undefined : await within(patienceMs, opened.attempt(write), undefined);
    // One that does not answer is as good as broken, for everybody on it.
    if (outcome === undefined || opened?.isClosed === true) this.#drop(line);
    return outcome ?? { is: 'unknown' };
  }

  #drop(line: Promise<Line | undefined>): void {
    if (this.#line === line) this.#line = undefined;
    void line.then((opened) => opened?.close());
  }

  close(): void {
    if (this.#line !== undefined) this.#drop(this.#line);
  }
}
