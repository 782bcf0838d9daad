import { randomUUID } from 'node:crypto';
import type { WriteName } from '@parlance/schema/calls';
import { directId, groupId } from '@parlance/schema/ids';
import type { Change, Message } from '@parlance/schema/types';
import { at, type LiveClient, Person } from '../conformance/protocol-client.ts';
import type { Random } from '../support/random.ts';
import { requestOf } from '../support/request.ts';
import { decisionOf, type Entry, type History, markKey, type Outcome, type ReadBack, type Write } from './history.ts';

// People who keep a server busy, over HTTP and over live sockets, and write down what they tried and what they were told. Some of what they
// try is bound to be refused. When the server dies, what was under way has an unknown outcome; afterwards they repeat everything.

type Json = Record<string, any>;

/** Writes under way at once, of one person, over each transport. */
const handsPerTransport = 3;
const repeatsAtOnce = 24;

export class Crowd {
  readonly history: History = { entries: [], marks: [] };
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

  /** Makes so many writes, so many at once, over HTTP, whatever comes of them; resolves with what that was. */
  async write(count: number, atOnce: number): Promise<Outcome[]> {
    const outcomes: Outcome[] = [];
    const hand = async (): Promise<void> => {
      while (count-- > 0) {
        const person = this.#random.pick(this.#people);
        const entry: Entry = { write: this.#invent(person), outcomes: [] };
        this.history.entries.push(entry);
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
        const entry: Entry = { write: this.#invent(person), outcomes: [] };
        this.history.entries.push(entry);
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
      const { write, outcomes } = entries[index]!;
      const [first] = outcomes;
      if (write.name !== 'send_message' || write.conversation !== conversation || first?.is !== 'accepted') continue;
      return this.#random.once(20) ? '999999' : first.msgId;
    }
    return undefined;
  }

  async #markRead(person: Person): Promise<boolean> {
    const conversation = this.#random.pick(this.#conversations);
    try {
      const { status, body } = await person.call('PUT', `${at(conversation)}/read`, { seq: 1 + this.#random.below(200) });
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
    const outcome = await attempt(this.#person(write.by), write);
    if (outcome.is !== 'accepted') throw new Error(`${write.name}: ${JSON.stringify(outcome)}`);
    this.history.entries.push({ write, outcomes: [outcome] });
  }

  #person = (id: string): Person => this.#people.find((person) => person.id === id)!;

  /** Reads everything, repeats every write twice, and reads everything again. */
  async lookBack(url: string): Promise<ReadBack> {
    this.moveTo(url);
    const before = await this.#readAll((person, id) => changesOf(person, id));
    for (let time = 0; time < 2; time++) await this.#repeatAll();
    return {
      before,
      after: await this.#readAll((person, id) => changesOf(person, id)),
      messages: await this.#readAll((person, id) => messagesOf(person, id)),
      marks: await this.#readMarks(),
    };
  }

  /** Texts that were deleted. */
  deletedTexts(): string[] {
    const deleted = new Set(this.history.entries.filter(({ write }) => write.name === 'delete_message').flatMap((entry) => placeOf(entry) ?? []));
    return this.history.entries
      .filter((entry) => entry.write.input.text !== undefined && deleted.has(placeOf(entry) ?? ''))
      .map((entry) => String(entry.write.input.text));
  }

  async #repeatAll(): Promise<void> {
    // In whatever order: what was decided has its answer, and what was not is decided now.
    const waiting = [...this.history.entries];
    const repeat = async (): Promise<void> => {
      for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
        const outcome = await attempt(this.#person(entry.write.by), entry.write);
        if (outcome.is === 'unknown') throw new Error(`no answer to ${JSON.stringify(entry.write)} though nothing is wrong with the server`);
        entry.outcomes.push(outcome);
      }
    };
    await Promise.all(Array.from({ length: repeatsAtOnce }, repeat));
  }

  async #readAll<T>(read: (person: Person, conversation: string) => Promise<T[]>): Promise<Map<string, T[]>> {
    const found = new Map<string, T[]>();
    for (const id of this.#conversations) {
      const all = await Promise.all(this.#readersOf(id).map((person) => read(person, id)));
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
  } catch {
    return { is: 'unknown' };
  }
}

const acceptedOf = (answer: Json): Outcome => ({
  is: 'accepted',
  seq: answer.seq,
  time: answer.time,
  msgId: answer.msg_id,
  version: answer.version ?? answer.message?.version,
});

function refusedOf(problem: Json): Outcome {
  if (problem.code === 'unavailable' || problem.code === 'overloaded' || problem.code === 'draining') return { is: 'unknown' };
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
