import { MessageChannel } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { EmbeddedJournal } from '../../packages/server/src/journal/embedded.ts';
import type { EventRecord } from '../../packages/server/src/journal/record.ts';
import { serveThread, ThreadJournal } from '../../packages/server/src/journal/thread.ts';
import { origin, type PositionRow } from '../../packages/server/src/store/port.ts';
import { journalConformance } from './journal.ts';

journalConformance('embedded', async () => {
  const row: PositionRow = { ...origin };
  const journal = new EmbeddedJournal(
    async () => ({ ...row }),
    () => undefined,
  );
  return { node: journal, decider: journal, row, destroy: () => journal.close() };
});

journalConformance('embedded, across two threads', async () => {
  const row: PositionRow = { ...origin };
  const { port1, port2 } = new MessageChannel();
  const decider = new EmbeddedJournal(
    async () => ({ ...row }),
    () => undefined,
  );
  const node = new ThreadJournal(port1, () => undefined);
  serveThread(port2, { journal: decider, mark: async () => undefined, close: async () => undefined });
  return {
    node,
    decider,
    row,
    destroy: async () => {
      await node.close();
      port1.close();
    },
  };
});

it('an embedded follower gets a decided record only with the applied record that covers it, and never one that was dropped', async () => {
  const row: PositionRow = { ...origin };
  const journal = new EmbeddedJournal(
    async () => ({ ...row }),
    () => undefined,
  );
  const seen: EventRecord[] = [];
  let lost = 0;
  await journal.follow({
    start: async () => row.position + 1,
    record: (_p, _position, record) => seen.push(record),
    lost: () => lost++,
    signal: () => undefined,
  });
  let runs = 0;
  await new Promise<void>((resolve) =>
    journal.decide(async (log, signal) => {
      runs += 1;
      await log.append({ type: 'decided', id: `run${runs}`, follows: '', upto: 0, outcomes: [] });
      expect(seen).toEqual([]);
      if (runs === 1) throw new Error('the commit failed');
      await log.append({ type: 'applied', upto: 0 });
      resolve();
      await new Promise<void>((end) => signal.addEventListener('abort', () => end()));
    }),
  );
  expect(lost).toBe(1);
  expect(seen.map((record) => (record.type === 'decided' ? record.id : record.type))).toEqual(['run2', 'applied']);
  await journal.close();
});

it('a node whose writer’s thread failed to decide is told that records may be missing', async () => {
  const { port1, port2 } = new MessageChannel();
  const decider = new EmbeddedJournal(
    async () => ({ ...origin }),
    () => undefined,
  );
  const node = new ThreadJournal(port1, () => undefined);
  serveThread(port2, { journal: decider, mark: async () => undefined, close: async () => undefined });
  await new Promise<void>((resolve) => {
    void node.follow({ start: async () => 0, record: () => undefined, lost: () => resolve(), signal: () => undefined }).then(() =>
      decider.decide(async () => {
        throw new Error('the disk did not take it');
      }),
    );
  });
  await node.close();
  port1.close();
});
