import type { Answer as CallAnswer } from '@parlance/schema/calls';
import type { CallFrame, ServerFrame } from '@parlance/schema/live';
import type { Conversation } from '@parlance/schema/types';
import { makeClientId } from '../../packages/sdk/src/client-id.ts';
import type * as machine from '../../packages/sdk/src/machine.ts';
import * as outbox from '../../packages/sdk/src/outbox.ts';
import { defaults, Session, type SessionEffect } from '../../packages/sdk/src/session.ts';
import { Refusal } from '../../packages/server/src/node/refusal.ts';
import { conversationOf } from './attempts.ts';
import type { Cluster, Link } from './cluster.ts';
import { Violation, type World } from './world.ts';

// A person's device: the SDK's session, driven as client.ts drives it, but with the simulated network, clock and chance. It crashes
// too; what is kept then is the outbox.

const options = {
  ...defaults,
  machine: { connectTimeoutMs: 150, pingAfterMs: 200, pongTimeoutMs: 150, reconnectBaseMs: 5, reconnectMaxMs: 100, stableAfterMs: 500 },
  outbox: { answerTimeoutMs: 250, retryBaseMs: 5, retryMaxMs: 80, attemptsMax: 1000 },
  replica: { messagesMax: 6 },
  resumeTimeoutMs: 150,
};

export interface Sent {
  frame: CallFrame;
  outcome: outbox.Outcome | undefined;
}

export class SimulatedClient {
  readonly user: string;
  /** Every write made, in order, with what was reported of it. */
  readonly sent: Sent[] = [];
  session: Session;
  readonly #cluster: Cluster;
  readonly #world: World;
  #link: Link | undefined;
  #starts = 0;
  #timerAt = Number.POSITIVE_INFINITY;
  readonly #loading = new Set<string>();
  /** Deleted and newest version, by conversation and seq: what this screen has shown. */
  #shown = new Map<string, { version: number; deleted: boolean }>();

  constructor(cluster: Cluster, user: string) {
    this.#cluster = cluster;
    this.#world = cluster.world;
    this.user = user;
    this.session = new Session(user, null, options);
    this.#connect({ type: 'start' });
  }

  /** The program ends and starts again with the outbox it kept. */
  restart(): void {
    this.#starts += 1;
    this.#link?.closeByClient();
    this.#link = undefined;
    const kept = JSON.parse(JSON.stringify(outbox.snapshot(this.session.outbox))) as outbox.State;
    this.#world.say(() => `${this.user} restarts`);
    this.session = new Session(this.user, null, options, kept);
    this.#loading.clear();
    this.#shown = new Map();
    this.#timerAt = Number.POSITIVE_INFINITY;
    this.#connect({ type: 'start' });
  }

  write(frame: CallFrame): void {
    this.#world.say(() => `${this.user} writes ${JSON.stringify(frame)}`);
    this.sent.push({ frame, outcome: undefined });
    this.#run(this.session.write(conversationOf(this.user, frame), frame, this.#world.now));
  }

  clientId(): string {
    return makeClientId(1_700_000_000_000 + this.#world.now, this.#world.random.next);
  }

  get isIdle(): boolean {
    return outbox.sizeOf(this.session.outbox) === 0 && this.session.connection.name === 'live';
  }

  // ── driving ──

  #chance() {
    return { now: this.#world.now, random: this.#world.random.next() };
  }

  #connect(event: { type: 'start' } | { type: 'opened'; socket: number } | { type: 'closed'; socket: number; code: number }): void {
    this.#run(this.session.connect({ ...event, ...this.#chance() } as machine.Event));
  }

  #run(effects: SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'open':
          this.#open(effect.socket);
          break;
        case 'close':
          this.#link?.closeByClient();
          this.#link = undefined;
          break;
        case 'send':
          if (effect.socket === this.session.connection.socket) this.#send(effect.frame);
          break;
        case 'report': {
          const { write, outcome } = effect;
          this.#world.say(() => `${this.user} is told ${write.clientId}: ${JSON.stringify(outcome)}`);
          const sent = this.sent.find(({ frame }) => frame.client_id === write.clientId);
          if (sent !== undefined) sent.outcome = outcome;
          break;
        }
        case 'changed':
          this.#look(effect.conversation);
          break;
        case 'status':
          if (effect.name === 'live') for (const { id } of this.session.replica.list()) this.loadSoon(id);
          break;
      }
    }
    this.#setTimer();
  }

  #send(frame: Parameters<Link['sendToServer']>[0]): void {
    this.#link?.sendToServer(frame);
    const { random, faults } = this.#world;
    if (!('client_id' in frame) || frame.type === 'mark_read' || !random.chance(faults.answerLost)) return;
    // It tries elsewhere at the same time.
    const { type, ...params } = frame;
    this.#cluster.call(this.user, type, params, () => undefined);
  }

  #open(socket: number): void {
    const starts = this.#starts;
    const isCurrent = () => starts === this.#starts;
    const end = {
      opened: () => undefined,
      frame: (frame: ServerFrame) => {
        if (isCurrent()) this.#run(this.session.frame(socket, frame, this.#chance()));
      },
      closed: (code: number) => {
        if (isCurrent()) this.#connect({ type: 'closed', socket, code });
      },
    };
    this.#cluster.connect(this.user, end, (link) => {
      if (!isCurrent() || this.session.connection.socket !== socket || this.session.connection.name !== 'connecting') return link?.closeByClient();
      this.#link = link;
      this.#connect(link === undefined ? { type: 'closed', socket, code: 1006 } : { type: 'opened', socket });
    });
  }

  #setTimer(): void {
    const { deadline } = this.session;
    if (deadline === null || deadline >= this.#timerAt) return;
    this.#timerAt = deadline;
    const starts = this.#starts;
    this.#world.after(Math.max(0, deadline - this.#world.now), undefined, () => {
      if (starts !== this.#starts || this.#timerAt !== deadline) return;
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#run(this.session.tick(this.#chance()));
    });
  }

  // ── loading ──

  loadSoon(id: string): void {
    if (this.session.replica.get(id).isHeld || this.#loading.has(id)) return;
    this.load(id);
  }

  /** Loads the newest page, as client.ts does: the seq first, the page after it. */
  load(id: string): void {
    const { session } = this;
    this.#loading.add(id);
    const again = () => this.#loading.delete(id);
    this.#call('get_conversation', { conversation: id }, again, (summary: Conversation) => {
      this.#call('list_messages', { conversation: id, limit: 3 }, again, ({ messages, next_cursor }: CallAnswer<'list_messages'>) => {
        again();
        if (session !== this.session) return;
        this.#world.say(() => `${this.user} holds ${id} at ${summary.seq}: ${JSON.stringify(messages)}`);
        this.#run(session.hold(summary, messages, next_cursor !== null, this.#world.now));
      });
    });
  }

  loadOlder(id: string): void {
    const { session } = this;
    const { isHeld, from: before } = session.replica.get(id);
    if (!isHeld || before === 0) return;
    session.replica.beginPage(id);
    const failed = () => void (session === this.session && session.replica.endPage(id));
    this.#call('list_messages', { conversation: id, before: String(before), limit: 3 }, failed, ({ messages, next_cursor }: CallAnswer<'list_messages'>) => {
      if (session !== this.session) return;
      session.replica.endPage(id, { before, page: messages, hasOlder: next_cursor !== null });
      this.#look(id);
    });
  }

  #call<A>(name: string, params: Record<string, unknown>, failed: () => void, done: (answer: A) => void): void {
    const starts = this.#starts;
    this.#cluster.call(this.user, name, params, (answer) => {
      if (starts !== this.#starts) return;
      if (answer === undefined || answer instanceof Refusal) failed();
      else done(answer as A);
    });
  }

  // ── looking at the screen ──

  #look(id: string): void {
    if (id.startsWith('g:') && this.#cluster.judge.limit(this.user, id) === 0) return;
    if (this.session.connection.name === 'live') this.loadSoon(id);
    if (this.#world.random.chance(0.4)) this.look(id);
  }

  /** What the screen shows of a conversation is what was decided up to its seq, and nothing shown before is undone. */
  look(id: string): void {
    const { judge } = this.#cluster;
    const { isHeld, seq, from, messages } = this.session.replica.get(id);
    if (!isHeld) return;
    const { events } = judge.of(id);
    const what = `the screen of ${this.user}, at ${seq} of ${id},`;
    const since = new Map<number, { version: number; deleted: boolean }>();
    for (const event of events) if (event.seq <= seq && event.message >= Math.max(from, 1)) since.set(event.message, event);
    for (const message of since.keys()) {
      if (!messages.some((one) => one.seq === message)) throw new Violation(`P5 ${what} does not show ${message}`);
    }
    for (const [index, message] of messages.entries()) {
      if (index > 0 && messages[index - 1]!.seq >= message.seq) throw new Violation(`P2 ${what} shows ${messages[index - 1]!.seq} before ${message.seq}`);
      const key = `${id} ${message.seq}`;
      const before = this.#shown.get(key);
      if (before !== undefined && (message.version < before.version || (before.deleted && message.deleted !== true))) {
        throw new Violation(`P5 ${what} has gone back from ${JSON.stringify(before)} to ${JSON.stringify(message)}`);
      }
      this.#shown.set(key, { version: message.version, deleted: message.deleted === true });
      judge.shown(`${what} shows ${JSON.stringify(message)}`, id, message, undefined, since.get(message.seq) ?? { version: 1, deleted: false });
    }
  }
}
