import { parseConversationId, resolveConversation } from '@parlance/schema/ids';
import type { CallFrame, ClientFrame, EventPush, ServerFrame } from '@parlance/schema/live';
import type { Change, Conversation, Message, ProblemDetails } from '@parlance/schema/types';

// A server of the live protocol in a few lines, for tests: it decides at once, keeps one decision per key, and never pushes anything out of
// order. What goes wrong on the way is the test's business.

type Decision = { push: EventPush } | { answer: unknown } | { problem: ProblemDetails };

export class FakeServer {
  readonly events = new Map<string, EventPush[]>();
  readonly messages = new Map<string, Map<number, Message>>();
  readonly connections = new Set<FakeConnection>();
  /** Asked before every write: a problem here is the (undecided) answer. */
  refuse: (frame: CallFrame, author: string) => ProblemDetails | undefined = () => undefined;
  /** Every write frame that came, in order. */
  readonly received: CallFrame[] = [];
  readonly #decisions = new Map<string, Decision>();
  readonly #members = new Map<string, Set<string>>();

  seq(conversation: string): number {
    return this.events.get(conversation)?.length ?? 0;
  }

  page(conversation: string, before = Number.MAX_SAFE_INTEGER, limit = 50): { messages: Message[]; next_cursor: string | null } {
    const all = [...(this.messages.get(conversation)?.values() ?? [])].filter(({ seq }) => seq < before);
    const messages = all.slice(-limit);
    return { messages, next_cursor: all.length > messages.length ? messages[0]!.msg_id : null };
  }

  summary(reference: string, user: string): Conversation {
    const parts = resolveConversation(reference, user)!;
    const messages = this.page(parts.id).messages;
    return {
      conversation: parts.id,
      kind: parts.kind,
      title: parts.id,
      role: null,
      left: false,
      seq: this.seq(parts.id),
      last_message: messages.at(-1) ?? null,
      last_activity: null,
      read_seq: 0,
      unread_count: messages.length,
    };
  }

  /** The changes after a seq, a message or edit with the message as it is now. */
  changes(conversation: string, after: number): EventPush[] {
    return (this.events.get(conversation) ?? []).slice(after).map(({ client_id: _, ...event }) => {
      const now = this.messages.get(conversation)?.get(Number(event.msg_id));
      return event.message === undefined || now === undefined ? event : { ...event, message: now };
    });
  }

  /** A write as from a socket of `author`: decided once per client_id. */
  write(author: string, frame: CallFrame): Decision {
    this.received.push(frame);
    const undecided = this.refuse(frame, author);
    if (undecided !== undefined) return { problem: undecided };
    const key = `${author} ${frame.client_id}`;
    const prior = this.#decisions.get(key);
    if (prior !== undefined) return 'push' in prior ? { answer: answerOf(prior.push) } : prior;
    const decision = this.#decide(author, frame);
    if (frame.type !== 'mark_read') this.#decisions.set(key, decision);
    if ('push' in decision) for (const connection of this.connections) connection.push(decision.push);
    return decision;
  }

  isMember(conversation: string, user: string): boolean {
    const parts = parseConversationId(conversation)!;
    return parts.kind === 'direct' ? parts.users.includes(user) : (this.#members.get(conversation)?.has(user) ?? false);
  }

  #decide(by: string, frame: CallFrame): Decision {
    const conversation = 'conversation' in frame ? frame.conversation : `g:${frame.name}`;
    const messages = this.messages.get(conversation) ?? new Map<number, Message>();
    this.messages.set(conversation, messages);
    const seq = this.seq(conversation) + 1;
    const base = { type: 'event', conversation, seq, time: new Date(seq).toISOString(), by, client_id: frame.client_id } as const;
    const accept = (change: Omit<Change, keyof typeof base>): Decision => {
      const push: EventPush = { ...base, ...change };
      this.events.set(conversation, [...(this.events.get(conversation) ?? []), push]);
      return { push };
    };
    switch (frame.type) {
      case 'mark_read':
        return { answer: { conversation, read_seq: Math.min(frame.seq, seq - 1), unread_count: 0 } };
      case 'create_group':
      case 'put_member':
        this.#members.set(conversation, new Set([...(this.#members.get(conversation) ?? []), frame.type === 'put_member' ? frame.user : by]));
        return accept(
          frame.type === 'put_member' ? { kind: 'joined', user: frame.user, role: 'member' } : { kind: 'created', title: frame.title ?? frame.name },
        );
      case 'send_message': {
        if (!this.isMember(conversation, by)) return { problem: problemOf('not_a_member', 403, true) };
        const message: Message = { msg_id: String(seq), seq, kind: 'message', author: by, text: frame.text, version: 1, time: base.time };
        messages.set(seq, message);
        return accept({ kind: 'message', msg_id: message.msg_id, version: 1, message });
      }
      case 'edit_message':
      case 'delete_message': {
        const old = messages.get(Number(frame.msg_id));
        if (old === undefined) return { problem: problemOf('message_not_found', 404, true) };
        if (old.author !== by) return { problem: problemOf('not_the_author', 403, true) };
        if (old.deleted) return { problem: problemOf('message_deleted', 410, true) };
        const { text: _, ...stub } = old;
        const message: Message = frame.type === 'edit_message' ? { ...old, text: frame.text, version: old.version + 1 } : { ...stub, deleted: true };
        messages.set(old.seq, message);
        const change = { msg_id: old.msg_id, version: message.version };
        return accept(frame.type === 'edit_message' ? { kind: 'edit', ...change, message } : { kind: 'delete', ...change });
      }
      default:
        throw new Error(`the fake server does not know ${frame.type}`);
    }
  }
}

/** One live socket as the server sees it. What it sends goes to `send`, in order. */
export class FakeConnection {
  readonly #server: FakeServer;
  readonly #user: string;
  readonly #send: (frame: ServerFrame) => void;
  #isGreeted = false;

  constructor(server: FakeServer, user: string, send: (frame: ServerFrame) => void) {
    this.#server = server;
    this.#user = user;
    this.#send = send;
    server.connections.add(this);
  }

  close(): void {
    this.#server.connections.delete(this);
  }

  push(push: EventPush): void {
    if (this.#isGreeted && this.#server.isMember(push.conversation, this.#user)) this.#send(push);
  }

  receive(frame: ClientFrame): void {
    const server = this.#server;
    switch (frame.type) {
      case 'hello':
        this.#send({ type: 'welcome', user_id: this.#user, session_id: 's', time: new Date(0).toISOString() });
        for (const conversation of server.events.keys()) {
          if (!server.isMember(conversation, this.#user)) continue;
          const seq = frame.resume?.[conversation];
          if (seq === undefined) this.#send({ type: 'head', conversation, seq: server.seq(conversation) });
          else for (const event of server.changes(conversation, seq)) this.#send(event);
        }
        this.#isGreeted = true;
        this.#send({ type: 'caught_up' });
        break;
      case 'resume':
        for (const event of server.changes(frame.conversation, frame.seq)) this.#send(event);
        break;
      case 'ping':
        this.#send({ type: 'pong' });
        break;
      default: {
        const decision = server.write(this.#user, frame);
        if ('answer' in decision) this.#send({ type: 'ack', client_id: frame.client_id, answer: decision.answer as never });
        if ('problem' in decision) this.#send({ type: 'refusal', client_id: frame.client_id, problem: decision.problem });
      }
    }
  }
}

export const problemOf = (code: string, status: number, decided: boolean): ProblemDetails => ({
  type: `/docs/errors/${code}`,
  title: code,
  status,
  detail: '',
  code,
  request_id: 'r',
  decided,
});

const answerOf = ({ conversation, seq, time, client_id, msg_id, version, user, role }: EventPush): unknown => ({
  conversation,
  seq,
  time,
  client_id,
  decided: true,
  ...(msg_id === undefined ? {} : { msg_id, version }),
  ...(user === undefined ? {} : { user, role }),
});
