import type { Parlance } from '@parlance/sdk';
import { session } from './session.ts';
import { effect, signal } from './signal.ts';

// How people are called: messages carry user ids only. Asked for when a name is first wanted, a few at a time, and kept while the page lives.

export const names = signal<ReadonlyMap<string, string>>(new Map());

const wanted = new Set<string>();
const asked = new Set<string>();
const inFlightMax = 4;
let inFlight = 0;

/** What is known from a list that was read for something else. */
export function learn(people: Iterable<{ user: string; display_name: string }>): void {
  const news = [...people].filter(({ user, display_name }) => names.peek().get(user) !== display_name);
  if (news.length === 0) return;
  names.value = new Map([...names.peek(), ...news.map(({ user, display_name }) => [user, display_name] as const)]);
}

/** The name of a user; the id until it is known. Reads the signal: a view or computation that calls it is done again when the name comes. */
export function nameOf(user: string): string {
  const known = names.value.get(user);
  if (known === undefined && !asked.has(user)) {
    asked.add(user);
    wanted.add(user);
    queueMicrotask(ask);
  }
  return known ?? user;
}

function ask(): void {
  const now = session.peek();
  if (now.phase !== 'signedIn') return;
  for (const user of wanted) {
    if (inFlight >= inFlightMax) return;
    wanted.delete(user);
    inFlight++;
    void fetchName(now.client, user).finally(() => {
      inFlight--;
      ask();
    });
  }
}

async function fetchName({ rest }: Parlance, user: string): Promise<void> {
  try {
    const account = await rest.call('get_user', { user });
    learn([{ user, display_name: account.display_name }]);
  } catch {
    // Shown by the id; asked for again when the page is next loaded.
  }
}

/** Forgets everything when somebody else signs in. */
export function startNames(): void {
  effect(() => {
    if (session.value.phase === 'signedIn') return;
    asked.clear();
    wanted.clear();
    names.value = new Map();
  });
}
