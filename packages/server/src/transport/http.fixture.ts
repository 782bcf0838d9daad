import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { type Config, readConfig } from '../config.ts';
import { createLogger, type Logger } from '../logger.ts';

// A whole server on a free port and a folder of its own, for the tests of the HTTP side. Used by tests only, which bring the server: nothing
// here may know how one is put together.

/** What a test looks at of an answer. */
export interface Seen {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any call.
  body: any;
}

export interface Given {
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface TestServer {
  url: string;
  adminLink: string;
  /** Everything the server logged. */
  log(): string;
  call(method: string, path: string, given?: Given): Promise<Seen>;
  /** Makes an account, logs in and answers the token. */
  person(userId: string): Promise<string>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const password = 'correct horse';

type StartServer = (config: Config, logger: Logger) => Promise<{ url: string; adminLink: string | undefined; stop(): Promise<void> }>;

export async function startTestServerWith(startServer: StartServer, environment: Record<string, string> = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-http-'));

  let log = '';
  const destination = new Writable({
    write(chunk, _, done) {
      log += chunk;
      done();
    },
  });
  const config = readConfig({ PARLANCE_PORT: '0', PARLANCE_DATA_DIR: folder, ...environment });
  const running = await startServer(config, createLogger({ logLevel: 'trace', logJson: true }, destination)).catch(async (error) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const call = async (method: string, path: string, { token, body, headers = {} }: Given = {}): Promise<Seen> => {
    const response = await fetch(running.url + path, {
      method,
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body) }),
      redirect: 'manual',
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: parse(text) };
  };
  const stop = async (): Promise<void> => {
    await running.stop();
    await rm(folder, { recursive: true, force: true });
  };
  return {
    url: running.url,
    adminLink: running.adminLink?.slice(running.url.length) ?? '',
    log: () => log,
    call,
    person: async (userId) => {
      await call('POST', '/v1/accounts', { body: { user_id: userId, email: `${userId}@example.org`, password } });
      return (await call('POST', '/v1/sessions', { body: { user_id: userId, password } })).body.token;
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
