import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Command } from '../../packages/server/src/journal/command.ts';
import { type Journal, type PartitionLog, PositionGone, partitionOf, type Signal } from '../../packages/server/src/journal/port.ts';
import type { DecidedRecord, EventRecord } from '../../packages/server/src/journal/record.ts';
import type { PositionRow } from '../../packages/server/src/store/port.ts';

// The promises of the Journal port (packages/server/src/journal/port.ts), as tests that any engine must pass.

export interface JournalUnderTest {
  /** A node's end: submits and follows. */
  node: Journal;
  /** The end that decides; the same object where one process does both. */
  decider: Journal;
  /** The store's position row, as the journal and its followers are to find it: what `applied` last said. */
  row: PositionRow;
  destroy(): Promise<void>;
}

const command = (name: string, key = 'k'): Command => ({ nonce: name, key, kind: 'set_display_name', userId: key, displayName: name });
const decided = (id: string, follows: string, upto: number): DecidedRecord => ({ type: 'decided', id, follows, upto, outcomes: [] });

export function journalConformance(name: string, open: () => Promise<JournalUnderTest>): void {
  describe(`the journal (${name})`, () => {
    let it_: JournalUnderTest;
    let seen: { partition: number; position: number; record: EventRecord }[];
    let signals: Signal[];
    let wake: () => void = () => undefined;

    /** Waits until the condition holds, looking after each thing that happens. */
    const until = async (condition: () => boolean): Promise<void> => {
      while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
    };
    const follower = {
      start: async () => it_.row.position + 1,
      record: (partition: number, position: number, record: EventRecord) => {
        seen.push({ partition, position, record });
        wake();
      },
      lost: () => wake(),
      signal: (signal: Signal) => {
        signals.push(signal);
        wake();
      },
    };
    /** Starts deciding and resolves with the log of the partition of the key `k`; the handler runs until aborted. */
    const decide = () =>
      new Promise<{ log: PartitionLog; signal: AbortSignal }>((resolve) => {
        const mine = partitionOf('k', it_.decider.partitions);
        it_.decider.decide(async (log, signal) => {
          if (log.partition === mine) resolve({ log, signal });
          await new Promise<void>((end) => (signal.aborted ? end() : signal.addEventListener('abort', () => end())));
        });
      });
    /** As the sequencer does: the row moves, then the record says so. */
    const applied = async (log: PartitionLog, upto: number, row: Partial<PositionRow>): Promise<void> => {
      Object.assign(it_.row, { position: upto, generation: log.generation, ...row });
      await log.append({ type: 'applied', upto });
    };

    beforeEach(async () => {
      it_ = await open();
      seen = [];
      signals = [];
    });
    afterEach(() => it_.destroy());

    it('gives commands of one key in the order of their calls, at positions that rise', async () => {
      const { log } = await decide();
      const first = it_.row.lastCommand + 1;
      await it_.node.follow(follower);
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => it_.node.submit(command(name))));
      const got: { position: number; command: Command }[] = [];
      while (got.length < 4) got.push(...(await log.commands((got.at(-1)?.position ?? first - 1) + 1, 3)));
      expect(got.map((entry) => entry.command.nonce)).toEqual(['a', 'b', 'c', 'd']);
      expect(got.every((entry, index) => index === 0 || entry.position > got[index - 1]!.position)).toBe(true);
    });

    it('gives at most as many commands as asked for, and the same ones again when asked again', async () => {
      const { log } = await decide();
      await it_.node.follow(follower);
      for (const name of ['a', 'b', 'c']) await it_.node.submit(command(name));
      const first = it_.row.lastCommand + 1;
      const all: string[] = [];
      for (let from = first; all.length < 3; ) {
        const got = await log.commands(from, 1);
        expect(got).toHaveLength(1);
        expect((await log.commands(from, 1))[0]).toEqual(got[0]);
        all.push(got[0]!.command.nonce);
        from = got[0]!.position + 1;
      }
      expect(all).toEqual(['a', 'b', 'c']);
    });

    it('keeps what a command holds, to the letter', async () => {
      const { log } = await decide();
      await it_.node.follow(follower);
      const sent: Command = {
        nonce: 'n',
        key: 'k',
        kind: 'send',
        conversation: 'd:a:b',
        author: 'a',
        clientId: '"\\',
        decisionKey: 'ff',
        fingerprint: '00',
        text: 'ünï \u0001\u2028 🎈 "quoted" \\ \n',
      };
      await it_.node.submit(sent);
      expect((await log.commands(it_.row.lastCommand + 1, 10))[0]?.command).toEqual(sent);
    });

    it('gives every reader the same records at the same positions, applied ones too', async () => {
      const { log } = await decide();
      await it_.node.follow(follower);
      const start = await log.eventsEnd();
      await log.append(decided('aa', '', 0));
      const mine = await log.events(start);
      await applied(log, mine[0]!.position, { lastId: 'aa', lastCommand: 0 });
      await until(() => seen.length === 2);
      expect(seen.map(({ position, record }) => ({ position, record }))).toEqual([
        mine[0],
        { position: expect.any(Number), record: { type: 'applied', upto: mine[0]!.position } },
      ]);
      expect(seen[1]!.position).toBeGreaterThan(seen[0]!.position);
      expect(await log.eventsEnd()).toBe(seen[1]!.position + 1);
    });

    it('lets a reader wait for records that do not exist yet', async () => {
      const { log } = await decide();
      const waiting = log.events(await log.eventsEnd());
      await log.append(decided('aa', '', 0));
      expect((await waiting)[0]?.record).toEqual(decided('aa', '', 0));
    });

    it('starts a follower where it says, after what the store has', async () => {
      const { log } = await decide();
      const start = await log.eventsEnd();
      await log.append(decided('aa', '', 0));
      await applied(log, start, { lastId: 'aa', lastCommand: 0 });
      await it_.node.follow(follower);
      const next = await log.eventsEnd();
      await log.append(decided('bb', 'aa', 1));
      await applied(log, next, { lastId: 'bb', lastCommand: 1 });
      await until(() => seen.some(({ record }) => record.type === 'decided' && record.id === 'bb'));
      expect(seen.some(({ record }) => record.type === 'decided' && record.id === 'aa')).toBe(false);
    });

    it('says that a position is gone rather than jump to another', async () => {
      const { log } = await decide();
      Object.assign(it_.row, { position: 0 });
      await expect(log.events(-5)).rejects.toBeInstanceOf(PositionGone);
    });

    it('starts deciding again after a failure', async () => {
      await it_.node.follow(follower);
      let runs = 0;
      it_.decider.decide(async (_log, signal) => {
        runs += 1;
        wake();
        if (runs === 1) throw new Error('the disk did not take it');
        await new Promise<void>((end) => (signal.aborted ? end() : signal.addEventListener('abort', () => end())));
      });
      await until(() => runs > 1);
    });

    it('ends the wait for commands when it closes, and waits for the handler to finish', async () => {
      let ended = '';
      const began = new Promise<void>((resolve) => {
        it_.decider.decide(async (log) => {
          resolve();
          try {
            await log.commands(it_.row.lastCommand + 1, 1);
          } catch (error) {
            ended = (error as Error).name;
            await log.append(decided('last', '', 0)); // What was begun can still be finished.
          }
        });
      });
      await began;
      await it_.decider.close();
      expect(ended).toBe('AbortError');
    });

    it('carries signals to the followers', async () => {
      await it_.node.follow(follower);
      const signal: Signal = { kind: 'read', userId: 'ada', conversation: 'd:ada:bob', readSeq: 3, unreadCount: 0 };
      it_.node.signal(signal);
      await until(() => signals.length === 1);
      expect(signals).toEqual([signal]);
    });
  });
}
