import type { Answer } from '@parlance/schema/calls';
import type { CallFrame, ClientFrame, EventPush, ServerFrame } from '@parlance/schema/live';
import type { Conversation, Message, MessageAnswer, ProblemDetails } from '@parlance/schema/types';
import { answerOfEvent } from './answer.ts';
import * as machine from './machine.ts';
import * as outbox from './outbox.ts';
import * as replica from './replica.ts';
import { type ConversationView, viewOf } from './view.ts';

// One signed-in person's connection, outbox and replica put together, still without any I/O: it is told what happened and says what to do. The
// client drives it with a real socket, the simulation with a simulated one. It reads no clock and draws no random number: both are arguments.

export interface SessionOptions {
  machine: machine.Options;
  outbox: outbox.Options;
  replica: replica.ReplicaOptions;
  /** Conversations a hello asks for at most; the others are resumed when their head is announced. */
  resumeMax: number;
  /** A resume that brought nothing in so long is asked for again, ms. */
  resumeTimeoutMs: number;
}

export const defaults: SessionOptions = {
  machine: machine.defaults,
  outbox: outbox.defaults,
  replica: replica.defaults,
  resumeMax: 1000,
  resumeTimeoutMs: 15_000,
};

/** When it happened (ms, never going back) and one random number in [0, 1). */
export interface Chance {
  now: number;
  random: number;
}

export type SessionEffect =
  | { type: 'open'; socket: number }
  | { type: 'close'; socket: number }
  | { type: 'send'; socket: number; frame: ClientFrame }
  | { type: 'report'; write: outbox.Write; outcome: outbox.Outcome }
  /** Something to be seen of this conversation changed. */
  | { type: 'changed'; conversation: string }
  /** The connection went from one state to another. */
  | { type: 'status'; name: machine.StateName };

/** A message on its way into the replica: reported, not yet folded, or refused and waiting for what the person does about it. */
export interface Loose {
  write: outbox.Write;
  /** Its seq, when accepted; null when it failed. */
  seq: number | null;
  problem: ProblemDetails | null;
  isUncertain: boolean;
}

/** Marks have a queue of their own: they neither wait for a message nor hold one up. */
export const markQueue = (conversation: string): string => `${conversation} read`;

const conversationOf = (queue: string): string => queue.split(' ', 1)[0]!;

/** Failed messages kept for the person to see, of one conversation; the oldest go first. */
const looseMax = 100;

export class Session {
  readonly replica: replica.Replica;
  connection: machine.State = machine.initial;
  outbox: outbox.State;
  /** By conversation. */
  readonly loose = new Map<string, readonly Loose[]>();
  /** By conversation: newest seq that cannot be of a message still in the outbox, for `viewOf`. */
  readonly ownSeq = new Map<string, number>();
  readonly #options: SessionOptions;
  readonly #token: string | null;
  /** Conversations asked to be resumed on this socket, and when. */
  readonly #resumes = new Map<string, number>();
  #effects: SessionEffect[] = [];

  /** `token` is null where the socket carries a cookie. `waiting` is an outbox kept from before. */
  constructor(me: string, token: string | null, options: SessionOptions = defaults, waiting: outbox.State = outbox.initial) {
    this.replica = new replica.Replica(me, options.replica);
    this.outbox = outbox.snapshot(waiting);
    this.#token = token;
    this.#options = options;
  }

  get me(): string {
    return this.replica.me;
  }

  /** When a tick is wanted, ms; null when nothing is waited for. */
  get deadline(): number | null {
    const resumes = [...this.#resumes.values()].map((at) => at + this.#options.resumeTimeoutMs);
    const all = [this.connection.deadline, outbox.deadlineOf(this.outbox, this.#options.outbox), ...resumes].filter((at) => at !== null);
    return all.length === 0 ? null : Math.min(...all);
  }

  /** The application or the platform wants something, or a socket opened or closed. */
  connect(event: machine.Event): SessionEffect[] {
    this.#connect(event);
    return this.#taken();
  }

  /** A frame came on a socket. One from a socket that is not the newest, or has been left, changes nothing. */
  frame(socket: number, frame: ServerFrame, chance: Chance): SessionEffect[] {
    const isCurrent = socket === this.connection.socket;
    const wasGreeted = this.connection.name === 'catching_up' || this.connection.name === 'live';
    const type = frame.type === 'welcome' || frame.type === 'caught_up' ? frame.type : 'heard';
    this.#connect({ type, socket, ...chance });
    if (isCurrent && wasGreeted) this.#take(frame, chance);
    return this.#taken();
  }

  tick(chance: Chance): SessionEffect[] {
    this.#connect({ type: 'tick', ...chance });
    this.#outbox({ type: 'tick', ...chance });
    for (const [conversation, at] of this.#resumes) {
      if (at + this.#options.resumeTimeoutMs > chance.now) continue;
      const { seq, head } = this.replica.get(conversation);
      this.#resumes.delete(conversation);
      if (head > seq) this.#resume(conversation, chance.now);
    }
    return this.#taken();
  }

  /** The conversation as it is to be shown: what the server said, and what is still on its way. */
  view(conversation: string): ConversationView {
    const writes = this.outbox.queues[conversation] ?? [];
    return viewOf(this.replica.get(conversation), writes, this.loose.get(conversation) ?? [], this.ownSeq.get(conversation), this.me);
  }

  /** Puts a write in its conversation's queue. It is reported exactly once. */
  write(queue: string, frame: CallFrame, now: number): SessionEffect[] {
    const conversation = conversationOf(queue);
    if (this.outbox.queues[queue] === undefined) this.ownSeq.set(conversation, this.replica.get(conversation).head);
    this.#outbox({ type: 'add', clientId: frame.client_id, queue, frame, now });
    this.#changed(conversation);
    return this.#taken();
  }

  /** Gives up every write that waits: no connection will come. */
  abandon(problem: ProblemDetails): SessionEffect[] {
    this.#outbox({ type: 'abandon', problem });
    return this.#taken();
  }

  /** Forgets a failed message. Returns it, or undefined when there is none of this client_id. */
  discard(conversation: string, clientId: string): Loose | undefined {
    const all = this.loose.get(conversation) ?? [];
    const found = all.find(({ write, seq }) => write.clientId === clientId && seq === null);
    if (found !== undefined)
      this.#keepLoose(
        conversation,
        all.filter((one) => one !== found),
      );
    return found;
  }

  /** From now on the conversation is held: `summary` was read before `page`, its newest messages. */
  hold(summary: Conversation, page: readonly Message[], hasOlder: boolean, now: number): SessionEffect[] {
    this.replica.hold(summary, page, hasOlder);
    if (this.connection.name === 'live' || this.connection.name === 'catching_up') this.#resume(summary.conversation, now);
    this.#changed(summary.conversation);
    return this.#taken();
  }

  #connect(event: machine.Event): void {
    const before = this.connection;
    const { state, effects } = machine.step(before, event, this.#options.machine);
    this.connection = state;
    for (const effect of effects) {
      switch (effect.type) {
        case 'hello':
          this.#send({ type: 'hello', ...(this.#token === null ? {} : { token: this.#token }), resume: this.replica.resumeMap(this.#options.resumeMax) });
          break;
        case 'ping':
          this.#send({ type: 'ping' });
          break;
        case 'up':
          this.#outbox({ type: 'online', now: event.now });
          break;
        case 'down':
          this.#resumes.clear();
          this.#outbox({ type: 'offline' });
          break;
        default:
          this.#effects.push(effect);
      }
    }
    if (state.name !== before.name) this.#effects.push({ type: 'status', name: state.name });
  }

  #take(frame: ServerFrame, chance: Chance): void {
    switch (frame.type) {
      case 'head': {
        this.replica.head(frame.conversation, frame.seq, frame.left === true);
        const { isHeld, seq } = this.replica.get(frame.conversation);
        if (isHeld && frame.seq > seq) this.#resume(frame.conversation, chance.now);
        this.#changed(frame.conversation);
        break;
      }
      case 'event':
        this.#event(frame, chance);
        break;
      case 'read':
        this.replica.read(frame.conversation, frame.read_seq, frame.unread_count);
        this.#changed(frame.conversation);
        break;
      case 'ack':
        this.#accepted(frame.client_id, frame.answer, chance.now);
        break;
      case 'refusal':
        // One without a client_id is about a resume, which the tick repeats.
        if (frame.client_id !== undefined) this.#outbox({ type: 'refused', clientId: frame.client_id, problem: frame.problem, ...chance });
        break;
    }
  }

  #event(push: EventPush, { now }: Chance): void {
    const { type: _, client_id: clientId, ...change } = push;
    const { conversation } = change;
    const folded = this.replica.event(change);
    if (folded === 'folded') {
      this.#resumes.delete(conversation);
      if (this.replica.get(conversation).head > change.seq) this.#resumes.set(conversation, now);
    }
    // The events after a gap are left alone: once resumed, they come again in their place.
    if (folded === 'gap') this.#resume(conversation, now);
    if (clientId !== undefined && change.by === this.me) {
      const write = outbox.find(this.outbox, clientId);
      if (write !== undefined) this.#accepted(clientId, answerOfEvent(write.frame, change), now);
      this.discard(conversation, clientId);
    }
    this.#settle(conversation);
    if (folded !== 'duplicate') this.#changed(conversation);
  }

  #accepted(clientId: string, answer: unknown, now: number): void {
    this.#outbox({ type: 'accepted', clientId, answer, now });
  }

  /** Asks for what follows the seq held, unless that has been asked on this socket and is still coming. */
  #resume(conversation: string, now: number): void {
    if (this.#resumes.has(conversation)) return;
    this.#resumes.set(conversation, now);
    this.#send({ type: 'resume', conversation, seq: this.replica.get(conversation).seq });
  }

  #outbox(event: outbox.Event): void {
    const { state, effects } = outbox.step(this.outbox, event, this.#options.outbox);
    this.outbox = state;
    for (const effect of effects) {
      if (effect.type === 'send') this.#send(effect.frame);
      else this.#report(effect.write, effect.outcome);
    }
  }

  #report(write: outbox.Write, outcome: outbox.Outcome): void {
    const { queue, frame } = write;
    this.#effects.push({ type: 'report', write, outcome });
    if (frame.type === 'mark_read' && outcome.type === 'accepted') {
      const { conversation, read_seq, unread_count } = outcome.answer as Answer<'mark_read'>;
      this.replica.read(conversation, read_seq, unread_count);
    }
    if (frame.type === 'send_message') {
      const seq = outcome.type === 'accepted' ? ((outcome.answer as MessageAnswer).seq ?? 0) : null;
      if (seq !== null) this.ownSeq.set(queue, Math.max(seq, this.ownSeq.get(queue) ?? 0));
      const problem = outcome.type === 'failed' ? outcome.problem : null;
      const isUncertain = outcome.type === 'failed' && outcome.isUncertain;
      this.#keepLoose(queue, [...(this.loose.get(queue) ?? []), { write, seq, problem, isUncertain }].slice(-looseMax));
      this.#settle(queue);
    }
    this.#changed(conversationOf(queue));
  }

  /** Lets go of accepted messages that the replica has, or will never have because the conversation is not held. */
  #settle(conversation: string): void {
    const all = this.loose.get(conversation);
    if (all === undefined) return;
    const { isHeld, seq: known } = this.replica.get(conversation);
    this.#keepLoose(
      conversation,
      all.filter(({ seq }) => seq === null || (isHeld && seq > known)),
    );
  }

  #keepLoose(conversation: string, all: readonly Loose[]): void {
    if (all.length === 0) this.loose.delete(conversation);
    else this.loose.set(conversation, all);
  }

  #send(frame: ClientFrame): void {
    this.#effects.push({ type: 'send', socket: this.connection.socket, frame });
  }

  #changed(conversation: string): void {
    this.#effects.push({ type: 'changed', conversation });
  }

  #taken(): SessionEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
