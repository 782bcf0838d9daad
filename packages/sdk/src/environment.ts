// What the SDK needs of the platform, in one object, so that tests and the simulation can hand in their own.

/** The part of the standard WebSocket that is used. */
export interface SocketLike {
  readonly readyState: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number): void;
}

export interface Environment {
  /** The standard WebSocket constructor, or one like it. */
  WebSocket: new (
    url: string,
  ) => SocketLike;
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Milliseconds since 1970. */
  now(): number;
  /** In [0, 1). */
  random(): number;
  setTimeout(task: () => void, delayMs: number): unknown;
  clearTimeout(timer: unknown): void;
  /** Calls `listener` whenever the network may be back. Returns how to end that. */
  onWake(listener: () => void): () => void;
}

/** The browser's or Node's own. */
export const platform = (): Environment => ({
  WebSocket: globalThis.WebSocket as unknown as Environment['WebSocket'],
  fetch: (url, init) => globalThis.fetch(url, init),
  now: () => Date.now(),
  // client_ids are made of it: Math.random has too little state to keep those of many clients apart.
  random: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
  setTimeout: (task, delayMs) => globalThis.setTimeout(task, delayMs),
  clearTimeout: (timer) => globalThis.clearTimeout(timer as number),
  onWake(listener) {
    globalThis.addEventListener?.('online', listener);
    return () => globalThis.removeEventListener?.('online', listener);
  },
});
