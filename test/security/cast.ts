import { randomUUID } from 'node:crypto';
import type { CallName } from '@parlance/schema/calls';
import { type Answered, LiveClient, Person } from '../conformance/protocol-client.ts';
import { requestOf } from '../support/request.ts';
import { type Caller, callers, type Scene } from './expectations.ts';

// The people of the table, and the places they meet in.

export const transports = ['bearer', 'cookie', 'live'] as const;
export type Transport = (typeof transports)[number];

/** What a call was answered over any transport: 'ok' or a code, and over HTTP all of it. */
export interface Told {
  code: string;
  answered?: Answered;
}

type Extras = Record<'bystander' | 'deputy' | 'newcomer', Person>;

export class Cast {
  readonly url: string;
  readonly people: Record<Caller, Person>;
  readonly #extras: Extras;
  readonly #lines = new Map<Person, LiveClient>();
  readonly #direct: string;

  private constructor(url: string, people: Record<Caller, Person>, extras: Extras) {
    this.url = url;
    this.people = people;
    this.#extras = extras;
    const [a, b] = [people.owner.id, people.peer.id].sort();
    this.#direct = `d:${a}:${b}`;
  }

  static async make(url: string, linkSecret: string): Promise<Cast> {
    const named = async <K extends string>(names: readonly K[]): Promise<Record<K, Person>> => {
      const people = await Promise.all(names.map((name) => Person.make(url, name)));
      return Object.fromEntries(names.map((name, index) => [name, people[index]!])) as Record<K, Person>;
    };
    const people = await named(callers);
    people.nobody.token = '';
    // The token stays with the person, and means nothing any more.
    await people.ended.call('DELETE', '/v1/sessions/current');
    const claimed = await people.administrator.get(`/first-admin/${linkSecret}`);
    if (claimed.status !== 200) throw new Error(`claim: ${JSON.stringify(claimed.body)}`);
    return new Cast(url, people, await named(['bystander', 'deputy', 'newcomer'] as const));
  }

  /** A group with everybody in their place, and what else a row may need. */
  async scene(isOpen: boolean): Promise<Omit<Scene, 'me' | 'mine' | 'otherSession'> & { messages: Map<Person, string>; seq: number }> {
    const { owner, member, admin, former, ended } = this.people;
    const { bystander, deputy, newcomer } = this.#extras;
    const group = await owner.group(isOpen);
    for (const [person, role] of [[member], [admin, 'admin'], [former], [ended], [bystander], [deputy, 'admin']] as [Person, string?][]) {
      await owner.put(group, person.id, role);
    }
    const messages = new Map<Person, string>();
    for (const person of [owner, member, admin, former, bystander]) messages.set(person, (await person.send(`#${group}`, 'mine')).body.msg_id as string);
    await owner.remove(group, former.id);
    return {
      group,
      bystander: bystander.id,
      deputy: deputy.id,
      newcomer: newcomer.id,
      direct: this.#direct,
      ownersInDirect: (await owner.send(this.#direct, 'mine')).body.msg_id as string,
      owner: owner.id,
      bystanders: messages.get(bystander)!,
      foreignSession: bystander.sessionId,
      freshName: `fresh-${randomUUID().slice(0, 13)}`,
      messages,
      seq: await this.seqOf(group),
    };
  }

  async seqOf(group: string): Promise<number> {
    return (await this.people.owner.get(`/v1/conversations/g:${group}`)).body.seq as number;
  }

  /** Makes a call as somebody, over a transport. */
  async tell(person: Person, transport: Transport, name: CallName, input: Record<string, unknown>): Promise<Told> {
    if (transport === 'live') return this.#tellLive(person, name, input);
    const { method, path, body } = requestOf(name, input);
    const caller = new Person(this.url, person.id);
    if (transport === 'bearer') caller.token = person.token;
    const headers: Record<string, string> =
      transport === 'cookie' ? { origin: this.url, ...(person.token !== '' && { cookie: `parlance=${person.token}` }) } : {};
    const answered = name === 'verify' ? await this.#callLines(caller, path, headers) : await caller.call(method, path, body, headers);
    return { code: answered.status < 300 ? 'ok' : (answered.body.code as string), answered };
  }

  /** The one call that answers in lines, unless it is refused. */
  async #callLines(caller: Person, path: string, headers: Record<string, string>): Promise<Answered> {
    const bearer: Record<string, string> = caller.token === '' ? {} : { authorization: `Bearer ${caller.token}` };
    const response = await fetch(this.url + path, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json', ...bearer, ...headers },
    });
    const lines = (await response.text()).trim().split('\n');
    return { status: response.status, headers: response.headers, body: JSON.parse(lines.at(-1)!) };
  }

  async #tellLive(person: Person, name: CallName, input: Record<string, unknown>): Promise<Told> {
    let line = this.#lines.get(person);
    if (line === undefined || line.closed !== undefined) {
      line = await LiveClient.connect(this.url);
      line.say({ type: 'hello', ...(person.token !== '' && { token: person.token }) });
      try {
        await line.until(() => line!.frames.some((frame) => frame.type === 'caught_up'));
      } catch {
        return { code: line.closed?.code === 4101 ? 'not_signed_in' : `closed ${line.closed?.code}` };
      }
      this.#lines.set(person, line);
    }
    const clientId = randomUUID();
    line.say({ type: name, client_id: clientId, ...input });
    const answer = await line.answerTo(clientId);
    return { code: answer.type === 'refusal' ? (answer.problem.code as string) : 'ok' };
  }

  close(): void {
    for (const line of this.#lines.values()) line.close();
  }
}
