import type { Answer, CallName, Input } from '@parlance/schema/calls';
import type { ProblemDetails } from '@parlance/schema/types';
import type { Environment } from './environment.ts';
import { localProblem, ParlanceError } from './problem.ts';
import { repeatable, routes, streamed } from './routes.ts';

// Every call of the server over HTTP, typed from the schema. What may safely be repeated is, a bounded number of times.

export interface RestOptions {
  /** Where the server is, such as `https://chat.example`, without a trailing slash. */
  url: string;
  environment: Environment;
  /** null: the browser's cookie. */
  token: string | null;
  /** An attempt without an answer is given up after so long, ms. Not for streamed calls. */
  requestTimeoutMs: number;
  attemptsMax: number;
  /** The n-th retry waits between half and all of base · 2ⁿ. */
  retryBaseMs: number;
  /** Being asked to wait longer than this ends the retries: the caller is told instead, ms. */
  retryAfterMaxMs: number;
}

export const defaults: Omit<RestOptions, 'url' | 'environment' | 'token'> = {
  requestTimeoutMs: 30_000,
  attemptsMax: 4,
  retryBaseMs: 250,
  retryAfterMaxMs: 30_000,
};

export interface CallOptions {
  signal?: AbortSignal;
  /** Of a streamed call: every line before the answer. */
  onProgress?: (line: unknown) => void;
}

export class Rest {
  readonly #options: RestOptions;

  constructor(options: RestOptions) {
    this.#options = options;
  }

  /**
   * Makes one call and resolves with its answer. Throws ParlanceError for a refusal, and for no answer (code `no_answer`, `isUncertain`
   * when it may have taken effect). Reads, and writes that carry a client_id, are retried after a 5xx or a lost connection; every call after a 429.
   */
  async call<N extends CallName>(name: N, input: Input<N>, options: CallOptions = {}): Promise<Answer<N>> {
    const { attemptsMax, retryBaseMs, retryAfterMaxMs, environment } = this.#options;
    const isRepeatable = routes[name][0] === 'GET' || repeatable.has(name) || 'client_id' in input;
    let isUncertain = false;
    for (let attempt = 1; ; attempt++) {
      const result = await this.#attempt(name, input as Record<string, unknown>, options);
      if ('answer' in result) return result.answer as Answer<N>;
      const { problem, cause } = result;
      isUncertain ||= problem.status === 0 || problem.code === 'unavailable' || problem.code === 'internal';
      const askedMs = (problem.retry_after ?? 0) * 1000;
      const canRetry = problem.status === 429 || (isRepeatable && (problem.status === 0 || problem.status >= 500));
      if (options.signal?.aborted || !canRetry || attempt >= attemptsMax || askedMs > retryAfterMaxMs) {
        throw new ParlanceError(problem, { isUncertain: isUncertain && !problem.decided && routes[name][0] !== 'GET', cause });
      }
      const delayMs = Math.max(askedMs, retryBaseMs * 2 ** (attempt - 1) * (0.5 + environment.random() / 2));
      await this.#pause(delayMs, options.signal);
    }
  }

  async #attempt(
    name: CallName,
    input: Record<string, unknown>,
    options: CallOptions,
  ): Promise<{ answer: unknown } | { problem: ProblemDetails; cause?: unknown }> {
    const { environment, token, requestTimeoutMs } = this.#options;
    const { url, init } = this.#request(name, input);
    const abort = new AbortController();
    const forward = (): void => abort.abort(options.signal?.reason);
    if (options.signal?.aborted) forward();
    options.signal?.addEventListener('abort', forward);
    const timer = streamed.has(name) ? undefined : environment.setTimeout(() => abort.abort(), requestTimeoutMs);
    try {
      const headers = { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...init.headers };
      const response = await environment.fetch(url, { ...init, headers, signal: abort.signal, credentials: token === null ? 'include' : 'omit' });
      if (!response.ok) return { problem: await problemOf(response) };
      if (response.status === 204) return { answer: null };
      if (!streamed.has(name)) return { answer: await response.json() };
      const answer = await lastLine(response, options.onProgress);
      return isProblem(answer) ? { problem: answer } : { answer };
    } catch (cause) {
      return { problem: localProblem('no_answer', 'The server did not answer.', 'The connection failed or took too long.'), cause };
    } finally {
      options.signal?.removeEventListener('abort', forward);
      if (timer !== undefined) environment.clearTimeout(timer);
    }
  }

  #request(name: CallName, input: Record<string, unknown>): { url: string; init: { method: string; headers?: Record<string, string>; body?: string } } {
    const [method, template] = routes[name];
    const fields = { ...input };
    const path = template.replace(/\{(\w+)\}/g, (_, field: string) => {
      const value = String(fields[field]);
      delete fields[field];
      return encodeURIComponent(value);
    });
    const url = this.#options.url + path;
    if (method === 'GET' || method === 'DELETE') {
      const query = new URLSearchParams();
      for (const [field, value] of Object.entries(fields)) if (value !== undefined) query.set(field, String(value));
      return { url: query.size === 0 ? url : `${url}?${query}`, init: { method } };
    }
    return { url, init: { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) } };
  }

  #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    const { environment } = this.#options;
    return new Promise((resolve) => {
      const end = (): void => {
        environment.clearTimeout(timer);
        signal?.removeEventListener('abort', end);
        resolve();
      };
      const timer = environment.setTimeout(end, delayMs);
      signal?.addEventListener('abort', end);
    });
  }
}

const isProblem = (value: unknown): value is ProblemDetails => typeof value === 'object' && value !== null && 'code' in value && 'status' in value;

/** The problem of an answer; one made up from its status when something between us and the server answered in its place. */
async function problemOf(response: Response): Promise<ProblemDetails> {
  const body: unknown = await response.json().catch(() => undefined);
  const problem = isProblem(body) ? body : localProblem('bad_answer', 'This is not an answer of Parlance.', `HTTP status ${response.status}.`);
  const header = Number(response.headers.get('retry-after') ?? Number.NaN);
  return { ...problem, status: response.status, ...(problem.retry_after === undefined && header >= 0 ? { retry_after: header } : {}) };
}

async function lastLine(response: Response, onProgress: ((line: unknown) => void) | undefined): Promise<unknown> {
  let rest = '';
  let last: unknown;
  const take = (line: string): void => {
    if (line.trim() === '') return;
    if (last !== undefined) onProgress?.(last);
    last = JSON.parse(line);
  };
  const reader = response.body!.pipeThrough(new TextDecoderStream() as unknown as TransformStream<Uint8Array, string>).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    const lines = (rest + read.value).split('\n');
    rest = lines.pop()!;
    for (const line of lines) take(line);
  }
  take(rest);
  return last;
}
