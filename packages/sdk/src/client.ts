import type { Answer, Input } from '@parlance/schema/calls';
import { resolveConversation } from '@parlance/schema/ids';
import type { CallFrame, ServerFrame } from '@parlance/schema/live';
import type { GroupAnswer, MemberAnswer, ProblemDetails, Role } from '@parlance/schema/types';
import { Chat } from './chat.ts';
import { checkName, checkTitle } from './check.ts';
import { makeClientId } from './client-id.ts';
import { type Environment, platform, type SocketLike } from './environment.ts';
import type { Event, StateName } from './machine.ts';
import * as outbox from './outbox.ts';
import { localProblem, ParlanceError } from './problem.ts';
import * as rest from './rest.ts';
import * as session from './session.ts';
import type { ConversationView } from './view.ts';

// The client a program holds: a session driven by a real socket, clock and timer, with HTTP beside it. Nothing here decides anything; it
// carries out what the session says and tells subscribers. It never shows what the session does not hold.

export interface Options {
  /** Where the server is, such as `http://127.0.0.1:8080`. */
  url: string;
  /** What differs from the platform's own: a WebSocket constructor, fetch, clock, chance, timers. */
  environment?: Partial<Environment>;
  session?: Partial<session.SessionOptions>;
  rest?: Partial<typeof rest.defaults>;
  /** Writes that were waiting when the program last ended: `outbox()` of that time, by the same user. */
  outbox?: outbox.State;
  /** Writes waiting at once; one more is refused with `outbox_full`. Default 10,000. */
  writesMax?: number;
  /** Messages in the first page of a conversation. Default 50. */
  pageSize?: number;
}

export type Status = 'connecting' | 'live' | 'offline' | 'signed_out' | 'stopped';

const statuses: Record<StateName, Status> = {
  idle: 'connecting',
  connecting: 'connecting',
  greeting: 'connecting',
  catching_up: 'connecting',
  live: 'live',
  waiting: 'offline',
  signed_out: 'signed_out',
  stopped: 'stopped',
};

export class Parlance {
  /** My user id. */
  readonly me: string;
  /** The session token; null with a cookie. */
  readonly token: string | null;
  readonly rest: rest.Rest;
  readonly pageSize: number;
  readonly #options: Options;
  readonly #environment: Environment;
  readonly #session: session.Session;
  readonly #waiting = new Map<string, { resolve: (answer: never) => void; reject: (error: ParlanceError) => void }>();
  readonly #views = new Map<string, ConversationView>();
  readonly #problems = new Map<string, ProblemDetails>();
  readonly #loading = new Map<string, Promise<void>>();
  readonly #listeners = new Map<string, Set<(view: ConversationView) => void>>();
  readonly #anyListeners = new Set<(client: Parlance) => void>();
  readonly #changed = new Set<string>();
  #isTelling = false;
  #socket: SocketLike | undefined;
  #timer: unknown;
  #timerAt: number | null = null;
  #now = 0;
  #endWake: () => void = () => {};

  /** Makes an account and logs in to it. Throws ParlanceError, such as `user_exists`. */
  static async register(options: Options & Input<'register'>): Promise<Parlance> {
    const { user_id, email, password, display_name } = options;
    const account = { user_id, email, password, ...(display_name === undefined ? {} : { display_name }) };
    await restOf(options, null).call('register', account);
    return Parlance.logIn(options);
  }

  /** Starts a session and connects. Throws ParlanceError, such as `wrong_credentials`. */
  static async logIn(options: Options & Input<'log_in'>): Promise<Parlance> {
    const { user_id, token } = await restOf(options, null).call('log_in', { user_id: options.user_id, password: options.password });
    return new Parlance(options, user_id, token).#start();
  }

  /** Connects with a token from before. Throws ParlanceError `not_signed_in` when it is no longer good. */
  static async withToken(options: Options & { token: string }): Promise<Parlance> {
    const { user_id } = await restOf(options, options.token).call('get_me', {});
    return new Parlance(options, user_id, options.token).#start();
  }

  /** Connects with the cookie the browser holds. Throws ParlanceError `not_signed_in` when there is none. */
  static async withCookie(options: Options): Promise<Parlance> {
    const { user_id } = await restOf(options, null).call('get_me', {});
    return new Parlance(options, user_id, null).#start();
  }

  private constructor(options: Options, me: string, token: string | null) {
    this.me = me;
    this.token = token;
    this.rest = restOf(options, token);
    this.pageSize = options.pageSize ?? 50;
    this.#options = options;
    this.#environment = environmentOf(options);
    this.#session = new session.Session(me, token, { ...session.defaults, ...options.session }, options.outbox);
  }

  get status(): Status {
    return statuses[this.#session.connection.name];
  }

  /** The close code that ended in `signed_out` or `stopped`; 0 otherwise. */
  get closeCode(): number {
    return this.#session.connection.code;
  }

  /** What is known of all conversations, the last active first. Complete after `inbox()`. */
  get conversations(): ConversationView[] {
    return this.#session.replica.list().map(({ id }) => this.view(id));
  }

  /** The writes that wait, as plain JSON, to be kept and handed to the next client of the same user. */
  outbox(): outbox.State {
    return outbox.snapshot(this.#session.outbox);
  }

  /** A conversation: `@user`, `#group` or a stable id. Throws when `reference` is none of these. Makes no call. */
  conversation(reference: string): Chat {
    const parts = resolveConversation(reference, this.me);
    if (parts === undefined) throw new Error(`“${reference}” is not a conversation: write @user, #group or a stable id`);
    return new Chat(this, parts.id);
  }

  /** Calls `listener` whenever anything changed: status, a conversation, the list. Returns how to end that. */
  subscribe(listener: (client: Parlance) => void): () => void {
    this.#anyListeners.add(listener);
    return () => void this.#anyListeners.delete(listener);
  }

  /** One page of the inbox, the last active first; what it says is in `conversations` from then on. */
  async inbox(page: Input<'list_conversations'> = {}): Promise<Answer<'list_conversations'>> {
    const answer = await this.rest.call('list_conversations', page);
    for (const summary of answer.conversations) {
      this.#session.replica.summary(summary);
      this.#changed.add(summary.conversation);
    }
    this.#tell();
    return answer;
  }

  /** Makes a group of which I am the owner. */
  createGroup(name: string, { title, open }: { title?: string; open?: boolean } = {}): Promise<GroupAnswer> {
    return this.#groupWrite({
      type: 'create_group',
      name: checkName(name),
      ...(title === undefined ? {} : { title: checkTitle(title) }),
      ...(open === undefined ? {} : { open }),
    });
  }

  updateGroup(name: string, { title, open }: { title?: string; open?: boolean }): Promise<GroupAnswer> {
    return this.#groupWrite({
      type: 'update_group',
      name: checkName(name),
      ...(title === undefined ? {} : { title: checkTitle(title) }),
      ...(open === undefined ? {} : { open }),
    });
  }

  joinGroup(name: string): Promise<MemberAnswer> {
    return this.putMember(name, this.me);
  }

  leaveGroup(name: string): Promise<MemberAnswer> {
    return this.removeMember(name, this.me);
  }

  /** Adds a member, changes a role, or (role owner) hands the ownership over. */
  putMember(name: string, user: string, role?: Role): Promise<MemberAnswer> {
    return this.#groupWrite({ type: 'put_member', name: checkName(name), user: checkName(user), ...(role === undefined ? {} : { role }) });
  }

  removeMember(name: string, user: string): Promise<MemberAnswer> {
    return this.#groupWrite({ type: 'remove_member', name: checkName(name), user: checkName(user) });
  }

  /** Resolves when live. Rejects when that takes longer than `timeoutMs`, and at once when signed out or stopped. */
  live(timeoutMs = 30_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: ParlanceError): void => {
        stop();
        this.#environment.clearTimeout(timer);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (this.status === 'live') end();
        else if (this.status === 'signed_out' || this.status === 'stopped') end(new ParlanceError(this.#ending()));
      };
      const stop = this.subscribe(look);
      const timer = this.#environment.setTimeout(
        () => end(new ParlanceError(localProblem('no_answer', 'Not connected in time.', `The live connection is ${this.status}.`))),
        timeoutMs,
      );
      look();
    });
  }

  /** The network may be back: look now. The browser's `online` event does this by itself. */
  wake(): void {
    this.#event({ type: 'wake' });
  }

  /** Ends the session on the server, then the connection. */
  async logOut(): Promise<void> {
    await this.rest.call('log_out', {});
    this.#event({ type: 'sign_out' });
    this.#endWake();
  }

  /** Disconnects for good. Writes that wait fail with `closed`; `outbox()` before it has them. */
  close(): void {
    this.#event({ type: 'stop' });
    this.#endWake();
  }

  /** For Chat: what is to be shown of a conversation. The same object until something changed. */
  view(id: string): ConversationView {
    let view = this.#views.get(id);
    if (view === undefined) {
      view = { ...this.#session.view(id), problem: this.#problems.get(id) ?? null };
      this.#views.set(id, view);
    }
    return view;
  }

  /** For Chat. */
  watch(id: string, listener: (view: ConversationView) => void): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    listeners.add(listener);
    this.#listeners.set(id, listeners);
    this.#loadWanted();
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  }

  /** For Chat: loads the newest page unless the conversation is held. */
  load(id: string): Promise<void> {
    if (this.#session.replica.get(id).isHeld) return Promise.resolve();
    let loading = this.#loading.get(id);
    if (loading === undefined) {
      this.#problems.delete(id);
      loading = this.#load(id).finally(() => this.#loading.delete(id));
      this.#loading.set(id, loading);
    }
    return loading;
  }

  /** For Chat: puts the page before the oldest message held in front. Resolves with whether there is more. */
  async loadOlder(id: string, limit: number): Promise<boolean> {
    await this.load(id);
    const { replica } = this.#session;
    const { from: before } = replica.get(id);
    if (before === 0) return false;
    replica.beginPage(id);
    try {
      const { messages, next_cursor } = await this.rest.call('list_messages', { conversation: id, before: String(before), limit });
      replica.endPage(id, { before, page: messages, hasOlder: next_cursor !== null });
    } catch (error) {
      replica.endPage(id);
      throw error;
    }
    this.#changed.add(id);
    this.#tell();
    return replica.get(id).from > 0;
  }

  /** For Chat: queues a write; resolves with its answer when it is decided. Rejects with ParlanceError. */
  write<A>(queue: string, frame: CallFrame): Promise<A> {
    if (this.status === 'signed_out' || this.status === 'stopped') return Promise.reject(new ParlanceError(this.#ending()));
    if (outbox.sizeOf(this.#session.outbox) >= (this.#options.writesMax ?? 10_000)) {
      return Promise.reject(new ParlanceError(localProblem('outbox_full', 'Too many writes wait.', 'Wait until the connection is back.')));
    }
    return new Promise((resolve, reject) => {
      const effects = this.#session.write(queue, frame, this.#chance().now);
      this.#waiting.set(frame.client_id, { resolve, reject });
      this.#run(effects);
    });
  }

  /** For Chat. */
  clientId(): string {
    return makeClientId(this.#environment.now(), this.#environment.random);
  }

  /** For Chat: shows a mark at once; the server's answer follows. */
  showRead(id: string, seq: number): void {
    const { head, unreadCount } = this.#session.replica.get(id);
    this.#session.replica.read(id, seq, seq >= head ? 0 : unreadCount);
    this.#changed.add(id);
    this.#tell();
  }

  /** For Chat: forgets a failed message, and returns its frame. */
  discard(id: string, clientId: string): { frame: CallFrame; isDecided: boolean } | undefined {
    const found = this.#session.discard(id, clientId);
    this.#changed.add(id);
    this.#tell();
    return found === undefined ? undefined : { frame: found.write.frame, isDecided: found.problem?.decided === true };
  }

  #start(): this {
    this.#endWake = this.#environment.onWake(() => this.wake());
    this.#event({ type: 'start' });
    return this;
  }

  #groupWrite<A>(frame: { type: 'create_group' | 'update_group' | 'put_member' | 'remove_member'; name: string } & Record<string, unknown>): Promise<A> {
    return this.write<A>(`g:${frame.name}`, { ...frame, client_id: this.clientId() } as CallFrame);
  }

  async #load(id: string): Promise<void> {
    try {
      // The seq first, the page after it: the page is then at least as new as the seq says, and resuming from there misses nothing.
      const summary = await this.rest.call('get_conversation', { conversation: id });
      const { messages, next_cursor } = await this.rest.call('list_messages', { conversation: id, limit: this.pageSize });
      this.#run(this.#session.hold(summary, messages, next_cursor !== null, this.#chance().now));
    } catch (error) {
      if (!(error instanceof ParlanceError)) throw error;
      this.#problems.set(id, error.problem);
      this.#changed.add(id);
      this.#tell();
      throw error;
    }
  }

  // What somebody watches and is not held. What failed waits for the next connection, or for news of that conversation.
  #loadWanted(): void {
    if (this.status === 'signed_out' || this.status === 'stopped') return;
    for (const id of this.#listeners.keys()) {
      if (this.#session.replica.get(id).isHeld || this.#problems.has(id)) continue;
      this.load(id).catch(() => {}); // It is in the view.
    }
  }

  #event(event: EventOf<Event>): void {
    this.#run(this.#session.connect({ ...event, ...this.#chance() } as Event));
  }

  // The machine's time never goes back; the platform's clock may.
  #chance(): session.Chance {
    this.#now = Math.max(this.#now, this.#environment.now());
    return { now: this.#now, random: this.#environment.random() };
  }

  #run(effects: session.SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'open':
          this.#open(effect.socket);
          break;
        case 'close':
          this.#socket?.close();
          this.#socket = undefined;
          break;
        case 'send':
          // A socket that is closing says so in its own time; what it does not take now is repeated on the next.
          if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(effect.frame));
          break;
        case 'report':
          this.#report(effect.write, effect.outcome);
          break;
        case 'changed':
          this.#problems.delete(effect.conversation);
          this.#changed.add(effect.conversation);
          break;
        case 'status':
          if (effect.name === 'live') this.#problems.clear();
          if (effect.name === 'signed_out' || effect.name === 'stopped') this.#run(this.#session.abandon(this.#ending()));
          break;
      }
    }
    if (effects.length > 0) this.#tell();
    this.#arm();
  }

  #open(number: number): void {
    const socket = new this.#environment.WebSocket(liveUrl(this.#options.url));
    this.#socket = socket;
    const closed = (code: number): void => {
      socket.onopen = socket.onmessage = socket.onclose = null;
      this.#event({ type: 'closed', socket: number, code });
    };
    socket.onopen = () => this.#event({ type: 'opened', socket: number });
    socket.onclose = (event: { code: number }) => closed(event.code);
    socket.onerror = () => {}; // A close follows, and says more.
    socket.onmessage = (event: { data: unknown }) => {
      const frame = parse(event.data);
      if (frame === undefined) {
        socket.close();
        return closed(1006);
      }
      this.#run(this.#session.frame(number, frame, this.#chance()));
    };
  }

  #report(write: outbox.Write, outcome: outbox.Outcome): void {
    const waiting = this.#waiting.get(write.clientId);
    this.#waiting.delete(write.clientId);
    if (outcome.type === 'accepted') waiting?.resolve(outcome.answer as never);
    else waiting?.reject(new ParlanceError(outcome.problem, { isUncertain: outcome.isUncertain }));
  }

  #ending(): ProblemDetails {
    return this.status === 'signed_out'
      ? localProblem('signed_out', 'The session has ended.', 'Log in again.')
      : localProblem('closed', 'The client is closed.', this.closeCode === 0 ? 'It was closed here.' : `The server closed it with ${this.closeCode}.`);
  }

  // One timer. It is left alone when it would fire too early, and set anew then: a frame costs no timer.
  #arm(): void {
    const { deadline } = this.#session;
    if (deadline !== null && this.#timerAt !== null && this.#timerAt <= deadline) return;
    this.#environment.clearTimeout(this.#timer);
    this.#timerAt = null;
    if (deadline === null) return;
    this.#timerAt = deadline;
    const fire = (): void => {
      this.#timerAt = null;
      this.#run(this.#session.tick(this.#chance()));
    };
    this.#timer = this.#environment.setTimeout(fire, Math.max(0, deadline - this.#environment.now()));
  }

  /** Tells subscribers, once for all that changes before the running task ends. Views are made anew from now on. */
  #tell(): void {
    for (const id of this.#changed) this.#views.delete(id);
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      const changed = [...this.#changed];
      this.#changed.clear();
      this.#loadWanted();
      for (const id of changed) for (const listener of this.#listeners.get(id) ?? []) listener(this.view(id));
      for (const listener of this.#anyListeners) listener(this);
    });
  }
}

type EventOf<E> = E extends unknown ? Omit<E, 'now' | 'random'> : never;

const liveUrl = (url: string): string => `${url.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/live`;

const environmentOf = (options: Options): Environment => ({ ...platform(), ...options.environment });

const restOf = (options: Options, token: string | null): rest.Rest =>
  new rest.Rest({ ...rest.defaults, ...options.rest, url: options.url.replace(/\/$/, ''), environment: environmentOf(options), token });

/** A frame, or undefined for what is not an object of JSON. */
function parse(data: unknown): ServerFrame | undefined {
  try {
    const frame: unknown = typeof data === 'string' ? JSON.parse(data) : undefined;
    return typeof frame === 'object' && frame !== null ? (frame as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}
