import { expect, it } from 'vitest';
import type { Node } from './node.ts';
import { Vitals } from './vitals.ts';

const vitalsOf = (journal: { ageMs?: number; clockAheadMs?: number | undefined }) =>
  new Vitals({ journal: { partitions: 2, ageMs: () => journal.ageMs ?? 0, clockAheadMs: () => journal.clockAheadMs } } as unknown as Node, 100, () => 0);

it.each([
  ['is ready while all is well', { clockAheadMs: 0 }, undefined],
  ['is ready while its clock is a little off', { clockAheadMs: -10_000 }, undefined],
  ['is not before it knows how its clock goes', {}, 'not heard of the other nodes yet'],
  ['is not while the journal is silent', { ageMs: 5001 }, 'not following partition 0'],
  ['is not with a clock that is ahead', { clockAheadMs: 10_600 }, 'the clock of this machine is 11 s ahead of those of the other nodes: set it right'],
  ['is not with a clock that is behind', { clockAheadMs: -60_000 }, 'the clock of this machine is 60 s behind those of the other nodes: set it right'],
])('a node %s', (_, journal, reason) => {
  expect(vitalsOf(journal).notReady()).toBe(reason);
});
