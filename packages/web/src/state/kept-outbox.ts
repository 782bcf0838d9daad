import type { outbox } from '@parlance/sdk';

// What waits to be sent outlives the page: each tab keeps its own outbox under its own key, and holds a lock of that name while it lives. A tab that starts takes
// over the outboxes whose locks are free, which are those of tabs that ended; one that is closed later is taken over then. So every write is sent by one tab.
//
//   tab A (alive)   parlance.outbox.ann.A   locked by A          left alone
//   tab B (closed)  parlance.outbox.ann.B   nobody's lock        read, removed, and now kept under the key of the tab that took it
//
// Should two tabs ever send the same write, it carries the same client_id, and the server decides that once.

const prefixOf = (user: string): string => `parlance.outbox.${user}.`;

type State = outbox.State;
type Write = outbox.Write;

export interface KeptOutbox {
  /** What was waiting when the tabs before ended. */
  readonly waiting: State;
  /** Keeps this instead of what was kept before. */
  keep(state: State): void;
  /** Forgets everything that waits, of all tabs that ended and of this one. */
  forget(): void;
}

/** Takes a lock and never gives it back; answers whether it could be had. Without locks (a page that came over plain http) every outbox is free. */
async function lockForEver(name: string): Promise<boolean> {
  if (navigator.locks === undefined) return true;
  return new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      resolve(lock !== null);
      return lock === null ? undefined : new Promise<void>(() => {});
    });
  });
}

/** `adoptLater` is handed what a tab left that ends while this one lives. */
export async function openOutbox(user: string, adoptLater: (writes: readonly Write[]) => void): Promise<KeptOutbox> {
  const prefix = prefixOf(user);
  const own = prefix + [...crypto.getRandomValues(new Uint32Array(2))].map((one) => one.toString(36)).join('');
  await lockForEver(own);
  let waiting: State = { isOnline: false, queues: {} };
  for (const key of keysOf(prefix)) {
    if (await lockForEver(key)) {
      waiting = merge(waiting, take(key));
      save(own, waiting);
    } else {
      void navigator.locks?.request(key, () => adoptLater(Object.values(take(key).queues).flat()));
    }
  }
  return {
    waiting,
    keep: (state) => save(own, state),
    forget: () => remove(own),
  };
}

/** Both, those of `first` first; what is in both stands once. */
export function merge(first: State, second: State): State {
  const queues: Record<string, readonly Write[]> = { ...first.queues };
  const seen = new Set(Object.values(queues).flatMap((writes) => writes.map(({ clientId }) => clientId)));
  for (const [queue, writes] of Object.entries(second.queues)) {
    const more = writes.filter(({ clientId }) => !seen.has(clientId));
    if (more.length > 0) queues[queue] = [...(queues[queue] ?? []), ...more];
  }
  return { isOnline: false, queues };
}

function keysOf(prefix: string): string[] {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  } catch {
    return [];
  }
}

/** Reads an outbox and removes it. One that makes no sense is empty. */
function take(key: string): State {
  const empty: State = { isOnline: false, queues: {} };
  try {
    const text = localStorage.getItem(key);
    localStorage.removeItem(key);
    const state = JSON.parse(text ?? 'null') as State | null;
    return state !== null && typeof state.queues === 'object' ? state : empty;
  } catch {
    return empty;
  }
}

function save(key: string, state: State): void {
  try {
    if (Object.keys(state.queues).length === 0) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(state));
  } catch {
    // Full, or forbidden: it waits in memory only.
  }
}

function remove(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // As above.
  }
}
