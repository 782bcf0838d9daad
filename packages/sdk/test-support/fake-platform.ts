import type { CallFrame } from '@parlance/schema/live';
import type { Environment, SocketLike } from '../src/environment.ts';
import { FakeConnection, FakeServer, problemOf } from './fake-server.ts';
import { randomOf } from './random.ts';

// A platform for the client in memory: sockets and fetch that lead to the fake server, and a clock that moves when it is told to.

export class FakePlatform {
  readonly server = new FakeServer();
  readonly sockets: FakeSocket[] = [];
  /** Every HTTP request, as `METHOD path`. */
  readonly requests: string[] = [];
  /** Whether new sockets open at all. */
  isReachable = true;
  /** Answers instead of the fake server, when it returns something. */
  intercept: (request: string) => Response | Promise<Response> | undefined = () => undefined;
  #now = 1_700_000_000_000;
  #timers: { at: number; task: () => void }[] = [];

  readonly environment: Environment;

  constructor(user = 'ada') {
    const platform = this;
    this.environment = {
      WebSocket: class extends FakeSocket {
        constructor(url: string) {
          super(url, platform, user);
        }
      },
      fetch: (url, init) => this.#fetch(new URL(url), init, user),
      now: () => this.#now,
      random: randomOf(1),
      setTimeout: (task, delayMs) => {
        const timer = { at: this.#now + delayMs, task };
        this.#timers.push(timer);
        return timer;
      },
      clearTimeout: (timer) => {
        this.#timers = this.#timers.filter((one) => one !== timer);
      },
      onWake: () => () => {},
    };
  }

  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  get timers(): number {
    return this.#timers.length;
  }

  /** Lets everything that is ready happen. */
  async settle(): Promise<void> {
    for (let round = 0; round < 50; round++) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async advance(ms: number): Promise<void> {
    await this.settle();
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers = this.#timers.filter((one) => one !== next);
      next.task();
      await this.settle();
    }
    this.#now = end;
    await this.settle();
  }

  async #fetch(url: URL, init: RequestInit, user: string): Promise<Response> {
    const request = `${init.method} ${decodeURIComponent(url.pathname)}`;
    this.requests.push(`${request}${url.search}`);
    const intercepted = await this.intercept(request);
    if (intercepted !== undefined) return intercepted;
    const [, conversation, rest] = /^GET \/v1\/conversations\/([^/]+)(\/messages)?$/.exec(request) ?? [];
    if (request === 'POST /v1/accounts') return Response.json({ user_id: user, display_name: user }, { status: 201 });
    if (request === 'POST /v1/sessions') return Response.json({ token: 'secret', user_id: user, session_id: 's', expires_time: '' }, { status: 201 });
    if (request === 'GET /v1/me') return Response.json({ user_id: user });
    if (request === 'GET /v1/conversations') {
      return Response.json({ conversations: [...this.server.events.keys()].map((id) => this.server.summary(id, user)), next_cursor: null });
    }
    if (request === 'DELETE /v1/sessions/current') return new Response(null, { status: 204 });
    if (conversation !== undefined && rest === undefined) return Response.json(this.server.summary(conversation, user));
    if (conversation !== undefined) {
      const before = url.searchParams.get('before');
      return Response.json(this.server.page(conversation, before === null ? undefined : Number(before), Number(url.searchParams.get('limit') ?? 50)));
    }
    return Response.json(problemOf('not_found', 404, false), { status: 404 });
  }
}

class FakeSocket implements SocketLike {
  readyState = 0;
  onopen: ((event: never) => void) | null = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror: ((event: never) => void) | null = null;
  readonly url: string;
  /** What the client sent on it. */
  readonly sent: { type: string }[] = [];
  /** While true, nothing the client sends arrives. */
  isDeaf = false;
  #connection: FakeConnection | undefined;

  constructor(url: string, platform: FakePlatform, user: string) {
    this.url = url;
    platform.sockets.push(this);
    queueMicrotask(() => {
      if (!platform.isReachable) return this.drop(1006);
      this.readyState = 1;
      this.#connection = new FakeConnection(platform.server, user, (frame) => {
        const data = JSON.stringify(frame);
        queueMicrotask(() => this.readyState === 1 && this.onmessage?.({ data } as never));
      });
      this.onopen?.({} as never);
    });
  }

  send(data: string): void {
    const frame = JSON.parse(data) as CallFrame;
    this.sent.push(frame);
    if (!this.isDeaf) queueMicrotask(() => this.#connection?.receive(frame));
  }

  close(): void {
    this.drop(1000);
  }

  /** The connection ends, from the other side. */
  drop(code = 1006): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.#connection?.close();
    queueMicrotask(() => this.onclose?.({ code } as never));
  }
}
