import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';

// A bad network between two programs of this machine: slow, thin, held up in one direction, or cut. It stands in front of one address, so what it does to
// connections is what a firewall or a long line does: bytes come late, in order and whole, or the connection breaks; none is ever lost in the middle.
//
//     client ──▶ listening port ──lane (toTarget)──▶ target
//            ◀──────────────────lane (fromTarget)──◀

export type Direction = 'toTarget' | 'fromTarget';

export interface Line {
  /** One way, for every byte. */
  latencyMs?: number;
  /** Of all connections together, each direction for itself. Without limit when left out. */
  bytesPerSecond?: number;
}

export interface TcpProxy {
  readonly port: number;
  /** Connections that are open through it. */
  readonly connections: number;
  /** From now on the line is so; what is on its way stays as it was. */
  shape(line: Line): void;
  /** Holds every byte of a direction (both when not said), as a firewall does that drops packets: connections stay, and can be made, but nothing arrives. */
  hold(direction?: Direction): void;
  /** Ends `hold`: what was held arrives. */
  release(): void;
  /** Breaks every connection, and each new one at once. */
  cut(): void;
  /** Ends `cut`. */
  mend(): void;
  /** Where new connections lead from now on: a program that came back at another port. */
  retarget(port: number): void;
  close(): Promise<void>;
}

export interface TcpProxyOptions {
  targetPort: number;
  targetHost?: string;
  /** Where to listen on loopback; a free port when left out. */
  port?: number;
}

/** More than that is not taken from a sender before some of it has left: like the windows of TCP. */
const heldBytesMax = 1024 * 1024;

export async function startTcpProxy({ targetPort, targetHost = '127.0.0.1', port = 0 }: TcpProxyOptions): Promise<TcpProxy> {
  const proxy = new ProxyServer(targetHost, targetPort);
  await proxy.listen(port);
  return proxy;
}

class ProxyServer implements TcpProxy {
  readonly #server: Server = createServer((client) => this.#accept(client));
  readonly #targetHost: string;
  #targetPort: number;
  readonly #links: Record<Direction, Link> = { toTarget: new Link(), fromTarget: new Link() };
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isCut = false;

  constructor(targetHost: string, targetPort: number) {
    this.#targetHost = targetHost;
    this.#targetPort = targetPort;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get connections(): number {
    return this.#pairs.size;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  shape(line: Line): void {
    for (const link of Object.values(this.#links)) link.shape(line);
  }

  hold(direction?: Direction): void {
    for (const [name, link] of Object.entries(this.#links)) if (direction === undefined || direction === name) link.hold();
  }

  release(): void {
    for (const link of Object.values(this.#links)) link.release();
  }

  cut(): void {
    this.#isCut = true;
    for (const pair of this.#pairs) reset(pair);
  }

  mend(): void {
    this.#isCut = false;
  }

  retarget(port: number): void {
    this.#targetPort = port;
  }

  close(): Promise<void> {
    for (const pair of this.#pairs) reset(pair);
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    if (this.#isCut) {
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const target = tcpConnect({ host: this.#targetHost, port: this.#targetPort, allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    client.allowHalfOpen = true;
    const pair = [client, target] as const;
    this.#pairs.add(pair);
    for (const socket of pair) {
      // Either side's break is the other's: nobody is left with half a connection.
      socket.on('error', () => reset(pair));
      socket.on('close', () => {
        this.#pairs.delete(pair);
        if (socket.errored !== null) reset(pair);
      });
    }
    this.#links.toTarget.carry(client, target);
    this.#links.fromTarget.carry(target, client);
  }
}

/** One direction of the line, shared by all connections. */
class Link {
  #line: Line = {};
  #isHeld = false;
  /** When the line has carried all that was given to it. */
  #freeAt = 0;
  readonly #lanes = new Set<Lane>();

  shape(line: Line): void {
    this.#line = line;
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    for (const lane of this.#lanes) lane.flush();
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** When these bytes arrive that leave now. */
  arrivalOf(bytes: number, now: number): number {
    const { latencyMs = 0, bytesPerSecond } = this.#line;
    this.#freeAt = Math.max(this.#freeAt, now) + (bytesPerSecond === undefined ? 0 : (bytes / bytesPerSecond) * 1000);
    return this.#freeAt + latencyMs;
  }

  carry(from: Socket, to: Socket): void {
    const lane = new Lane(this, from, to);
    this.#lanes.add(lane);
    to.once('close', () => this.#lanes.delete(lane));
  }
}

/** One direction of one connection: bytes that are on their way, in order. `undefined` is the sender's end. */
class Lane {
  readonly #link: Link;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #queue: { at: number; chunk: Buffer | undefined }[] = [];
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: Link, from: Socket, to: Socket) {
    this.#link = link;
    this.#from = from;
    this.#to = to;
    from.on('data', (chunk: Buffer) => this.#take(chunk));
    from.once('end', () => this.#take(undefined));
    to.on('drain', () => this.#resume());
    to.once('close', () => clearTimeout(this.#timer));
  }

  #take(chunk: Buffer | undefined): void {
    const bytes = chunk?.length ?? 0;
    this.#queue.push({ at: this.#link.arrivalOf(bytes, performance.now()), chunk });
    this.#queued += bytes;
    if (this.#queued > heldBytesMax) this.#from.pause();
    this.flush();
  }

  /** Delivers what is due, and comes back for the next. */
  flush(): void {
    clearTimeout(this.#timer);
    while (this.#queue.length > 0 && !this.#link.isHeld && !this.#to.destroyed) {
      const { at, chunk } = this.#queue[0]!;
      const wait = at - performance.now();
      if (wait > 0.5) {
        this.#timer = setTimeout(() => this.flush(), wait);
        return;
      }
      this.#queue.shift();
      if (chunk === undefined) {
        this.#to.end();
        return;
      }
      this.#queued -= chunk.length;
      this.#to.write(chunk);
    }
    this.#resume();
  }

  #resume(): void {
    if (this.#queued <= heldBytesMax && this.#to.writableLength <= heldBytesMax) this.#from.resume();
    else this.#from.pause();
  }
}

function reset(pair: readonly Socket[]): void {
  for (const socket of pair) if (!socket.destroyed) socket.resetAndDestroy();
}
