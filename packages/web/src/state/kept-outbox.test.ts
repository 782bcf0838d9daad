import type { outbox } from '@parlance/sdk';
import { expect, it } from 'vitest';
import { merge } from './kept-outbox.ts';

const write = (clientId: string): outbox.Write => ({
  clientId,
  queue: 'd:ann:bob',
  frame: { type: 'send_message', conversation: 'd:ann:bob', text: clientId, client_id: clientId },
  attempts: 0,
  sentAt: null,
  dueAt: 0,
  isUncertain: false,
});
const state = (queues: Record<string, string[]>): outbox.State => ({
  isOnline: false,
  queues: Object.fromEntries(Object.entries(queues).map(([queue, ids]) => [queue, ids.map(write)])),
});
const idsOf = ({ queues }: outbox.State) =>
  Object.fromEntries(Object.entries(queues).map(([queue, writes]) => [queue, writes.map(({ clientId }) => clientId)]));

it('puts the outboxes of two tabs together, each in its order, and nothing twice', () => {
  const merged = merge(state({ one: ['a', 'b'], two: ['c'] }), state({ one: ['b', 'd'], three: ['e'], two: ['c'] }));
  expect(idsOf(merged)).toEqual({ one: ['a', 'b', 'd'], two: ['c'], three: ['e'] });
});
