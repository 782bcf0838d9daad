import type { Answer as CallAnswer, LiveName } from '@parlance/schema/calls';
import * as closeCodes from '@parlance/schema/close-codes';
import type { ClientFrame, EventPush, ServerFrame } from '@parlance/schema/live';
import { Node } from '../../packages/server/src/node/node.ts';
import { Refusal } from '../../packages/server/src/node/refusal.ts';
import { Writes } from '../../packages/server/src/node/writes.ts';
import { sequence } from '../../packages/server/src/sequencer/sequencer.ts';
import { createGroup } from '../../packages/server/src/transport/api/create-group.ts';
import { deleteMessage } from '../../packages/server/src/transport/api/delete-message.ts';
import { editMessage } from '../../packages/server/src/transport/api/edit-message.ts';
import { getConversation } from '../../packages/server/src/transport/api/get-conversation.ts';
import { listMessages } from '../../packages/server/src/transport/api/list-messages.ts';
import { markRead } from '../../packages/server/src/transport/api/mark-read.ts';
import { putMember } from '../../packages/server/src/transport/api/put-member.ts';
import { removeMember } from '../../packages/server/src/transport/api/remove-member.ts';
import { sendMessage } from '../../packages/server/src/transport/api/send-message.ts';
import { updateGroup } from '../../packages/server/src/transport/api/update-group.ts';
import type { SignedIn } from '../../packages/server/src/transport/context.ts';
import { Hub } from '../../packages/server/src/transport/hub.ts';
import { problemOf } from '../../packages/server/src/transport/problem.ts';
import { Seen } from '../../packages/server/src/transport/seen.ts';
import { LiveSession, type Socket } from '../../packages/server/src/transport/session.ts';
import type { Attempts } from './attempts.ts';
import { SimulatedJournal, type Topics } from './journal.ts';
import type { Judge } from './judge.ts';
import { type Replicas, SimulatedStore, StoreFailed } from './store.ts';
import { Process, Violation, type World } from './world.ts';

// Three nodes, each the real thing from the live session down to the sequencer, on a simulated journal, store and network.

const handlers = {
  send_message: sendMessage,
  edit_message: editMessage,
  delete_message: deleteMessage,
  create_group: createGroup,
  update_group: updateGroup,
  put_member: putMember,
  remove_member: removeMember,
  mark_read: markRead,
  get_conversation: getConversation,
  list_messages: listMessages,
};

type HandlerName = keyof typeof handlers;

/** Hashing is most of the cost of a simulated write, and the same writes are attempted again and again. */
const writes = new Writes(Buffer.alloc(32, 7));

export interface Setting {
  isGuarded: boolean;
  batchMax: number;
  pendingMax: number;
  knownMax: number;
  commandTimeoutMs: number;
  queueBytesMax: number;
}

export class SimulatedNode {
  process!: Process;
  journal!: SimulatedJournal;
  node!: Node;
  hub!: Hub;
  store!: SimulatedStore;
  /** It follows every partition, and takes sockets and calls. */
  isReady = false;
  readonly links = new Set<Link>();
  readonly #id: number;
  readonly #cluster: Cluster;
  readonly #skewMs: number;
  #starts = 0;
  #seen!: Seen;

  constructor(cluster: Cluster, id: number) {
    this.#cluster = cluster;
    this.#id = id;
    this.#skewMs = cluster.world.random.below(20_000) - 10_000;
    this.start();
  }

  start(): void {
    const { world, topics, replicas, setting } = this.#cluster;
    const name = `n${this.#id}.${this.#starts++}`;
    this.process = new Process(name, () => this.#crashed());
    this.store = new SimulatedStore(world, replicas, this.process, setting.isGuarded);
    this.journal = new SimulatedJournal(world, topics, this.process, () => this.#cluster.nodes.map(({ journal }) => journal));
    const clock = () => Math.floor(1_700_000_000_000 + world.now + this.#skewMs);
    this.node = new Node(this.journal, this.store, { nodeId: name, commandTimeoutMs: setting.commandTimeoutMs, commandsMax: 12, clock });
    this.hub = new Hub();
    this.node.listen(this.hub);
    this.#seen = new Seen(this.store);
    const { batchMax, pendingMax, knownMax } = setting;
    this.journal.decide((log, signal) =>
      sequence(
        log,
        this.store,
        { batchMax, pendingMax, knownMax, appendTries: 3, retryPause: async () => undefined, clock, newId: () => world.random.id() },
        signal,
      ),
    );
    world.after(0, this.process, () => {
      void this.node.start().then(() => {
        this.isReady = true;
        world.say(() => `${name} is ready`);
      });
    });
  }

  #crashed(): void {
    const { world } = this.#cluster;
    world.say(() => `${this.process.name} crashes`);
    this.isReady = false;
    for (const link of [...this.links]) link.cut();
    world.after(5 + world.delay() * 5, undefined, () => this.start());
  }

  /** Makes a call as a transport does: what is broken is answered as `internal`. */
  async call(name: string, params: Record<string, unknown>, userId: string): Promise<CallAnswer<LiveName> | Refusal> {
    const { node } = this;
    const caller = { userId, sessionId: `s-${userId}`, createdTime: 0, tokenHash: '' };
    const context = { node, writes, seen: this.#seen, caller } as unknown as SignedIn;
    try {
      return await (handlers[name as HandlerName] as (context: SignedIn, input: unknown) => Promise<CallAnswer<LiveName> | Refusal>)(context, params);
    } catch (error) {
      if (!(error instanceof StoreFailed)) this.#cluster.world.fail(error);
      return new Refusal('internal');
    }
  }
}

/** What a client is told of its end of a connection. */
export interface LinkEnd {
  opened(): void;
  frame(frame: ServerFrame): void;
  closed(code: number): void;
}

/** One connection from a client to a node: frames in both directions, each late but in order, and an end at any moment. */
export class Link implements Socket {
  queuedBytes = 0;
  readonly #cluster: Cluster;
  readonly #user: string;
  readonly #end: LinkEnd;
  readonly #node: SimulatedNode;
  readonly #process: Process;
  readonly #attempts: Attempts;
  #session: LiveSession | undefined;
  #isCut = false;
  #isClosing = false;
  #toClientAt = 0;
  #toServerAt = 0;
  #drained: (() => void)[] = [];
  readonly #newest = new Map<string, number>();
  /** Resumes that came and have not been seen to move anything. */
  readonly #resumes = new Map<string, number>();

  constructor(cluster: Cluster, node: SimulatedNode, user: string, end: LinkEnd) {
    this.#cluster = cluster;
    this.#node = node;
    this.#process = node.process;
    this.#user = user;
    this.#end = end;
    this.#attempts = cluster.attempts;
    node.links.add(this);
  }

  // ── the client's end ──

  sendToServer(frame: ClientFrame): void {
    const { world } = this.#cluster;
    if (this.#isCut) return;
    if (world.random.chance(world.faults.connectionCut)) {
      this.cut();
      return;
    }
    if ('client_id' in frame) this.#attempts.made(this.#user, frame);
    this.#toServerAt = Math.max(this.#toServerAt, world.now + world.delay());
    world.after(this.#toServerAt - world.now, this.#process, () => {
      if (this.#isCut || this.#isClosing) return;
      world.say(() => `${this.#user} to ${this.#process.name}: ${JSON.stringify(frame)}`);
      this.#receive(frame);
    });
  }

  /** The client closes it. */
  closeByClient(): void {
    if (this.#isCut) return;
    this.#gone();
    this.#cluster.world.after(this.#cluster.world.delay(), this.#process, () => this.#session?.closed());
  }

  /** The network or the node is gone: both ends find out, each in its time. */
  cut(): void {
    if (this.#isCut) return;
    const { world } = this.#cluster;
    this.closeByClient();
    world.after(world.delay(), undefined, () => this.#end.closed(1006));
  }

  #gone(): void {
    this.#isCut = true;
    this.#node.links.delete(this);
  }

  // ── the node's end, with what websocket.ts does between a socket and its session ──

  #receive(frame: ClientFrame): void {
    const { world, setting } = this.#cluster;
    if (frame.type === 'hello') {
      const { node, hub } = this.#node;
      const person = { userId: this.#user, sessionId: `s-${this.#user}` };
      this.#session = new LiveSession(
        this,
        {
          node,
          hub,
          queueBytesMax: setting.queueBytesMax,
          call: (name, params) => this.#node.call(name, params, this.#user),
          problemOf: (refusal, clientId) => problemOf(refusal, 'r', clientId),
        },
        person,
      );
      const session = this.#session;
      session.open(frame.resume ?? {}).catch((error) => {
        if (!(error instanceof StoreFailed)) world.fail(error);
        session.close(closeCodes.cannotVouch, 'the store cannot be read just now; reconnect');
      });
    } else if (frame.type === 'ping') this.send('{"type":"pong"}');
    else if (frame.type === 'resume') {
      this.#resumes.set(frame.conversation, 1 + (this.#resumes.get(frame.conversation) ?? 0));
      void this.#session!.resume(frame.conversation, frame.seq);
    } else {
      const { type, client_id, ...params } = frame;
      this.#session!.write(type, client_id, params);
    }
  }

  send(text: string): void {
    if (this.#isCut || this.#isClosing) return;
    const { world, judge } = this.#cluster;
    const frame = JSON.parse(text) as ServerFrame;
    world.say(() => `${this.#process.name} to ${this.#user}: ${text}`);
    try {
      judge.sent(this.#user, frame);
      if (frame.type === 'event') this.#follows(frame);
      this.#attempts.answeredOnSocket(this.#user, frame);
    } catch (error) {
      world.fail(error); // The session would take it for a fault of its socket.
    }
    this.queuedBytes += text.length;
    this.#toClientAt = Math.max(this.#toClientAt, world.now + world.delay());
    world.after(this.#toClientAt - world.now, undefined, () => {
      this.queuedBytes -= text.length;
      if (this.#drained.length > 0) world.after(0, this.#process, () => this.#resumeWaiting());
      if (!this.#isCut) this.#end.frame(frame);
    });
  }

  // On one socket the events of a conversation follow one another without a gap or an overlap, unless the client asked for some again, or a
  // membership begins.
  #follows({ conversation, seq, kind, user }: EventPush): void {
    const before = this.#newest.get(conversation);
    const begins = user === this.#user && (kind === 'joined' || kind === 'added');
    if (before !== undefined && !begins && seq !== before + 1) {
      const asked = this.#resumes.get(conversation) ?? 0;
      if (asked === 0) throw new Violation(`P2 the socket of ${this.#user} has ${seq} of ${conversation} after ${before}`);
      this.#resumes.set(conversation, asked - 1);
    }
    this.#newest.set(conversation, seq);
  }

  #resumeWaiting(): void {
    if (this.queuedBytes <= this.#cluster.setting.queueBytesMax / 2 || this.#isCut) for (const resume of this.#drained.splice(0)) resume();
  }

  drained(): Promise<void> {
    if (this.queuedBytes <= this.#cluster.setting.queueBytesMax / 2 || this.#isCut) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  pause(): void {}
  resume(): void {}

  close(code: number): void {
    if (this.#isCut || this.#isClosing) return;
    const { world } = this.#cluster;
    this.#isClosing = true;
    world.say(() => `${this.#process.name} closes the socket of ${this.#user}: ${code}`);
    for (const resume of this.#drained.splice(0)) resume();
    this.#toClientAt = Math.max(this.#toClientAt, world.now + world.delay());
    world.after(this.#toClientAt - world.now, undefined, () => {
      if (this.#isCut) return;
      this.#gone();
      this.#end.closed(code);
    });
  }
}

export class Cluster {
  readonly world: World;
  readonly topics: Topics;
  readonly replicas: Replicas;
  readonly judge: Judge;
  readonly attempts: Attempts;
  readonly setting: Setting;
  readonly nodes: SimulatedNode[];

  constructor(world: World, topics: Topics, replicas: Replicas, judge: Judge, attempts: Attempts, setting: Setting) {
    this.world = world;
    this.topics = topics;
    this.replicas = replicas;
    this.judge = judge;
    this.attempts = attempts;
    this.setting = setting;
    this.nodes = [];
    for (let id = 0; id < 3; id++) this.nodes.push(new SimulatedNode(this, id));
  }

  /** Connects to some node, or says that this did not work. */
  connect(user: string, end: LinkEnd, done: (link: Link | undefined) => void): void {
    const { world } = this;
    const node = world.random.pick(this.nodes);
    world.after(world.delay(), undefined, () => {
      if (!node.isReady || !node.process.isAlive) return done(undefined);
      done(new Link(this, node, user, end));
    });
  }

  /** A call as over HTTP, to some node. `done` is called with the answer, or with nothing when none came. */
  call(user: string, name: string, params: Record<string, unknown>, done: (answer: unknown) => void): void {
    const { world } = this;
    const node = world.random.pick(this.nodes);
    let isDone = false;
    const finish = (answer: unknown) => {
      if (isDone) return;
      isDone = true;
      done(answer);
    };
    world.after(world.delay(), undefined, () => {
      const { process } = node;
      if (!node.isReady || !process.isAlive) return finish(undefined);
      world.after(0, process, () => {
        void node.call(name, params, user).then((answer) => {
          world.say(() => `${process.name} answers ${user} ${name}: ${JSON.stringify(answer)}`);
          try {
            if ('client_id' in params) this.attempts.answered(user, name, params, answer);
          } catch (error) {
            world.fail(error);
          }
          if (!world.random.chance(world.faults.answerLost)) world.after(world.delay(), undefined, () => finish(answer));
        });
      });
    });
    world.after(1000, undefined, () => finish(undefined));
  }
}
