import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'node:tls';
import { Admin, alterPartitionReassignmentsV0, Connection } from '@platformatic/kafka';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Command } from '../../packages/server/src/journal/command.ts';
import { KafkaJournal } from '../../packages/server/src/journal/kafka/journal.ts';
import type { KafkaOptions } from '../../packages/server/src/journal/kafka/options.ts';
import { type Follower, type Journal, type PartitionLog, PositionGone, partitionOf } from '../../packages/server/src/journal/port.ts';
import type { DecidedRecord, EventRecord, Outcome } from '../../packages/server/src/journal/record.ts';
import { Chain } from '../../packages/server/src/sequencer/chain.ts';
import { sequence } from '../../packages/server/src/sequencer/sequencer.ts';
import { SqliteStore } from '../../packages/server/src/store/embedded/store.ts';
import { origin, type PositionRow } from '../../packages/server/src/store/port.ts';
import { kafkaAt } from '../support/engines.ts';
import { notRun, removeFolders, temporaryFolder } from '../support/server-process.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { journalConformance } from './journal.ts';

// The journal on real Kafka brokers: the port's promises, and what only Kafka can do wrong. Every test has topics of its own.

const at = kafkaAt();

if (at === undefined) {
  it('the journal on Kafka keeps the promises of the port', (context) =>
    notRun(context, 'no Kafka brokers: set PARLANCE_TEST_KAFKA to host:port,host:port,host:port'));
} else {
  onKafka(at.brokers);
}

const command = (nonce: string, key = 'k'): Command => ({ nonce, key, kind: 'set_display_name', userId: key, displayName: nonce });
const register = (nonce: string, userId: string): Command => ({
  nonce,
  key: userId,
  kind: 'register',
  userId,
  email: `${userId}@example.org`,
  displayName: userId,
  passwordHash: null,
  byAdmin: true,
});
const decided = (id: string, follows: string, upto: number): DecidedRecord => ({ type: 'decided', id, follows, upto, outcomes: [] });
const untilAborted = (signal: AbortSignal): Promise<void> => new Promise((end) => (signal.aborted ? end() : signal.addEventListener('abort', () => end())));

function onKafka(brokers: string[]): void {
  const admin = new Admin({ clientId: 'parlance-test', bootstrapBrokers: brokers, retries: 10, retryDelay: 200 });
  const prefixes: string[] = [];
  const open: KafkaJournal[] = [];
  const proxies: TcpProxy[] = [];
  const children = new Set<ChildProcess>();
  let wake: () => void = () => undefined;

  const newPrefix = (): string => {
    const prefix = `test-${process.pid}-${randomBytes(4).toString('hex')}`;
    prefixes.push(prefix);
    return prefix;
  };
  const openJournal = async (options: Partial<KafkaOptions> = {}): Promise<KafkaJournal> => {
    const journal = await KafkaJournal.open({
      brokers,
      nodeId: 'a',
      topicPrefix: options.topicPrefix ?? newPrefix(),
      partitions: 2,
      heartbeatMs: 100,
      ...options,
    });
    open.push(journal);
    return journal;
  };
  /** Waits until the condition holds, looking after each thing that happens. */
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (wake = resolve));
  };
  const follower = (over: Partial<Follower> = {}): Follower => ({
    start: async () => 0,
    record: () => wake(),
    lost: () => wake(),
    signal: () => wake(),
    ...over,
  });
  /** The logs of a journal's partitions, as they are given to its handler. */
  const decide = (journal: Journal): Map<number, PartitionLog> => {
    const logs = new Map<number, PartitionLog>();
    journal.decide(async (log, signal) => {
      logs.set(log.partition, log);
      wake();
      await untilAborted(signal);
      logs.delete(log.partition);
      wake();
    });
    return logs;
  };
  const remove = async (prefix: string): Promise<void> => {
    const names = await admin.listTopics();
    const topics = names.filter((name) => name.startsWith(`${prefix}.`));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  };

  /** Moves a topic's only partition to these brokers, and waits until they are the ones. */
  const move = async (topics: readonly string[], replicas: number[]): Promise<void> => {
    const connection = new Connection('parlance-test');
    const [host, port] = brokers[0]!.split(':');
    await connection.connect(host!, Number(port));
    const wanted = topics.map((name) => ({ name, partitions: [{ partitionIndex: 0, replicas }] }));
    await alterPartitionReassignmentsV0.api.async(connection, 10_000, false, wanted);
    await connection.close();
    const isThere = async (): Promise<boolean> => {
      const metadata = await admin.metadata({ topics: [...topics], forceUpdate: true });
      return topics.every((name) => {
        const { leader, replicas: present } = metadata.topics.get(name)!.partitions[0]!;
        return present.length === replicas.length && present.every((id) => replicas.includes(id)) && replicas.includes(leader);
      });
    };
    while (!(await isThere()));
  };

  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL');
    await Promise.all(open.splice(0).map((journal) => journal.close()));
    await Promise.all(proxies.splice(0).map((proxy) => proxy.close()));
    for (const prefix of prefixes.splice(0)) await remove(prefix);
  });
  afterAll(async () => {
    await admin.close();
    await removeFolders();
  });

  journalConformance('Kafka', async () => {
    const journal = await openJournal();
    return { node: journal, decider: journal, row: { ...origin }, destroy: () => journal.close() };
  });

  describe('the journal on Kafka: who decides', () => {
    it('two nodes that decide everything at once, and submit the same registrations, make one decision for each', async () => {
      const topicPrefix = newPrefix();
      const store = await SqliteStore.open({ directory: await temporaryFolder(), mode: 'writer' });
      const answers = new Map<string, Outcome>();
      const folds: string[][] = [];
      const start = async (nodeId: string): Promise<KafkaJournal> => {
        // Deaf to each other: every node takes every partition.
        const journal = await openJournal({ topicPrefix, nodeId, heartbeatsMissedMax: 0 });
        const chains = [0, 1].map(() => ({ chain: new Chain({ ...origin }), held: [] as { position: number; record: DecidedRecord }[] }));
        const fold: string[] = [];
        folds.push(fold);
        await journal.follow(
          follower({
            record: (partition, position, record) => {
              const { chain, held } = chains[partition]!;
              const kind = chain.step(position, record);
              if (kind === 'decided') held.push({ position, record: record as DecidedRecord });
              if (record.type !== 'applied') return;
              while (held[0] !== undefined && held[0].position <= record.upto) {
                const next = held.shift()!.record;
                fold.push(`${partition} ${next.id}`);
                for (const outcome of next.outcomes) answers.set(`${nodeId} ${outcome.nonce}`, outcome);
              }
              wake();
            },
          }),
        );
        const options = {
          batchMax: 5,
          pendingMax: 3,
          knownMax: 100,
          appendTries: 5,
          retryPause: async () => undefined,
          clock: Date.now,
          newId: () => randomBytes(8).toString('hex'),
        };
        journal.decide((log, signal) => sequence(log, store, options, signal));
        return journal;
      };
      const nodes = [await start('a'), await start('b')];
      const names = Array.from({ length: 60 }, (_, index) => `user${index}`);
      await Promise.all(nodes.flatMap((node, index) => names.map((name) => node.submit(register(`${index}-${name}`, name)))));
      await until(() => answers.size === 2 * 2 * names.length);
      for (const name of names) {
        const refusals = [0, 1].map((index) => answers.get(`a ${index}-${name}`)!.results[0]!.refusal);
        expect(refusals.filter((refusal) => refusal === undefined)).toHaveLength(1);
        expect(refusals.filter((refusal) => refusal !== undefined)).toEqual(['user_exists']);
      }
      for (const [key, outcome] of answers) if (key.startsWith('a ')) expect(answers.get(`b ${key.slice(2)}`)).toEqual(outcome);
      expect([...folds[0]!].sort()).toEqual([...folds[1]!].sort());
      await Promise.all(nodes.map((node) => node.close()));
      await store.close();
    });

    it('nodes share the partitions, and the others take them when one closes', async () => {
      const topicPrefix = newPrefix();
      const first = await openJournal({ topicPrefix, nodeId: 'a', partitions: 6 });
      const firstLogs = decide(first);
      await until(() => firstLogs.size === 6);
      const second = await openJournal({ topicPrefix, nodeId: 'b', partitions: 6 });
      const secondLogs = decide(second);
      await until(() => firstLogs.size === 3 && secondLogs.size === 3);
      expect(new Set([...firstLogs.keys(), ...secondLogs.keys()]).size).toBe(6);
      await first.close();
      await until(() => secondLogs.size === 6);
    });

    it('takes over from a node that was killed', async () => {
      const topicPrefix = newPrefix();
      const other = await startNode(topicPrefix);
      await until(() => other.deciding.size === 2);
      const journal = await openJournal({ topicPrefix, nodeId: 'b' });
      const logs = decide(journal);
      await until(() => logs.size === 1 && other.deciding.size === 1);
      other.child.kill('SIGKILL');
      await until(() => logs.size === 2);
    });

    it('takes over from a node that is paused, which gives the partitions up when it wakes and hears of it', async () => {
      const topicPrefix = newPrefix();
      const other = await startNode(topicPrefix);
      await until(() => other.deciding.size === 2);
      const journal = await openJournal({ topicPrefix, nodeId: 'b' });
      const logs = decide(journal);
      await until(() => logs.size === 1 && other.deciding.size === 1);
      other.child.kill('SIGSTOP');
      await until(() => logs.size === 2);
      other.child.kill('SIGCONT');
      await until(() => logs.size === 1);
    });

    /** A node in a process of its own, which says what it decides. */
    const startNode = async (topicPrefix: string): Promise<{ child: ChildProcess; deciding: Set<number> }> => {
      const program = `
        const { KafkaJournal } = await import(${JSON.stringify(join(import.meta.dirname, '../../packages/server/src/journal/kafka/journal.ts'))});
        const journal = await KafkaJournal.open(${JSON.stringify({ brokers, nodeId: 'killed', topicPrefix, partitions: 2, heartbeatMs: 100 })});
        journal.decide(async (log, signal) => {
          console.log('decides ' + log.partition);
          await new Promise((end) => signal.addEventListener('abort', end));
          console.log('leaves ' + log.partition);
        });`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      children.add(child);
      const deciding = new Set<number>();
      createInterface({ input: child.stdout! }).on('line', (line) => {
        const [word, partition] = line.split(' ');
        if (word === 'decides') deciding.add(Number(partition));
        else deciding.delete(Number(partition));
        wake();
      });
      return { child, deciding };
    };
  });

  describe('the journal on Kafka: order and positions', () => {
    it('keeps the order of each sender’s commands under load, from two nodes', async () => {
      const topicPrefix = newPrefix();
      const nodes = [await openJournal({ topicPrefix, nodeId: 'a' }), await openJournal({ topicPrefix, nodeId: 'b' })];
      const logs = decide(nodes[0]!);
      const count = 1500;
      const sent = nodes.map((node, index) => Promise.all(Array.from({ length: count }, (_, number) => node.submit(command(`${index} ${number}`)))));
      await Promise.all(sent);
      const mine = partitionOf('k', 2);
      await until(() => logs.has(mine));
      const log = logs.get(mine)!;
      const seen: [number[], number[]] = [[], []];
      for (let from = 0; seen[0].length + seen[1].length < 2 * count; ) {
        const entries = await log.commands(from, 400);
        expect(entries.length).toBeLessThanOrEqual(400);
        for (const entry of entries) {
          const [index, number] = entry.command.nonce.split(' ').map(Number);
          seen[index as 0 | 1].push(number!);
        }
        from = entries.at(-1)!.position + 1;
      }
      for (const numbers of seen) expect(numbers).toEqual(Array.from({ length: count }, (_, number) => number));
    });

    it('carries a command and a record of many megabytes', async () => {
      const journal = await openJournal({ partitions: 1 });
      const logs = decide(journal);
      await until(() => logs.size === 1);
      const text = 'x'.repeat(9 * 1024 * 1024);
      await journal.submit({ ...command('large'), displayName: text } as Command);
      await journal.submit(command('small'));
      const log = logs.get(0)!;
      const first = await log.commands(0, 10);
      expect(first.map((entry) => entry.command.nonce)).toEqual(['large']);
      expect((await log.commands(1, 10)).map((entry) => entry.command.nonce)).toEqual(['small']);
      await log.append({ ...decided('aa', '', 0), outcomes: [{ nonce: text, results: [] }] });
      const [read] = await log.events(0);
      expect((read!.record as DecidedRecord).outcomes[0]!.nonce).toHaveLength(text.length);
    });

    it('lets a reader go back, and ends the read it replaces', async () => {
      const journal = await openJournal({ partitions: 1 });
      const logs = decide(journal);
      await until(() => logs.size === 1);
      const log = logs.get(0)!;
      for (const nonce of ['a', 'b', 'c']) await journal.submit(command(nonce));
      expect((await log.commands(2, 10)).map((entry) => entry.command.nonce)).toEqual(['c']);
      const waiting = expect(log.commands(3, 10)).rejects.toMatchObject({ name: 'AbortError' });
      // The poll that is under way for what comes after the third brings the fourth: that does not follow here.
      const back = log.commands(1, 10);
      await journal.submit(command('d'));
      await waiting;
      expect((await back)[0]!.command.nonce).toBe('b');
      const after = (await back).at(-1)!.position + 1;
      if (after < 4) expect((await log.commands(after, 10)).at(-1)!.command.nonce).toBe('d');
    });

    it('says that deleted records are gone: to the sequencer, and to the follower, which starts over where the store is', async () => {
      const journal = await openJournal({ partitions: 1 });
      const logs = decide(journal);
      await until(() => logs.size === 1);
      const log = logs.get(0)!;
      for (const id of ['aa', 'bb', 'cc']) await log.append(decided(id, '', 0));
      for (const nonce of ['a', 'b', 'c']) await journal.submit(command(nonce));
      const row: PositionRow = { position: 2, lastId: 'cc', lastCommand: 1, generation: journal.generation };
      await journal.trim(async () => row, 0);
      await expect(log.events(0)).rejects.toBeInstanceOf(PositionGone);
      await expect(log.events(1)).rejects.toBeInstanceOf(PositionGone);
      await expect(log.commands(0, 1)).rejects.toBeInstanceOf(PositionGone);
      expect((await log.events(2))[0]!.record).toEqual(decided('cc', '', 0));
      expect((await log.commands(1, 1))[0]!.command.nonce).toBe('b');
      const starts = [0, 2];
      const seen: string[] = [];
      let lost = 0;
      await journal.follow(
        follower({
          start: async () => starts.shift()!,
          lost: () => lost++,
          record: (_partition, _position, record) => {
            seen.push((record as DecidedRecord).id);
            wake();
          },
        }),
      );
      await until(() => seen.length === 1);
      expect({ lost, seen }).toEqual({ lost: 1, seen: ['cc'] });
    });

    it('deletes nothing that is not applied, is not old enough, or belongs to another making of the topics', async () => {
      const journal = await openJournal({ partitions: 1 });
      const logs = decide(journal);
      await until(() => logs.size === 1);
      const log = logs.get(0)!;
      for (const id of ['aa', 'bb', 'cc']) await log.append(decided(id, '', 0));
      const row: PositionRow = { position: 2, lastId: 'cc', lastCommand: -1, generation: journal.generation };
      await journal.trim(async () => row, 60_000);
      await journal.trim(async () => ({ ...row, position: 0 }), 0);
      await journal.trim(async () => ({ ...row, generation: 'another' }), 0);
      expect((await log.events(0))[0]!.record).toEqual(decided('aa', '', 0));
    });

    it('stops when the store needs next what is deleted', async () => {
      const journal = await openJournal({ partitions: 1 });
      const logs = decide(journal);
      await until(() => logs.size === 1);
      for (const id of ['aa', 'bb']) await logs.get(0)!.append(decided(id, '', 0));
      await journal.trim(async () => ({ position: 1, lastId: 'bb', lastCommand: -1, generation: journal.generation }), 0);
      await journal.follow(follower());
      await expect(journal.failed).rejects.toThrow('no longer holds position 0');
      await expect(journal.submit(command('a'))).rejects.toThrow('no longer holds position 0');
    });

    it('stops when the log ends before what the store has, and jumps nowhere', async () => {
      const journal = await openJournal({ partitions: 1 });
      const seen: EventRecord[] = [];
      await journal.follow(follower({ start: async () => 7, record: (_partition, _position, record) => seen.push(record) }));
      await expect(journal.failed).rejects.toThrow('ends at position 0 of partition 0, before 7');
      expect(seen).toEqual([]);
    });

    it('adds the base to every offset, and begins there when the store is before it', async () => {
      const journal = await openJournal({ partitions: 1, base: 1000 });
      expect(journal.generation).toMatch(/\.1000$/);
      const seen: number[] = [];
      await journal.follow(
        follower({
          start: async () => 17,
          record: (_partition, position) => {
            seen.push(position);
            wake();
          },
        }),
      );
      const logs = decide(journal);
      await until(() => logs.size === 1);
      const log = logs.get(0)!;
      expect([log.base, await log.eventsEnd()]).toEqual([1000, 1000]);
      await log.append(decided('aa', '', 0));
      expect((await log.events(1000))[0]!.position).toBe(1000);
      await expect(log.events(999)).rejects.toBeInstanceOf(PositionGone);
      await journal.submit(command('a'));
      expect((await log.commands(1000, 1))[0]!.position).toBe(1000);
      await until(() => seen.length === 1);
      expect(seen).toEqual([1000]);
    });
  });

  describe('the journal on Kafka: what breaks', () => {
    it('stops everything when a topic is deleted and made anew', async () => {
      const topicPrefix = newPrefix();
      const journal = await openJournal({ topicPrefix });
      let lost = 0;
      await journal.follow(follower({ lost: () => lost++ }));
      const logs = decide(journal);
      await until(() => logs.size === 2);
      await admin.deleteTopics({ topics: [`${topicPrefix}.events`] });
      await admin.createTopics({ topics: [`${topicPrefix}.events`], partitions: 2, replicas: 3 });
      await expect(journal.failed).rejects.toThrow(`The Kafka topic ${topicPrefix}.events was deleted or made anew while in use`);
      await until(() => logs.size === 0);
      await expect(journal.submit(command('a'))).rejects.toThrow('deleted or made anew');
      expect(lost).toBe(2);
    });

    it('goes on without a gap after being cut off from all brokers, and says meanwhile how old its knowledge is', async () => {
      const topicPrefix = newPrefix();
      const made = new Map<number, TcpProxy>();
      for (const port of brokers.map((broker) => Number(broker.split(':')[1]))) {
        const proxy = await startTcpProxy({ targetPort: port });
        proxies.push(proxy);
        made.set(port, proxy);
      }
      const cut = await openJournal({ topicPrefix, nodeId: 'cut', reach: ({ host, port }) => ({ host, port: made.get(port)?.port ?? port }) });
      const other = await openJournal({ topicPrefix, nodeId: 'other' });
      const seen: number[] = [];
      await cut.follow(
        follower({
          record: (partition, position) => {
            if (partition === 0) seen.push(position);
            wake();
          },
        }),
      );
      const logs = decide(other);
      await until(() => logs.size === 2);
      const log = logs.get(0)!;
      await log.append({ type: 'applied', upto: 0 });
      await until(() => seen.length === 1);
      expect(cut.ageMs(0)).toBeLessThan(2000);
      for (const proxy of proxies) proxy.cut();
      for (let upto = 1; upto < 20; upto++) await log.append({ type: 'applied', upto });
      while (cut.ageMs(0) < 1000) await expect(cut.submit(command('a', 'k'))).rejects.toThrow(/^Kafka/);
      for (const proxy of proxies) proxy.mend();
      await until(() => seen.length === 20);
      expect(seen).toEqual(Array.from({ length: 20 }, (_, position) => position));
      await cut.submit(command('b', 'k'));
    });

    it('keeps order and loses nothing while the partitions move from broker to broker, though something may land twice', async () => {
      const topicPrefix = newPrefix();
      const journal = await openJournal({ topicPrefix, partitions: 1, replicationFactor: 2, minInsyncReplicas: 1 });
      const followed: number[] = [];
      await journal.follow(
        follower({
          record: (_partition, _position, record) => {
            followed.push((record as { upto: number }).upto);
            wake();
          },
        }),
      );
      const logs = decide(journal);
      await until(() => logs.size === 1);
      const log = logs.get(0)!;
      const { brokers: nodes } = await admin.metadata({ topics: [] });
      const ids = [...nodes.keys()];
      let isMoving = true;
      const acknowledged: number[] = [];
      const writing = (async () => {
        for (let number = 0; isMoving; number++) {
          await Promise.all([journal.submit(command(String(number))), log.append({ type: 'applied', upto: number })]);
          acknowledged.push(number);
        }
      })();
      let moves = 0;
      for (const replicas of [ids.slice(0, 2), ids.slice(1, 3), [ids[2]!, ids[0]!], ids.slice(0, 2)]) {
        await move([`${topicPrefix}.commands`, `${topicPrefix}.events`], replicas);
        moves += 1;
        const before = acknowledged.length;
        while (acknowledged.length < before + 20) await new Promise((resolve) => setImmediate(resolve));
      }
      isMoving = false;
      await writing;
      expect(moves).toBe(4);
      const once = (numbers: number[]): number[] => [...new Set(numbers)];
      await until(() => followed.includes(acknowledged.at(-1)!));
      expect(once(followed)).toEqual(acknowledged);
      const seen: number[] = [];
      for (let from = 0; !seen.includes(acknowledged.at(-1)!); ) {
        const entries = await log.commands(from, 1000);
        seen.push(...entries.map((entry) => Number(entry.command.nonce)));
        from = entries.at(-1)!.position + 1;
      }
      expect(once(seen)).toEqual(acknowledged);
    });

    it('refuses more than may wait', async () => {
      const journal = await openJournal({ queueMax: 3 });
      const sent = Array.from({ length: 5 }, (_, index) => journal.submit(command(String(index))));
      const outcomes = await Promise.allSettled(sent);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected']);
    });

    it('starts a handler that ends again, and refuses what is submitted after it is closed', async () => {
      const journal = await openJournal({ partitions: 1 });
      let runs = 0;
      let earlier: PartitionLog | undefined;
      journal.decide(async (log, signal) => {
        runs += 1;
        wake();
        if (runs === 2) await untilAborted(signal);
        earlier = log;
      });
      await until(() => runs === 2);
      await expect(earlier!.events(0)).rejects.toThrow('a handler that has ended');
      await journal.close();
      await expect(journal.submit(command('a'))).rejects.toThrow('closed');
    });
  });

  describe('the journal on Kafka: what stops the start', () => {
    it('a topic with another number of partitions', async () => {
      const { topicPrefix } = await existing({});
      await expect(openJournal({ topicPrefix, partitions: 3 })).rejects.toThrow(`The Kafka topic ${topicPrefix}.commands has 2 partitions and 3 are asked for`);
    });

    it('a topic with fewer replicas', async () => {
      const { topicPrefix } = await existing({ replicationFactor: 2 });
      await expect(openJournal({ topicPrefix })).rejects.toThrow(`The Kafka topic ${topicPrefix}.commands has 2 replicas and 3 are asked for`);
    });

    it('a topic that acknowledges with fewer replicas', async () => {
      const { topicPrefix } = await existing({ minInsyncReplicas: 1 });
      await expect(openJournal({ topicPrefix })).rejects.toThrow(`The Kafka topic ${topicPrefix}.commands has min.insync.replicas=1 and needs 2`);
    });

    it('a topic that drops records by age', async () => {
      const topicPrefix = newPrefix();
      await admin.createTopics({ topics: [`${topicPrefix}.events`], partitions: 2, replicas: 3, configs: [{ name: 'min.insync.replicas', value: '2' }] });
      await expect(openJournal({ topicPrefix })).rejects.toThrow(/\.events has retention\.ms=\d+ and needs -1/);
    });

    it('too few brokers', async () => {
      await expect(openJournal({ replicationFactor: 4 })).rejects.toThrow('Kafka has 3 live brokers, fewer than the replication factor 4');
    });

    it('brokers whose certificate nobody vouches for, or that speak TLS where none is expected', async () => {
      const { cert, key } = await certificate();
      const sockets = new Set<Socket>();
      const front = createServer({ cert, key }, (client) => {
        const [host, port] = brokers[0]!.split(':');
        const broker = connect(Number(port), host);
        for (const socket of [client, broker]) {
          sockets.add(socket);
          socket.on('error', () => undefined);
        }
        client.pipe(broker).pipe(client);
      });
      await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
      const { port } = front.address() as AddressInfo;
      const behindTls: Partial<KafkaOptions> = { brokers: [`127.0.0.1:${port}`], replicationFactor: 4 };
      await expect(openJournal(behindTls)).rejects.toThrow(/^No Kafka broker answers at /);
      await expect(openJournal({ ...behindTls, tls: {} })).rejects.toThrow(/^No Kafka broker answers at .*: self-signed certificate/);
      // With the certificate the brokers are reached: what is wrong then is what they say.
      const reach = () => ({ host: '127.0.0.1', port });
      await expect(openJournal({ ...behindTls, reach, tls: { ca: cert } })).rejects.toThrow('Kafka has 3 live brokers, fewer than the replication factor 4');
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
    });

    const certificate = async (): Promise<{ cert: string; key: string }> => {
      const folder = await temporaryFolder();
      const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
      const made = spawnSync('openssl', ['req', ...options, '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile]);
      expect(made.status, 'openssl makes a certificate').toBe(0);
      return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
    };

    it('no broker that answers', async () => {
      await expect(openJournal({ brokers: ['127.0.0.1:1'] })).rejects.toThrow('No Kafka broker answers at 127.0.0.1:1: ');
    });

    it('a log-in that the brokers do not take', async () => {
      await expect(openJournal({ sasl: { mechanism: 'PLAIN', username: 'ada', password: 'x' } })).rejects.toThrow(
        /Kafka at .* refused the log-in as ada with PLAIN/,
      );
    });

    const existing = async (options: Partial<KafkaOptions>): Promise<{ topicPrefix: string }> => {
      const topicPrefix = newPrefix();
      const journal = await openJournal({ topicPrefix, ...options });
      await journal.close();
      return { topicPrefix };
    };
  });
}
