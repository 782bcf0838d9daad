import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { TestContext } from 'vitest';
import { notRun } from '../support/server-process.ts';

// A browser as people have it, and people in front of it. Each has a profile of their own; whatever goes wrong in their page is kept, and fails the test that
// does not say that it expects it: an error on the console, an uncaught one, a report of the Content-Security-Policy, a dialog, a request to somewhere else.

/** What browsers are called; Debian's first. */
const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];

/** Where a browser is; undefined when there is none. */
export function chromiumPath(): string | undefined {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

const chromiumMissing = 'there is no Chromium on the PATH: sudo apt-get install chromium';

/** Starts the browser. The test is skipped, and says so, where there is none. */
export async function launch(context?: TestContext, args: readonly string[] = []): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) {
    if (context !== undefined) notRun(context, chromiumMissing);
    throw new Error(chromiumMissing);
  }
  // Without the sandbox, since tests also run as root and in containers; the pages are our own. `gc` lets a test measure the heap.
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--js-flags=--expose-gc', ...args] });
}

export interface SeatOptions extends BrowserContextOptions {
  /** Where the server is; the only place that the page may ask for anything. */
  url: string;
}

/** Somebody's profile, and the one page they look at. */
export class Seat {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly url: string;
  readonly #wrong: string[] = [];
  readonly #expected: RegExp[] = [];

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.context = context;
    this.page = page;
    this.url = url;
  }

  static async take(browser: Browser, { url, ...options }: SeatOptions): Promise<Seat> {
    const context = await browser.newContext({
      baseURL: url,
      locale: 'en-GB',
      timezoneId: 'Europe/Berlin',
      viewport: { width: 1280, height: 800 },
      ...options,
    });
    context.setDefaultTimeout(15_000);
    const seat = new Seat(context, await context.newPage(), url);
    await seat.#watch();
    return seat;
  }

  /** From now on the browser has this session. */
  async signIn(token: string): Promise<void> {
    const { hostname } = new URL(this.url);
    await this.context.addCookies([{ name: 'parlance', value: token, domain: hostname, path: '/', httpOnly: true, sameSite: 'Lax' }]);
  }

  /** Another tab of the same profile, watched like the first. */
  async tab(): Promise<Page> {
    return this.context.newPage();
  }

  /** From now on this may go wrong: what a browser says, whatever the page does, when the network or the server refuses something. */
  expectWrong(...patterns: readonly RegExp[]): void {
    this.#expected.push(...patterns);
  }

  /** What went wrong and nobody expected. */
  get wrong(): string[] {
    return this.#wrong.filter((one) => !this.#expected.some((pattern) => pattern.test(one)));
  }

  async #watch(): Promise<void> {
    const { context } = this;
    context.on('console', (message) => {
      if (message.type() !== 'error' && message.type() !== 'warning') return;
      this.#wrong.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
    });
    context.on('weberror', (error) => this.#wrong.push(`uncaught: ${error.error().stack ?? error.error()}`));
    context.on('dialog', (dialog) => {
      this.#wrong.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    context.on('request', (request) => {
      const { protocol, host } = new URL(request.url());
      if (protocol !== 'data:' && protocol !== 'blob:' && host !== new URL(this.url).host) this.#wrong.push(`request to elsewhere: ${request.url()}`);
    });
    await context.exposeBinding('parlanceTestReport', (_, report: string) => void this.#wrong.push(`policy: ${report}`));
    await context.addInitScript(() => {
      const { parlanceTestReport } = window as unknown as { parlanceTestReport(report: string): void };
      addEventListener('securitypolicyviolation', (event) =>
        parlanceTestReport(`${event.effectiveDirective} ${event.blockedURI} ${event.sample} ${event.sourceFile}`),
      );
    });
  }

  /** Ends it; fails when something went wrong. */
  async leave(): Promise<void> {
    await this.context.close();
    if (this.wrong.length > 0) throw new Error(`In the page went wrong:\n${this.wrong.slice(0, 20).join('\n')}`);
  }
}

/** What browsers say by themselves when the network is gone. */
export const networkTrouble = [/ERR_(INTERNET_DISCONNECTED|CONNECTION_|EMPTY_RESPONSE|NETWORK_CHANGED|SOCKET)/, /WebSocket connection to .* failed/];

/** What browsers say by themselves when the server refuses with this status. */
export const refusedWith = (status: number): RegExp => new RegExp(`Failed to load resource: the server responded with a status of ${status}`);
