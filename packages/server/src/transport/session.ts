import type { Answer, LiveName } from '@parlance/schema/calls';
import * as closeCodes from '@parlance/schema/close-codes';
import { resolveConversation } from '@parlance/schema/ids';
import { inboxMax, pageMax, socketWritesMax } from '@parlance/schema/limits';
import type { ServerFrame } from '@parlance/schema/live';
import type { Signal } from '../journal/port.ts';
import type { ConversationEvent } from '../journal/record.ts';
import type { Node } from '../node/node.ts';
import { Refusal } from '../node/refusal.ts';
import type { Change } from '../store/port.ts';
import type { Hub, Listener } from './hub.ts';
import { rfc3339, toChange } from './wire.ts';

// One live socket, without the bytes: who it is, what it follows and how far it has been told, and the writes it is waiting for.
//
// Per conversation there is one cursor, the newest seq sent. A conversation that is live gets each event as it comes, if it is the next one; otherwise it is
// catching up: pages are read from the store after the cursor and sent, until nothing newer is known of. Live events that come meanwhile are only
// noted by their seq, since the store already has them; so nothing is buffered, and backlog and live cannot overlap or leave a gap.
//
//   not followed ──head──▶ live ◀──nothing newer── catching up
//                            └──gap, lost, resume───────▲

/** The socket below. */
export interface Socket {
  send(frame: string): void;
  close(code: number, reason: string): void;
  /** Bytes handed to `send` that the network has not taken yet. */
  readonly queuedBytes: number;
  /** Resolves when few enough are queued to send more, or the socket is closed. */
  drained(): Promise<void>;
  pause(): void;
  resume(): void;
}

export interface LivePerson {
  userId: string;
  sessionId: string;
}

/** What a live socket needs of the rest: the node, the hub and the way to make a call. */
export interface LiveContext {
  node: Node;
  hub: Hub;
  /** Bytes that may wait for a slow reader. */
  queueBytesMax: number;
  /** Makes the call for the person, as over HTTP; `params` hold the client_id. */
  call(name: LiveName, params: Record<string, unknown>, person: LivePerson): Promise<Answer<LiveName> | Refusal>;
  problemOf(refusal: Refusal, clientId: string | undefined): Extract<ServerFrame, { type: 'refusal' }>['problem'];
}

interface Followed {
  /** Newest seq sent (or announced). */
  cursor: number;
  /** Newest seq known of. */
  newest: number;
  /** Last seq this person may see, where the membership has ended. */
  last: number;
  /** There may be more than `newest`: only the store can tell. */
  mustRead: boolean;
  isLive: boolean;
}

const following = (cursor: number, more: Partial<Followed> = {}): Followed => ({
  cursor,
  newest: cursor,
  last: Number.POSITIVE_INFINITY,
  mustRead: false,
  isLive: false,
  ...more,
});

/** How often, and how long apart, a page is asked for again whose rows the store does not show yet. */
const readTries = 50;
const readPauseMs = 20;

interface Write {
  name: LiveName;
  clientId: string;
  params: Record<string, unknown>;
  lane: string;
  isPushed: boolean;
}

export class LiveSession implements Listener {
  readonly userId: string;
  readonly sessionId: string;
  readonly #socket: Socket;
  readonly #context: LiveContext;
  readonly #followed = new Map<string, Followed>();
  /** Writes under way or held, by conversation: the first is being decided, the others wait for it, so that their order is the order sent. */
  readonly #lanes = new Map<string, Write[]>();
  #writeCount = 0;
  #isClosed = false;
  /** From the start: what is known of the memberships until they have been read twice is no place to catch up from. */
  #isCatchingUp = true;
  /** Resumes are taken one after another, the first when the memberships are loaded. */
  #resumed: Promise<void>;
  #opened!: () => void;

  constructor(socket: Socket, context: LiveContext, person: LivePerson) {
    this.#socket = socket;
    this.#context = context;
    this.userId = person.userId;
    this.sessionId = person.sessionId;
    this.#resumed = new Promise((resolve) => {
      this.#opened = resolve;
    });
  }

  // ── the beginning ──

  /**
   * Welcomes, announces and brings up to date. First the person is registered for events that name them, then the memberships are loaded and followed, then their
   * heads read: whatever happens in between is either in those heads or comes as an event.
   */
  async open(resume: Record<string, number>): Promise<void> {
    const { node, hub } = this.#context;
    this.#send({ type: 'welcome', user_id: this.userId, session_id: this.sessionId, time: rfc3339(node.time()) });
    hub.register(this);
    for (const { member } of await node.store.memberships(this.userId, inboxMax)) {
      if (this.#isClosed) return;
      if (member.left === null) hub.follow(this, member.conversation);
      const last = member.left?.seq ?? Number.POSITIVE_INFINITY;
      if (!this.#followed.has(member.conversation)) this.#followed.set(member.conversation, following(0, { last }));
    }
    for (const { member, seq } of await node.store.memberships(this.userId, inboxMax)) {
      if (this.#isClosed) return;
      const followed = this.#followed.get(member.conversation);
      if (followed === undefined || followed.isLive) continue; // It began after the first read, with an event that named the person.
      if ((followed.last === Number.POSITIVE_INFINITY) !== (member.left === null)) {
        // It ended, or began again, between the reads: the hub may give it what it must not see, or not what it must.
        this.close(closeCodes.cannotVouch, 'a membership changed meanwhile; reconnect');
        return;
      }
      const from = Object.hasOwn(resume, member.conversation) ? resume[member.conversation] : undefined;
      if (member.left !== null) followed.last = member.left.seq;
      if (from === undefined) this.#send({ type: 'head', conversation: member.conversation, seq, ...(member.left !== null && { left: true as const }) });
      followed.cursor = Math.min(from ?? seq, seq);
      followed.newest = Math.max(followed.newest, seq);
    }
    this.#isCatchingUp = false;
    this.#opened();
    await this.#catchUp();
    this.#send({ type: 'caught_up' });
  }

  // ── what the hub says ──

  begin(conversation: string, after: number): void {
    const followed = this.#followed.get(conversation);
    if (followed === undefined) this.#followed.set(conversation, following(after, { isLive: true }));
    // Still being brought up to date to where it ended before: that goes on, and from there without a gap. What the store told may be ahead of
    // the events, so a beginning before that end is an old one.
    else if (after >= followed.last) followed.last = Number.POSITIVE_INFINITY;
  }

  end(conversation: string, seq: number): void {
    const followed = this.#followed.get(conversation);
    if (followed === undefined) return;
    followed.last = seq;
    if (followed.isLive) this.#followed.delete(conversation);
  }

  event(event: ConversationEvent, frame: string): void {
    const followed = this.#followed.get(event.conversation);
    if (followed === undefined) return;
    followed.newest = Math.max(followed.newest, event.seq);
    if (event.seq <= followed.cursor || !followed.isLive) return;
    if (event.seq !== followed.cursor + 1) {
      followed.isLive = false;
      void this.#catchUp();
      return;
    }
    followed.cursor = event.seq;
    if (event.by === this.userId) {
      const write = this.#lanes.get(event.conversation)?.[0];
      if (write?.clientId === event.clientId) write.isPushed = true;
    }
    this.#sendText(frame);
  }

  signal(signal: Signal): void {
    this.#send({ type: 'read', conversation: signal.conversation, read_seq: signal.readSeq, unread_count: signal.unreadCount });
  }

  // The memberships themselves may have changed unheard, so there is nothing to catch up from: the client reconnects and resumes.
  missed(): void {
    this.close(closeCodes.cannotVouch, 'events may have been missed; reconnect and resume');
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.closed();
    this.#socket.close(code, reason);
  }

  /** The socket has closed, or is about to. */
  closed(): void {
    this.#isClosed = true;
    this.#context.hub.unregister(this, this.#followed.keys());
  }

  // ── catching up ──

  /** The client asks for what came after `seq` in one conversation. */
  async resume(reference: string, seq: number): Promise<void> {
    const turn = this.#resumed.then(() => this.#moveBack(reference, seq));
    this.#resumed = turn;
    await turn;
    await this.#catchUp();
  }

  async #moveBack(reference: string, seq: number): Promise<void> {
    const conversation = resolveConversation(reference, this.userId)?.id;
    try {
      const followed = conversation === undefined ? undefined : (this.#followed.get(conversation) ?? (await this.#formerly(conversation)));
      if (followed === undefined) {
        this.#send({
          type: 'refusal',
          conversation: reference,
          problem: this.#context.problemOf(new Refusal('conversation_not_found', { field: 'conversation' }), undefined),
        });
        return;
      }
      followed.cursor = Math.min(followed.cursor, seq);
      followed.isLive = false;
    } catch {
      this.close(closeCodes.cannotVouch, 'the store cannot be read just now');
    }
  }

  /**
   * A conversation the person has left since, which is brought up to date to the leaving and never live, or one beyond those followed at the beginning.
   * It is followed before it is read, so that a membership that ends or begins meanwhile is noticed.
   */
  async #formerly(conversation: string): Promise<Followed | undefined> {
    const { node, hub } = this.#context;
    const asked = following(Number.POSITIVE_INFINITY, { newest: 0, isLive: true });
    this.#followed.set(conversation, asked);
    hub.follow(this, conversation);
    const entry = await node.store.inboxEntry(this.userId, conversation);
    if (this.#isClosed) return undefined;
    const hasEnded = this.#followed.get(conversation) !== asked;
    const last = entry === undefined ? 0 : (entry.member.left?.seq ?? Number.POSITIVE_INFINITY);
    if (hasEnded || asked.newest > last) {
      this.close(closeCodes.cannotVouch, 'a membership changed meanwhile; reconnect');
      return undefined;
    }
    this.#followed.delete(conversation);
    if (last !== Number.POSITIVE_INFINITY) hub.unfollow(this, conversation);
    if (entry === undefined) return undefined;
    const followed = following(entry.head.seq, { last, mustRead: true });
    followed.newest = Math.max(followed.newest, asked.newest);
    this.#followed.set(conversation, followed);
    return followed;
  }

  async #catchUp(): Promise<void> {
    if (this.#isCatchingUp) return;
    this.#isCatchingUp = true;
    try {
      // The map may grow and its entries fall behind again meanwhile: go round until all are live.
      for (let isDone = false; !isDone && !this.#isClosed; ) {
        isDone = true;
        for (const [conversation, followed] of this.#followed) {
          if (followed.isLive) continue;
          isDone = false;
          await this.#catchUpOne(conversation, followed);
          if (this.#isClosed) return;
        }
      }
    } catch {
      this.close(closeCodes.cannotVouch, 'the store cannot be read just now');
    } finally {
      this.#isCatchingUp = false;
    }
  }

  async #catchUpOne(conversation: string, followed: Followed): Promise<void> {
    let tries = 0;
    while (followed.mustRead || followed.cursor < Math.min(followed.newest, followed.last)) {
      const after = followed.cursor;
      const page = await this.#context.node.store.changes(conversation, after, followed.last, pageMax);
      const changes = await this.#upToLeaving(conversation, followed, page);
      if (this.#isClosed) return;
      if (followed.cursor < after) continue; // A resume frame has moved the cursor back meanwhile: read again from there.
      for (const change of changes) {
        const wire = toChange(change, conversation);
        followed.cursor = wire.seq;
        this.#send({ type: 'event', ...wire });
        // A page of long messages is more than may wait for a reader; one that reads is not to be cut for it.
        await this.#socket.drained();
        if (this.#isClosed || followed.cursor !== wire.seq) break;
      }
      if (this.#isClosed) return;
      if (changes.length > 0) continue;
      followed.mustRead = false;
      if (followed.cursor >= Math.min(followed.newest, followed.last)) break;
      tries += 1;
      if (tries > readTries) throw new Error(`${conversation} has an event ${followed.newest} that cannot be read`);
      await new Promise((resolve) => setTimeout(resolve, readPauseMs));
    }
    followed.isLive = true;
    if (followed.last !== Number.POSITIVE_INFINITY) this.#followed.delete(conversation);
  }

  // The store may be ahead of what this node has heard: who has left meanwhile is shown nothing after that, who has come back everything.
  async #upToLeaving(conversation: string, followed: Followed, page: Change[]): Promise<Change[]> {
    const newest = page.findLast(({ event }) => event?.user === this.userId)?.event;
    if (newest?.kind !== 'left' && newest?.kind !== 'removed') return page;
    followed.last = newest.seq;
    const [row] = await this.#context.node.store.rows([{ table: 'member', conversation, userId: this.userId }]);
    if (row?.table === 'member' && row.joinedSeq > newest.seq) followed.last = row.left?.seq ?? Number.POSITIVE_INFINITY;
    return page.filter((change) => (change.event ?? change.message).seq <= followed.last);
  }

  // ── writes ──

  /** A call frame, already checked. Writes to one conversation are made one after another. */
  write(name: LiveName, clientId: string, params: Record<string, unknown>): void {
    const write: Write = { name, clientId, params, lane: this.#laneOf(params), isPushed: false };
    this.#writeCount += 1;
    if (this.#writeCount === socketWritesMax) this.#socket.pause();
    const lane = this.#lanes.get(write.lane);
    if (lane !== undefined) {
      lane.push(write);
      return;
    }
    this.#lanes.set(write.lane, [write]);
    void this.#runLane(write.lane);
  }

  #laneOf(params: Record<string, unknown>): string {
    if (typeof params.name === 'string') return `g:${params.name.toLowerCase()}`;
    return resolveConversation(String(params.conversation), this.userId)?.id ?? '';
  }

  async #runLane(key: string): Promise<void> {
    const lane = this.#lanes.get(key)!;
    for (let write = lane[0]; write !== undefined; write = lane[0]) {
      const isDecided = await this.#make(write);
      lane.shift();
      this.#done();
      if (isDecided) continue;
      // What came after it may rest on it. Those that come later have seen the refusal, or could have.
      for (const held of lane.splice(0)) {
        this.refuse(new Refusal('earlier_write_failed'), held.clientId);
        this.#done();
      }
    }
    this.#lanes.delete(key);
  }

  /** Makes one call and answers it; true if it was decided. */
  async #make(write: Write): Promise<boolean> {
    const answer = await this.#context.call(write.name, { ...write.params, client_id: write.clientId }, this);
    if (answer instanceof Refusal) {
      this.refuse(answer, write.clientId);
      return answer.decided || write.name === 'mark_read';
    }
    // One's own event was the ack. There was none for a repetition, where nothing changed, or while catching up.
    if (!write.isPushed) this.#send({ type: 'ack', client_id: write.clientId, answer });
    return true;
  }

  #done(): void {
    this.#writeCount -= 1;
    if (this.#writeCount === socketWritesMax - 1) this.#socket.resume();
  }

  // ── sending ──

  /** Refuses a call frame. */
  refuse(refusal: Refusal, clientId: string): void {
    this.#send({ type: 'refusal', client_id: clientId, problem: this.#context.problemOf(refusal, clientId) });
  }

  #send(frame: ServerFrame): void {
    this.#sendText(JSON.stringify(frame));
  }

  #sendText(text: string): void {
    if (this.#isClosed) return;
    this.#socket.send(text);
    // Whoever reads too slowly is cut, and resumes from its seqs; to hold more for it would take the memory from everybody.
    if (this.#socket.queuedBytes > this.#context.queueBytesMax) this.close(closeCodes.slowReader, 'too slow; reconnect and resume');
  }
}
