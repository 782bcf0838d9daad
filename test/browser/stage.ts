import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import type { TestContext } from 'vitest';
import { Person } from '../conformance/protocol-client.ts';
import {
  killAndWait,
  raisedLimits,
  removeFolders,
  type ServerProcess,
  type ServerProcessOptions,
  startServerProcess,
  temporaryFolder,
} from '../support/server-process.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { launch, Seat, type SeatOptions } from './browser.ts';

// What a journey takes place on: a real server, a line to it that can be made bad, a browser, and people with seats in front of it. One for a file of tests;
// every seat is left after its test, which fails when something went wrong in one of its pages.

export const password = 'a long password';

export class Stage {
  #server: ServerProcess | undefined;
  #proxy: TcpProxy | undefined;
  #browser: Browser | undefined;
  #seats: Seat[] = [];

  /** The server's own address, for what is no part of the journey. */
  get serverUrl(): string {
    return this.#server!.url;
  }

  /** Where pages find the server: through the line. */
  get url(): string {
    return `http://127.0.0.1:${this.#proxy!.port}`;
  }

  get line(): TcpProxy {
    return this.#proxy!;
  }

  get browser(): Browser {
    return this.#browser!;
  }

  get adminLink(): string {
    return this.#server!.adminLink!;
  }

  /** Somebody with an account and a token, by the calls; the id begins with the name and is nobody else's. */
  person(name: string): Promise<Person> {
    return Person.make(this.serverUrl, name);
  }

  /** Somebody with exactly this id. */
  async named(id: string, displayName?: string): Promise<Person> {
    const person = new Person(this.serverUrl, id);
    const account = { user_id: id, email: `${id}@example.org`, password, ...(displayName !== undefined && { display_name: displayName }) };
    const { status, body } = await person.call('POST', '/v1/accounts', account);
    if (status !== 201) throw new Error(`register ${id}: ${JSON.stringify(body)}`);
    await person.logIn(password);
    return person;
  }

  /** Somebody who has an account, with a new session. */
  async returning(id: string): Promise<Person> {
    const person = new Person(this.serverUrl, id);
    await person.logIn(password);
    return person;
  }

  /** A seat for nobody yet. */
  async seat(options: Partial<SeatOptions> = {}): Promise<Seat> {
    const seat = await Seat.take(this.browser, { url: this.url, ...options });
    this.#seats.push(seat);
    return seat;
  }

  /** A seat for somebody whose browser has the session already. */
  async seatFor(person: Person, options: Partial<SeatOptions> = {}): Promise<Seat> {
    const seat = await this.seat(options);
    await seat.signIn(person.token);
    return seat;
  }

  async open(options: ServerProcessOptions = {}): Promise<void> {
    await this.#start({ dataDir: join(await temporaryFolder(), 'data'), ...options });
    this.#proxy = await startTcpProxy({ targetPort: Number(new URL(this.#server!.url).port) });
  }

  /** Kills the server as a power cut does and starts it again, on its folder and its port. */
  async restart({ between, flags = [], ...options }: ServerProcessOptions & { between?: () => Promise<void> } = {}): Promise<void> {
    const { dataDir, url } = this.#server!;
    await killAndWait(this.#server!);
    await between?.();
    await this.#start({ dataDir, flags: [...flags, `--port=${new URL(url).port}`], ...options });
  }

  async #start(options: ServerProcessOptions): Promise<void> {
    this.#server = await startServerProcess({ ...options, flags: [...raisedLimits, ...(options.flags ?? [])] });
  }

  async light(context: TestContext | undefined, args: readonly string[] = []): Promise<void> {
    this.#browser ??= await launch(context, args);
  }

  /** Everybody leaves; fails when something went wrong in a page. */
  async clear(): Promise<void> {
    const left = await Promise.allSettled(this.#seats.splice(0).map((seat) => seat.leave()));
    this.line.mend();
    this.line.release();
    this.line.shape({});
    const failed = left.find((one) => one.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  async close(): Promise<void> {
    await this.#browser?.close();
    await this.#proxy?.close();
    await removeFolders();
  }
}

/** Resolves when the page has painted what stands in it now. */
export const painted = (page: Page): Promise<void> => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
