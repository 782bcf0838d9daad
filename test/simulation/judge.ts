import type { ServerFrame } from '@parlance/schema/live';
import type { Change, Message } from '@parlance/schema/types';
import type { Command } from '../../packages/server/src/journal/command.ts';
import type { EventRecord } from '../../packages/server/src/journal/record.ts';
import { bodyOf, carryOut, isWrite, rule, type TruthConversation, usersOf } from './rules.ts';
import type { Replicas } from './store.ts';
import { Violation } from './world.ts';

// The judge reads every record of the journal the moment it lands, folds for itself which of them count, decides every command again at its place,
// and holds everything that any node says to anybody against that. It shares no code with what it judges.
//
//   P1 acknowledged is readable   P2 one dense order   P3 one decision per key   P4 decided by its place   P5 nothing invented, nothing undone

export interface Decision {
  body: string;
  code: string | null;
  seq: number;
  message: number;
  version: number;
  time: number;
  key: string;
  conversation: string;
  at: number;
}

/** An answer as any transport brings it: of the call, or a problem. */
export interface Answer {
  code?: string | undefined;
  decided?: boolean | undefined;
  seq?: number | null | undefined;
  msg_id?: string | undefined;
  version?: number | undefined;
  time?: string | null | undefined;
}

/** Refusals that say nothing about any attempt. */
const undecided = ['unavailable', 'overloaded', 'draining', 'earlier_write_failed', 'internal', 'conversation_not_found', 'user_not_found'];

export class Judge {
  readonly conversations = new Map<string, TruthConversation>();
  /** By conversation, author and client_id. */
  readonly decisions = new Map<string, Decision>();
  /** Names of users and groups. */
  readonly names: Set<string>;
  /** By partition: the last valid record, its position, how far is announced as applied, and the next command. */
  readonly chains: { lastId: string; lastAt: number; announced: number; next: number }[];
  readonly counts = { valid: 0, skipped: 0, events: 0, refusals: 0, repeated: 0, answers: 0, pushes: 0 };
  readonly #texts = new Set<string>();
  readonly #commands: (partition: number) => readonly Command[];
  readonly #replicas: Replicas;

  constructor(users: readonly string[], partitions: number, replicas: Replicas, commands: (partition: number) => readonly Command[]) {
    this.names = new Set(users);
    this.chains = Array.from({ length: partitions }, () => ({ lastId: '', lastAt: -1, announced: -1, next: 0 }));
    this.#replicas = replicas;
    this.#commands = commands;
  }

  // ── what is decided ──

  /** A record landed. */
  record(partition: number, at: number, record: EventRecord): void {
    const chain = this.chains[partition]!;
    if (record.type === 'applied') {
      chain.announced = Math.max(chain.announced, record.upto);
      return;
    }
    if (record.follows !== chain.lastId) {
      this.counts.skipped += 1;
      return;
    }
    this.counts.valid += 1;
    const commands = this.#commands(partition).slice(chain.next, record.upto + 1);
    if (commands.length !== record.outcomes.length)
      throw new Violation(`P3 the record at ${at} has ${record.outcomes.length} outcomes for ${commands.length} commands`);
    chain.lastId = record.id;
    chain.lastAt = at;
    chain.next = record.upto + 1;
    for (const [index, command] of commands.entries()) {
      const { nonce, results } = record.outcomes[index]!;
      if (nonce !== command.nonce) throw new Violation(`P3 the record at ${at} answers ${nonce} in the place of ${command.nonce}`);
      this.#decided(command, results[0]!, at);
    }
  }

  #decided(command: Command, result: { event?: unknown; decision?: { time: number }; refusal?: string; repeated?: true }, at: number): void {
    const said = JSON.stringify(result);
    const wrong = (should: unknown) =>
      new Violation(`P4 at ${at} ${command.kind} of ${command.nonce} came to ${said}, its place says ${JSON.stringify(should)}`);
    if (!isWrite(command)) {
      if (command.kind !== 'register') throw wrong('no such command');
      const isTaken = this.names.has(command.userId);
      if (isTaken !== (result.refusal === 'user_exists') || isTaken === (result.event !== undefined)) throw wrong({ isTaken });
      this.names.add(command.userId);
      return;
    }
    const { conversation: id, author, clientId } = command;
    const conversation = this.of(id);
    const key = `${id} ${author} ${clientId}`;
    const prior = this.decisions.get(key);
    if (prior !== undefined) {
      const isSame = prior.body === bodyOf(command);
      if (isSame ? result.repeated !== true || result.event !== undefined : result.refusal !== 'client_id_reused' || result.event !== undefined) {
        throw new Violation(`P3 ${key} was decided before (${JSON.stringify(prior)}) and came to ${said}`);
      }
      const { code, seq, messageSeq, version, time } =
        (result.decision as unknown as { code: string | null; seq: number; messageSeq: number; version: number; time: number }) ?? prior;
      if (isSame && (code !== prior.code || seq !== prior.seq || messageSeq !== prior.message || version !== prior.version || time !== prior.time))
        throw wrong(prior);
      this.counts.repeated += 1;
      return;
    }
    const ruling = rule(conversation, command, this.names);
    if (!ruling.isStored) {
      if (result.refusal !== ruling.code || result.event !== undefined || result.decision !== undefined) throw wrong(ruling);
      return;
    }
    const isEvent = ruling.kind !== undefined;
    const seq = isEvent ? conversation.events.length + 1 : 0;
    const event = result.event as { seq: number; kind: string; time: number } | undefined;
    if (result.decision === undefined)
      throw new Violation(`P3 at ${at} ${key} was decided (${ruling.code ?? ruling.kind ?? 'nothing'}) and nothing remembers it: ${said}`);
    const { time, code, seq: decidedSeq, version } = result.decision as unknown as { time: number; code: string | null; seq: number; version: number };
    if (isEvent && event !== undefined && event.seq !== seq) throw new Violation(`P2 at ${at} an event of ${id} is ${event.seq}, and ${seq} is next`);
    if (code !== ruling.code || decidedSeq !== seq || version !== ruling.version || event?.kind !== ruling.kind) throw wrong({ ...ruling, seq });
    if (time < conversation.time) throw new Violation(`P2 the time of ${id} goes back from ${conversation.time} to ${time}`);
    if (isEvent) {
      // Nobody writes the same text twice, so a text that comes twice is one write that took effect twice.
      if (command.kind === 'send' && this.#texts.size === this.#texts.add(command.text).size)
        throw new Violation(`P3 at ${at} “${command.text}” of ${author} is sent a second time`);
      conversation.time = time;
      carryOut(conversation, command, ruling, at);
      if (command.kind === 'create') this.names.add(command.key);
      this.counts.events += 1;
    } else this.counts.refusals += 1;
    const message = isEvent ? (ruling.message ?? 0) : 0;
    this.decisions.set(key, { body: bodyOf(command), code, seq, message, version, time, key: command.decisionKey, conversation: id, at });
  }

  of(id: string): TruthConversation {
    let conversation = this.conversations.get(id);
    if (conversation === undefined) {
      conversation = { id, isOpen: false, title: '', roles: new Map(), left: new Map(), messages: new Map(), events: [], time: 0 };
      this.conversations.set(id, conversation);
    }
    return conversation;
  }

  /** The newest seq somebody may see; 0 when nothing. */
  limit(user: string, id: string): number {
    const { roles, left, events } = this.of(id);
    if (id.startsWith('d:')) return usersOf(id).includes(user) ? events.length : 0;
    return roles.has(user) ? events.length : (left.get(user) ?? 0);
  }

  // ── what is said ──

  /** A node answers an attempt. */
  answered(user: string, id: string, clientId: string, body: string, answer: Answer): void {
    this.counts.answers += 1;
    const what = `${id} ${user} ${clientId}`;
    if (answer.code !== undefined && answer.decided !== true && answer.code !== 'client_id_reused') {
      if (!undecided.includes(answer.code)) throw new Violation(`P3 ${what} is answered ${answer.code}, which must be decided`);
      return;
    }
    const decision = this.decisions.get(what);
    if (decision === undefined) throw new Violation(`P5 ${what} is answered ${JSON.stringify(answer)} and was never decided`);
    if (decision.body !== body) {
      if (answer.code !== 'client_id_reused') throw new Violation(`P3 ${what} with another body is answered ${JSON.stringify(answer)}`);
      return;
    }
    const { code, seq, message, version, time } = decision;
    const isSame =
      code !== null
        ? answer.code === code && (code !== 'version_mismatch' || answer.version === version)
        : answer.code === undefined &&
          (answer.seq ?? 0) === seq &&
          (message === 0 || (answer.msg_id === String(message) && answer.version === version)) &&
          answer.time === new Date(time).toISOString();
    if (!isSame) throw new Violation(`P3 ${what} was decided ${JSON.stringify(decision)} and is answered ${JSON.stringify(answer)}`);
    this.#isReadable(decision, what);
  }

  #isReadable({ at, key, seq, conversation, message }: Decision, what: string): void {
    const keys = [`decision/${key}`];
    if (seq > 0) keys.push(`head/${conversation}`, message === seq ? `message/${conversation}/${seq}` : `event/${conversation}/${seq}`);
    if (message > 0) keys.push(`message/${conversation}/${message}`);
    for (const row of keys) if (!this.#replicas.has(row, at)) throw new Violation(`P1 ${what} is answered, and a quorum read of ${row} can miss it`);
  }

  /** A node sends a frame to somebody's socket. */
  sent(user: string, frame: ServerFrame): void {
    if (frame.type === 'event') this.#pushed(user, frame, frame.client_id);
    if (frame.type === 'head' && frame.seq > this.limit(user, frame.conversation))
      throw new Violation(`P5 ${user} is told of ${frame.conversation} up to ${frame.seq}`);
  }

  #pushed(user: string, change: Change, clientId: string | undefined): void {
    this.counts.pushes += 1;
    const { conversation: id, seq } = change;
    const event = this.of(id).events[seq - 1];
    const what = `${user} is shown ${JSON.stringify(change)}`;
    if (event === undefined) throw new Violation(`P5 ${what}, which never happened`);
    if (seq > this.limit(user, id)) throw new Violation(`P4 ${what}, who may see ${this.limit(user, id)} at most`);
    const row = event.message === seq ? `message/${id}/${seq}` : `event/${id}/${seq}`;
    if (!this.#replicas.has(row, event.at)) throw new Violation(`P1 ${what}, and a quorum read of ${row} can miss it`);
    if (event.kind !== change.kind || event.by !== change.by || (clientId !== undefined && event.clientId !== clientId))
      throw new Violation(`P2 ${what} instead of ${JSON.stringify(event)}`);
    if (event.message === 0) return;
    if (change.message === undefined || change.msg_id !== String(event.message)) throw new Violation(`P2 ${what} without the message ${event.message}`);
    this.shown(what, id, change.message, clientId === undefined ? undefined : event, event);
  }

  /** A message on a screen: `exactly` as after an event, or as it was at that event (`since`) or at any time after. */
  shown(
    what: string,
    id: string,
    message: Message,
    exactly: { version: number; deleted: boolean } | undefined,
    since: { version: number; deleted: boolean },
  ): void {
    const truth = this.of(id).messages.get(message.seq);
    if (truth === undefined || truth.author !== message.author) throw new Violation(`P5 ${what}, a message that never was`);
    const isDeleted = message.deleted === true;
    if (isDeleted ? !truth.deleted || message.text !== undefined : message.text !== truth.texts[message.version])
      throw new Violation(`P5 ${what}, a text that never was`);
    if (!isDeleted && since.deleted) throw new Violation(`P5 ${what}, which was deleted`);
    if (message.version < since.version) throw new Violation(`P5 ${what}, and there is a newer version ${since.version}`);
    if (exactly !== undefined && (message.version !== exactly.version || isDeleted !== exactly.deleted))
      throw new Violation(`P2 ${what} instead of ${JSON.stringify(exactly)}`);
  }

  // ── what remains ──

  /** At the end, when everything has settled: the store says what was decided, and every quorum read says so. */
  stored(): void {
    const same = (key: string, at: number, expected: Record<string, unknown>) => {
      const value = this.#replicas.read(key) as Record<string, unknown> | undefined;
      for (const [name, should] of Object.entries(expected)) {
        if (value?.[name] !== should) throw new Violation(`P5 in the end ${key} is ${JSON.stringify(value)}, its ${name} should be ${should}`);
      }
      if (!this.#replicas.has(key, at)) throw new Violation(`P1 in the end a quorum read of ${key} can miss ${at}`);
    };
    const events = new Set<string>();
    for (const { id, events: all, messages, roles, left } of this.conversations.values()) {
      if (all.length === 0) continue;
      for (const { seq, kind, by, at, message, version } of all) {
        events.add(`${message === seq ? 'message' : 'event'}/${id}/${seq}`);
        if (message !== seq) same(`event/${id}/${seq}`, at, { kind, by, ...(message > 0 && { messageSeq: message, version }) });
      }
      for (const [seq, { author, version, deleted, texts }] of messages) {
        same(`message/${id}/${seq}`, all[seq - 1]!.at, {
          author,
          version,
          deleted,
          text: deleted ? '' : texts[version],
          count: [...messages.keys()].filter((one) => one <= seq).length,
        });
      }
      same(`head/${id}`, all.at(-1)!.at, { seq: all.length, count: messages.size, messageSeq: Math.max(0, ...messages.keys()) });
      for (const [user, role] of roles) same(`member/${id}/${user}`, 0, { role, left: null });
      for (const [user, seq] of left)
        if ((this.#replicas.read(`member/${id}/${user}`) as { left: { seq: number } | null } | undefined)?.left?.seq !== seq)
          throw new Violation(`P5 in the end ${user} has not left ${id} at ${seq}`);
    }
    for (const { key, at, code, seq, version } of this.decisions.values()) same(`decision/${key}`, at, { code, seq, version });
    for (const key of this.#replicas.cells.keys()) {
      if (/^(message|event)\//.test(key) && !events.has(key)) throw new Violation(`P5 in the end the store has ${key}, which never happened`);
    }
  }
}
