import { randomBytes } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Answer, isLive, type LiveName } from '@parlance/schema/calls';
import * as closeCodes from '@parlance/schema/close-codes';
import { problems } from '@parlance/schema/errors';
import { clientIdPattern } from '@parlance/schema/ids';
import { frameBytesMax, helloTimeoutMs, socketsPerUserMax } from '@parlance/schema/limits';
import { type RawData, Sender, type WebSocket, WebSocketServer } from 'ws';
import { proxiesOf } from '../config.ts';
import { partitionOf } from '../journal/port.ts';
import { Refusal } from '../node/refusal.ts';
import type { Caller } from '../node/sessions.ts';
import { addressOf } from './address.ts';
import type { CallContext, HandlerInput, Services, SignedIn } from './context.ts';
import { credentialsOf, isOwnOrigin } from './credentials.ts';
import { refusalOfFailure } from './failure.ts';
import { Hub } from './hub.ts';
import { perform } from './perform.ts';
import { problemOf } from './problem.ts';
import { type LiveContext, LiveSession, type Socket } from './session.ts';
import { validateFrame } from './validate.ts';

// The bytes of live sockets: the upgrade, who it is, frames in and out, pings, and the end. What the frames mean is `session.ts`.

export interface Live {
  /** Tells every socket to reconnect elsewhere, and resolves when they are gone or cut. */
  drain(): Promise<void>;
}

const livePath = '/v1/live';
const pingIntervalMs = 30_000;
/** After this long without word from the journal, a node cannot vouch for what it tells a socket. Not sooner: a broker's fail-over must not throw everybody out. */
const vouchMaxMs = 10_000;
const vouchIntervalMs = 1000;
/** How long a closed socket may take to say goodbye before it is cut. */
const closeTimeoutMs = 5000;

/** Serves live sockets on the server's upgrade requests, and pushes to them what the node sees applied. */
export function attachLive(server: Server, services: Services): Live {
  const { node, sessions, config, metrics } = services;
  const hub = new Hub();
  node.listen(hub);
  sessions.onEnded(({ userId, sessionId }) => hub.closeSession(userId, sessionId, closeCodes.sessionEnded, 'the session has ended; log in again'));
  const proxies = proxiesOf(config);
  const webSockets = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: frameBytesMax, perMessageDeflate: false });
  const connections = new Set<Connection>();
  let isDraining = false;

  const accept = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const credentials = credentialsOf(request.headers, config);
    if (isDraining) return refuse(socket, new Refusal('draining', { retryAfterS: 1 }));
    // A browser sends its cookie whoever wrote the page, and no rule of its own keeps a foreign page from opening a WebSocket.
    if (credentials?.from === 'cookie' && !isOwnOrigin(request.headers, config)) return refuse(socket, new Refusal('origin_refused'));
    const caller = credentials === undefined ? undefined : await sessions.authenticate(credentials.token);
    // A cookie that is no good is as none: the hello may still bring a token. A program that sent a bearer token meant it.
    if (credentials?.from === 'bearer' && caller === undefined) return refuse(socket, new Refusal('not_signed_in'));
    const token = caller === undefined ? undefined : credentials?.token;
    const context: CallContext = {
      ...services,
      caller,
      address: addressOf(request, proxies),
      userAgent: request.headers['user-agent'] ?? '',
      requestId: `live-${randomBytes(8).toString('hex')}`,
    };
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new Connection(webSocket, socket, context, hub, token);
      connections.add(connection);
      metrics.sockets = connections.size;
      void connection.ended.then(() => {
        connections.delete(connection);
        metrics.sockets = connections.size;
      });
    });
  };

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (request.url?.split('?')[0] !== livePath) return refuse(socket, new Refusal('not_found'));
    accept(request, socket, head).catch(() => refuse(socket, new Refusal('unavailable', { retryAfterS: 1 })));
  });

  const sweep = setInterval(() => {
    for (const connection of connections) connection.sweep();
  }, pingIntervalMs);
  sweep.unref();

  const vouch = setInterval(() => {
    const { journal } = node;
    const silent = new Set(Array.from({ length: journal.partitions }, (_, partition) => partition).filter((one) => journal.ageMs(one) > vouchMaxMs));
    if (silent.size === 0) return;
    for (const connection of connections) connection.vouch(silent);
  }, vouchIntervalMs);
  vouch.unref();

  return {
    async drain() {
      isDraining = true;
      clearInterval(sweep);
      clearInterval(vouch);
      for (const connection of connections) connection.close(closeCodes.goingAway, 'this server is going away; reconnect');
      await Promise.all([...connections].map((connection) => connection.ended));
    },
  };
}

/** Answers an upgrade request that is refused, and ends the connection. */
function refuse(socket: Duplex, refusal: Refusal): void {
  const body = JSON.stringify(problemOf(refusal, `live-${randomBytes(8).toString('hex')}`));
  socket.end(
    `HTTP/1.1 ${problems[refusal.code].status} Refused\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

const clientIdForm = new RegExp(clientIdPattern);

// Public in ws, and missing from its types.
declare module 'ws' {
  const Sender: { frame(data: Buffer, options: { fin: boolean; rsv1: boolean; opcode: number; mask: boolean; readOnly: boolean }): Buffer[] };
}

// One event goes to many sockets one after another: its bytes are made once.
let framed = '';
let framedBytes: Buffer = Buffer.alloc(0);

function bytesOf(frame: string): Buffer {
  if (frame !== framed) {
    framed = frame;
    framedBytes = Buffer.concat(Sender.frame(Buffer.from(frame), textFrame));
  }
  return framedBytes;
}
const textFrame = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true };

// All frames to a socket of one turn of the loop, such as one's own event and the partner's of the same batch, are one system call: it costs more than making them.
let corked: Duplex[] = [];

function corkUntilTick(stream: Duplex): void {
  if (corked.length === 0) process.nextTick(uncork);
  stream.cork();
  corked.push(stream);
}

function uncork(): void {
  const streams = corked;
  corked = [];
  for (const stream of streams) stream.uncork();
}

class Connection implements Socket {
  readonly ended: Promise<void>;
  readonly #webSocket: WebSocket;
  readonly #stream: Duplex;
  readonly #context: CallContext;
  readonly #hub: Hub;
  readonly #queueBytesMax: number;
  #token: string | undefined;
  #session: LiveSession | undefined;
  readonly #helloTimer: NodeJS.Timeout;
  #isAlive = true;
  #hasSaidHello = false;
  #isClosing = false;
  #drained: (() => void)[] = [];

  /** `token`: what the upgrade request was signed in with. */
  constructor(webSocket: WebSocket, stream: Duplex, context: CallContext, hub: Hub, token: string | undefined) {
    this.#token = token;
    this.#webSocket = webSocket;
    this.#stream = stream;
    this.#context = context;
    this.#hub = hub;
    this.#queueBytesMax = context.config.socketQueueBytes;
    this.#helloTimer = setTimeout(() => this.close(closeCodes.notSignedIn, 'no hello in time'), helloTimeoutMs);
    webSocket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    webSocket.on('pong', () => {
      this.#isAlive = true;
    });
    // An error (bad framing, too big a frame, a broken connection) is followed by close, with the right code.
    webSocket.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      webSocket.on('close', () => {
        clearTimeout(this.#helloTimer);
        this.#isClosing = true;
        this.#session?.closed();
        this.#resumeWaiting();
        resolve();
      });
    });
  }

  // ── the socket, for the session ──

  send(frame: string): void {
    if (this.#isClosing || this.#stream.destroyed) return;
    if (this.#stream.writableCorked === 0) corkUntilTick(this.#stream);
    this.#stream.write(bytesOf(frame), this.#sent);
  }

  #sent = (): void => {
    if (this.#drained.length > 0 && this.queuedBytes <= this.#queueBytesMax / 2) this.#resumeWaiting();
  };

  #resumeWaiting(): void {
    for (const resume of this.#drained.splice(0)) resume();
  }

  get queuedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  drained(): Promise<void> {
    if (this.queuedBytes <= this.#queueBytesMax / 2 || this.#isClosing) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  close(code: number, reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#session?.closed();
    this.#resumeWaiting();
    this.#webSocket.resume(); // A paused one would not hear the goodbye.
    this.#webSocket.close(code, reason);
    const cut = setTimeout(() => this.#webSocket.terminate(), closeTimeoutMs);
    void this.ended.then(() => clearTimeout(cut));
  }

  // ── frames in ──

  #receive(data: RawData, isBinary: boolean): void {
    this.#isAlive = true;
    if (this.#isClosing) return;
    let parsed: unknown;
    try {
      if (isBinary) throw new Error('binary');
      parsed = JSON.parse((data as Buffer).toString());
    } catch {
      this.close(closeCodes.badFrame, isBinary ? 'frames are text' : 'not JSON');
      return;
    }
    const frame = validateFrame(parsed);
    if (frame instanceof Refusal) {
      // A call that names its client_id can be answered; anything else leaves nothing to answer to.
      const clientId = (parsed as { client_id?: unknown } | null)?.client_id;
      if (this.#session !== undefined && typeof clientId === 'string' && clientIdForm.test(clientId)) this.#session.refuse(frame, clientId);
      else this.close(closeCodes.badFrame, reasonOf(frame));
      return;
    }
    if (frame.type === 'hello') void this.#hello(frame.token, frame.resume ?? {});
    else if (this.#session === undefined) this.close(closeCodes.outOfTurn, 'say hello first, and wait for the welcome');
    else if (frame.type === 'ping') this.send('{"type":"pong"}');
    else if (frame.type === 'resume') void this.#session.resume(frame.conversation, frame.seq);
    else if (isLive(frame.type)) {
      const { type, client_id, ...params } = frame;
      this.#session.write(type, client_id, params);
    }
  }

  async #hello(token: string | undefined, resume: Record<string, number>): Promise<void> {
    if (this.#hasSaidHello) {
      this.close(closeCodes.outOfTurn, 'hello was said already');
      return;
    }
    this.#hasSaidHello = true;
    clearTimeout(this.#helloTimer);
    this.#token = token ?? this.#token;
    try {
      const caller = await this.#authenticate();
      this.#context.caller = caller;
      if (caller === undefined) {
        this.close(closeCodes.notSignedIn, 'log in first');
        return;
      }
      if (this.#hub.countOf(caller.userId) >= socketsPerUserMax) {
        this.close(closeCodes.tooManySockets, `more than ${socketsPerUserMax} sockets of one person`);
        return;
      }
      if (this.#isClosing) return;
      this.#session = new LiveSession(this, this.#liveContext(), caller);
      const opening = this.#session.open(resume);
      // From here on the hub knows the socket, and the end of its session closes it. An end just before that is seen here.
      if ((await this.#authenticate()) === undefined) this.close(closeCodes.sessionEnded, 'the session has ended; log in again');
      await opening;
    } catch (error) {
      this.#context.logger.warn({ err: error, requestId: this.#context.requestId }, 'a live socket could not begin');
      this.close(closeCodes.cannotVouch, 'the store cannot be read just now; reconnect');
    }
  }

  async #authenticate(): Promise<Caller | undefined> {
    return this.#token === undefined ? undefined : this.#context.sessions.authenticate(this.#token);
  }

  #liveContext(): LiveContext {
    const { node, requestId } = this.#context;
    const context = this.#context as SignedIn;
    return {
      node,
      hub: this.#hub,
      queueBytesMax: this.#queueBytesMax,
      call: (name, params) => call(name, params, context),
      problemOf: (refusal, clientId) => problemOf(refusal, requestId, clientId),
    };
  }

  // ── now and then ──

  sweep(): void {
    if (!this.#isAlive) {
      this.close(closeCodes.idle, 'no answer to pings');
      this.#webSocket.terminate();
      return;
    }
    this.#isAlive = false;
    this.#webSocket.ping();
    const { caller, sessions } = this.#context;
    if (caller !== undefined && sessions.isTooOld(caller)) this.close(closeCodes.sessionEnded, 'the session is too old; log in again');
  }

  /** `silent`: partitions of which this node has heard nothing for too long: the end of this person's session may be among what it missed. */
  vouch(silent: ReadonlySet<number>): void {
    const { caller, node } = this.#context;
    if (caller !== undefined && silent.has(partitionOf(caller.userId, node.journal.partitions))) {
      this.close(closeCodes.cannotVouch, 'this server is cut off; reconnect');
    }
  }
}

/** Makes a call of a frame, as over HTTP. */
async function call(name: LiveName, params: Record<string, unknown>, context: SignedIn): Promise<Answer<LiveName> | Refusal> {
  try {
    return await perform(name, context, params as HandlerInput<LiveName>);
  } catch (error) {
    return refusalOfFailure(error, context, name);
  }
}

/** A close reason holds 123 bytes at most (RFC 6455, 5.5). */
const reasonOf = (refusal: Refusal): string => `${refusal.field ?? 'frame'}: ${refusal.detail}`.replace(/[^ -~]/g, '?').slice(0, 120);
