import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';

// The plainest clients there can be, for tests that look at the protocol itself: no retry, no order, no memory but of what came.

type Json = Record<string, any>;

export interface Answered {
  status: number;
  body: Json;
  headers: Headers;
}

/** Somebody with a token. */
export class Person {
  readonly url: string;
  readonly id: string;
  token = '';
  sessionId = '';

  constructor(url: string, id: string) {
    this.url = url;
    this.id = id;
  }

  /** A new account, signed in, with a name nobody has. */
  static async make(url: string, name = 'p'): Promise<Person> {
    const person = new Person(url, `${name}-${randomUUID().slice(0, 13)}`);
    const registered = await person.call('POST', '/v1/accounts', { user_id: person.id, email: `${person.id}@example.org`, password: 'a long password' });
    if (registered.status !== 201) throw new Error(`register: ${JSON.stringify(registered.body)}`);
    await person.logIn();
    return person;
  }

  async logIn(password = 'a long password'): Promise<Answered> {
    this.token = '';
    const answered = await this.call('POST', '/v1/sessions', { user_id: this.id, password });
    this.token = answered.body.token ?? '';
    this.sessionId = answered.body.session_id ?? '';
    return answered;
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(this.token !== '' && { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as Json) : {},
      headers: response.headers,
    };
  }

  get = (path: string) => this.call('GET', path);
  send = (conversation: string, text: string, more: Json = {}) => this.call('POST', `${at(conversation)}/messages`, { text, ...more });
  edit = (conversation: string, id: string, text: string, more: Json = {}) => this.call('PATCH', `${at(conversation)}/messages/${id}`, { text, ...more });
  delete = (conversation: string, id: string, more: Json = {}) => this.call('DELETE', `${at(conversation)}/messages/${id}`, more);
  changes = async (conversation: string, after = 0): Promise<Json[]> => (await this.get(`${at(conversation)}/changes?after=${after}&limit=200`)).body.changes;

  /** A group with a name nobody has; returns the name. */
  async group(open = false): Promise<string> {
    const name = `g-${randomUUID().slice(0, 13)}`;
    const answered = await this.call('POST', '/v1/groups', { name, title: 'Group', open });
    if (answered.status !== 201) throw new Error(`group: ${JSON.stringify(answered.body)}`);
    return name;
  }

  put = (group: string, user: string, role?: string) => this.call('PUT', `/v1/groups/${group}/members/${user}`, role === undefined ? {} : { role });
  remove = (group: string, user: string) => this.call('DELETE', `/v1/groups/${group}/members/${user}`);

  live = (resume: Record<string, number> = {}): Promise<LiveClient> => LiveClient.open(this, resume);
}

/** Path of a conversation. */
export const at = (conversation: string): string => `/v1/conversations/${encodeURIComponent(conversation)}`;

/** One live socket, and every frame that came. */
export class LiveClient {
  readonly frames: Json[] = [];
  readonly socket: WebSocket;
  /** Set when the socket has closed. */
  closed: { code: number; reason: string } | undefined;
  #wake: (() => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => {
      this.frames.push(JSON.parse(String(data)) as Json);
      this.#changed();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#changed();
    });
    socket.on('error', () => undefined);
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** A socket that has said nothing yet. */
  static async connect(url: string, headers: Record<string, string> = {}): Promise<LiveClient> {
    const client = new LiveClient(new WebSocket(`${url.replace('http', 'ws')}/v1/live`, { headers }));
    await new Promise<void>((resolve, reject) => {
      client.socket.once('open', resolve);
      client.socket.once('unexpected-response', (_request, response) => reject(new Error(`refused with ${response.statusCode}`)));
      client.socket.once('error', reject);
    });
    return client;
  }

  static async open(person: Person, resume: Record<string, number>): Promise<LiveClient> {
    const client = await LiveClient.connect(person.url);
    client.say({ type: 'hello', token: person.token, resume });
    await client.until(() => client.frames.some((frame) => frame.type === 'caught_up'));
    return client;
  }

  say(frame: Json | string): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Waits for what the frames so far do not show; looks again at every frame. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.closed !== undefined) throw new Error(`closed with ${this.closed.code} ${this.closed.reason} after ${JSON.stringify(this.frames.at(-1))}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async untilClosed(): Promise<{ code: number; reason: string }> {
    while (this.closed === undefined) await new Promise<void>((resolve) => this.#wake.push(resolve));
    return this.closed;
  }

  events = (conversation: string): Json[] => this.frames.filter((frame) => frame.type === 'event' && frame.conversation === conversation);

  /** Waits for the frame that answers a client_id: the own event, an ack or a refusal. */
  async answerTo(clientId: string): Promise<Json> {
    const found = () => this.frames.find((frame) => frame.client_id === clientId);
    await this.until(() => found() !== undefined);
    return found()!;
  }

  /** Everything before this moment has come: the server answers in order. */
  async settle(): Promise<void> {
    const before = this.frames.filter((frame) => frame.type === 'pong').length;
    this.say({ type: 'ping' });
    await this.until(() => this.frames.filter((frame) => frame.type === 'pong').length > before);
  }

  close(): void {
    this.socket.terminate();
  }
}
