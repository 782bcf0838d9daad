import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type LiveName, isLive } from '@parlance/schema/calls';
import * as closeCodes from '@parlance/schema/close-codes';
import { frameBytesMax, helloTimeoutMs, sessionDays, socketsPerUserMax } from '@parlance/schema/limits';
import { type RawData, WebSocket, WebSocketServer } from 'ws';
import { partitionOf } from '../journal/port.ts';
import type { Refusal } from '../node/refusal.ts';
import { type LiveContext, type LivePerson, LiveSession, type Socket } from './session.ts';
import { validateFrame } from './validate.ts';

// The bytes of live sockets: the upgrade, who it is, frames in and out, pings, and the end. What the frames mean is `session.ts`.

export interface LiveOptions extends LiveContext {
  /** Who an upgrade request says it is, by cookie or bearer token; undefined when it carries neither, and the hello must say. */
  identify(request: IncomingMessage): Promise<SignedIn | Refusal | undefined>;
  /** Whose token it is. */
  authenticate(token: string): Promise<SignedIn | undefined>;
  /** Answers an upgrade that is refused. */
  refuseUpgrade(request: IncomingMessage, socket: Duplex, refusal: Refusal): void;
  /** Answers an upgrade for another path. */
  notFound(request: IncomingMessage, socket: Duplex): void;
  pingIntervalMs: number;
  /** After this long without word from the journal, the node cannot vouch for what it tells a socket. */
  vouchMaxMs: number;
}

export interface SignedIn extends LivePerson { createdTime: number }

export interface Live {
  /** Open sockets, those before their hello too. */
  readonly size: number;
  /** Tells every socket to reconnect elsewhere, and resolves when they are gone or cut. */
  drain(): Promise<void>;
}

const livePath = '/v1/live';
const sessionMs = sessionDays * 86_400_000;
/** How long a closed socket may take to say goodbye before it is cut. */
const closeTimeoutMs = 5000;

/** Serves live sockets on the server's upgrade requests. */
export function attachLive(server: Server, options: LiveOptions): Live {
  const sockets = new WebSocketServer({ noServer: true, clientTracking: true, maxPayload: frameBytesMax, perMessageDeflate: false });
  const connections = new Set<Connection>();

  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== livePath) {
      options.notFound(request, socket);
      return;
    }
    options.identify(request).then(
      (person) => {
        if (person !== undefined && 'code' in person) {
          options.refuseUpgrade(request, socket, person);
          return;
        }
        sockets.handleUpgrade(request, socket, head, (webSocket) => {
          const connection = new Connection(webSocket, options, person, () => connections.delete(connection));
          connections.add(connection);
        });
      },
      () => socket.destroy(),
    );
  });

  const sweep = setInterval(() => {
    for (const connection of connections) connection.sweep();
  }, options.pingIntervalMs);
  sweep.unref();

  return {
    get size() {
      return connections.size;
    },
    async drain() {
      clearInterval(sweep);
      for (const connection of connections) connection.close(closeCodes.goingAway, 'this server is going away; reconnect');
      await Promise.all([...connections].map((connection) => connection.ended));
    },
  };
}

class Connection implements Socket {
  readonly #webSocket: WebSocket;
  readonly #options: LiveOptions;
  #person: SignedIn | undefined;
  #session: LiveSession | undefined;
  #isAlive = true;
  #isSaying = false;
  #helloTimer: NodeJS.Timeout | undefined;
  #drained: (() => void)[] = [];
  readonly ended: Promise<void>;

  constructor(webSocket: WebSocket, options: LiveOptions, person: SignedIn | undefined, onEnd: () => void) {
    this.#webSocket = webSocket;
    this.#options = options;
    this.#person = person;
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
        this.#session?.closed();
        for (const resume of this.#drained.splice(0)) resume();
        onEnd();
        resolve();
      });
    });
  }

  // ── the socket, for the session ──

  send(frame: string): void {
    if (this.#webSocket.readyState === WebSocket.OPEN) this.#webSocket.send(frame, this.#sent);
  }

  #sent = (): void => {
    if (this.#drained.length > 0 && this.queuedBytes <= this.#options.queueBytesMax / 2) for (const resume of this.#drained.splice(0)) resume();
  };

  get queuedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  drained(): Promise<void> {
    if (this.queuedBytes <= this.#options.queueBytesMax / 2 || this.#webSocket.readyState !== WebSocket.OPEN) return Promise.resolve();
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  pause(): void {
    this.#webSocket.pause();
  }

  resume(): void {
    this.#webSocket.resume();
  }

  close(code: number, reason: string): void {
    this.#session?.closed();
    this.#webSocket.resume(); // A paused one would not hear the goodbye.
    this.#webSocket.close(code, reason);
    setTimeout(() => this.#webSocket.terminate(), closeTimeoutMs).unref();
  }

  // ── frames in ──

  #receive(data: RawData, isBinary: boolean): void {
    this.#isAlive = true;
    if (this.#webSocket.readyState !== WebSocket.OPEN) return;
    let parsed: unknown;
    try {
      if (isBinary) throw new Error('binary');
      parsed = JSON.parse((data as Buffer).toString());
    } catch {
      this.close(closeCodes.badFrame, isBinary ? 'frames are text' : 'not JSON');
      return;
    }
    const frame = validateFrame(parsed);
    if ('code' in frame) {
      // A call that names its client_id can be answered; anything else leaves nothing to answer to.
      if (this.#session !== undefined && frame.clientId !== undefined) this.#session.refuse(frame.refusal, frame.clientId);
      else this.close(closeCodes.badFrame, reasonOf(frame.refusal));
      return;
    }
    if (frame.type === 'hello') void this.#hello(frame);
    else if (this.#session === undefined) this.close(closeCodes.outOfTurn, 'say hello first');
    else if (frame.type === 'ping') this.send('{"type":"pong"}');
    else if (frame.type === 'resume') void this.#session.resume(frame.conversation as string, frame.seq as number);
    else if (isLive(frame.type)) {
      const { type, client_id, ...params } = frame;
      this.#session.write(type as LiveName, client_id as string, params);
    }
  }

  async #hello(frame: { token?: string; resume?: Record<string, number> }): Promise<void> {
    if (this.#isSaying) {
      this.close(closeCodes.outOfTurn, 'hello was said already');
      return;
    }
    this.#isSaying = true;
    clearTimeout(this.#helloTimer);
    try {
      if (frame.token !== undefined) this.#person = await this.#options.authenticate(frame.token);
      if (this.#person === undefined) {
        this.close(closeCodes.notSignedIn, 'log in first');
        return;
      }
      if (this.#options.hub.countOf(this.#person.userId) >= socketsPerUserMax) {
        this.close(closeCodes.tooManySockets, `more than ${socketsPerUserMax} sockets of one person`);
        return;
      }
      this.#session = new LiveSession(this, this.#options, this.#person);
      await this.#session.open(frame.resume ?? {});
    } catch {
      this.close(closeCodes.cannotVouch, 'the store cannot be read just now; reconnect');
    }
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
    if (this.#person === undefined) return;
    const { node, vouchMaxMs } = this.#options;
    if (node.clock() - this.#person.createdTime > sessionMs) this.close(closeCodes.sessionEnded, 'the session has ended; log in again');
    else if (node.journal.ageMs(partitionOf(this.#person.userId, node.journal.partitions)) > vouchMaxMs) {
      this.close(closeCodes.cannotVouch, 'this server is cut off; reconnect');
    }
  }
}

/** A close reason holds 123 bytes at most (RFC 6455, 5.5). */
const reasonOf = (refusal: Refusal): string => `${refusal.field ?? 'frame'}: ${refusal.detail}`.slice(0, 120).replace(/[^ -~]/g, '?');
