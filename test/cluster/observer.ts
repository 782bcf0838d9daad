import { setTimeout as pause } from 'node:timers/promises';
import type { Change } from '@parlance/schema/types';
import { LiveClient, type Person } from '../conformance/protocol-client.ts';
import { through } from '../crash/crowd.ts';
import type { Observed, Told } from '../crash/history.ts';

// Somebody who only looks: a live socket through one door, opened again whenever it breaks, resuming each conversation from the newest event that came. What came is
// written down as it came; whether it was right is for the checker to say.

const retryMs = 100;
/** A socket that does not answer the hello, or a ping, for so long is given up, as any client would do. */
const silenceMs = 5000;

export class Observer {
  readonly observed: Observed;
  readonly #person: Person;
  /** Newest seq of each conversation. */
  readonly #cursors = new Map<string, number>();
  #isStopped = false;
  #client: LiveClient | undefined;
  #running: Promise<void> = Promise.resolve();
  /** Sockets that were caught up, since the start: when the last one was, ms of this process. */
  #caughtUp = { count: 0, atMs: 0 };

  private constructor(person: Person, name: string) {
    this.#person = person;
    this.observed = { by: person.id, through: name, told: [] };
  }

  /** Begins to look; nothing is awaited. */
  static begin(person: Person, { name, url }: { name: string; url: string }): Observer {
    const observer = new Observer(through(person, url), name);
    observer.#running = observer.#run();
    return observer;
  }

  /** How often it was brought up to date, and when last. */
  get caughtUp(): Readonly<{ count: number; atMs: number }> {
    return this.#caughtUp;
  }

  get isLive(): boolean {
    return this.#client !== undefined && this.#client.closed === undefined;
  }

  cursor(conversation: string): number {
    return this.#cursors.get(conversation) ?? 0;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#client?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      await this.#look().catch(() => undefined);
      this.#client?.close();
      this.#client = undefined;
      if (!this.#isStopped) await pause(retryMs);
    }
  }

  /** One socket, from its beginning to its end. */
  async #look(): Promise<void> {
    const connecting = LiveClient.connect(this.#person.url);
    const client = await Promise.race([connecting, pause(silenceMs, undefined, { ref: false })]);
    if (client === undefined || this.#isStopped) {
      void connecting.then(
        (late) => late.close(),
        () => undefined,
      );
      return;
    }
    this.#client = client;
    let heardAt = performance.now();
    const watching = setInterval(() => {
      const silentMs = performance.now() - heardAt;
      if (silentMs > silenceMs) client.close();
      else if (silentMs > silenceMs / 2) client.say({ type: 'ping' });
    }, 1000);
    client.socket.on('message', (data) => {
      heardAt = performance.now();
      client.frames.length = 0; // Written down below; there is a lot of it.
      if (this.#client === client) this.#take(JSON.parse(String(data)) as Frame, heardAt);
    });
    try {
      client.say({ type: 'hello', token: this.#person.token, resume: Object.fromEntries(this.#cursors) });
      await client.untilClosed();
    } finally {
      clearInterval(watching);
    }
  }

  #take(frame: Frame, atMs: number): void {
    if (frame.type === 'caught_up') this.#caughtUp = { count: this.#caughtUp.count + 1, atMs };
    if (frame.type !== 'event' && frame.type !== 'head') return;
    const { conversation, seq } = frame;
    const told: Told = { conversation, seq, atMs };
    if (frame.type === 'event') told.change = changeOf(frame);
    this.observed.told.push(told);
    this.#cursors.set(conversation, Math.max(seq, this.cursor(conversation)));
  }
}

type Frame = { type: 'event' | 'head' | 'caught_up'; client_id?: string } & Change;

/** The frame as `GET …/changes` would give it. */
function changeOf({ type: _, client_id: __, ...change }: Frame): Change {
  return change;
}
