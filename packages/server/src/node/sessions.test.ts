import { sessionDays } from '@parlance/schema/limits';
import { expect, it } from 'vitest';
import type { Journal } from '../journal/port.ts';
import type { Store } from '../store/port.ts';
import { Node } from './node.ts';
import { Sessions } from './sessions.ts';

const dayMs = 86_400_000;
const begun = 1_750_000_000_000;

/** A node on which one session began at `begun`; its clock says `now`. */
function sessionsAt(now: number, { clockAheadMs, ended = false }: { clockAheadMs: number | undefined; ended?: boolean }): Sessions {
  const journal = { partitions: 1, ageMs: () => 0, clockAheadMs: () => clockAheadMs };
  const row = { table: 'session', tokenHash: '', userId: 'ann', sessionId: 's1', createdTime: begun, userAgent: null, ended };
  const store = { rows: async () => [row] };
  return new Sessions(
    new Node(journal as unknown as Journal, store as unknown as Store, { nodeId: 'n', commandTimeoutMs: 1, commandsMax: 1, clock: () => now }),
  );
}

it.each([
  ['lasts its days', begun + sessionDays * dayMs - 1, { clockAheadMs: 0 }, true],
  ['is over after them', begun + sessionDays * dayMs, { clockAheadMs: 0 }, false],
  ['is over when it was ended', begun + 1, { clockAheadMs: 0, ended: true }, false],
  ['is not over because a machine’s clock is a year ahead', begun + 366 * dayMs, { clockAheadMs: 365 * dayMs }, true],
  ['is over even where a machine’s clock is a year behind', begun + (sessionDays - 365) * dayMs, { clockAheadMs: -365 * dayMs }, false],
  ['is not judged by a clock of which nothing is known yet', begun + 366 * dayMs, { clockAheadMs: undefined }, true],
])('a session %s', async (_, now, how, isGood) => {
  const sessions = sessionsAt(now, how);
  // Read, and then remembered.
  for (let time = 0; time < 2; time++) expect((await sessions.authenticate('token'))?.userId).toBe(isGood ? 'ann' : undefined);
});
