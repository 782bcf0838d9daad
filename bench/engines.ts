import { randomBytes } from 'node:crypto';
import type { Command } from '../packages/server/src/journal/command.ts';
import { KafkaJournal } from '../packages/server/src/journal/kafka/journal.ts';
import type { PartitionLog } from '../packages/server/src/journal/port.ts';
import type { DecidedRecord, Outcome } from '../packages/server/src/journal/record.ts';
import { CassandraStore } from '../packages/server/src/store/cassandra/store.ts';
import { decisionOf, World } from '../test/conformance/store-world.ts';
import { type Latencies, latenciesIn, newHistogram } from './histogram.ts';
import { textBytes } from './options.ts';

// What the engines of a cluster give a program that does nothing else, with the same records and the same rows: the ceilings that the nodes are measured against.

export interface Ceiling extends Latencies {
  perSecond: number;
}

const text = 'x'.repeat(textBytes);

/**
 * The two hops of a message through Kafka alone: its command is appended and read, its event is appended and read. Nothing is decided and nothing stored.
 * `writers` each wait for their message before the next.
 */
export async function kafkaHops(brokers: readonly string[], partitions: number, writers: number, warmUpMs: number, measureMs: number): Promise<Ceiling> {
  const journal = await KafkaJournal.open({ brokers, nodeId: 'bench', topicPrefix: `bench_${randomBytes(4).toString('hex')}`, partitions });
  const meter = new Meter();
  const waiting = new Map<string, () => void>();
  try {
    journal.decide(echo);
    await journal.follow({
      start: async () => 0,
      record: (_, __, record) => {
        if (record.type !== 'decided') return;
        for (const { nonce } of record.outcomes) {
          waiting.get(nonce)?.();
          waiting.delete(nonce);
        }
      },
      lost: () => undefined,
      signal: () => undefined,
    });
    let count = 0;
    await meter.run(writers, warmUpMs, measureMs, async (writer) => {
      const nonce = `${writer}-${count++}`;
      const back = new Promise<void>((resolve) => waiting.set(nonce, resolve));
      await journal.submit(commandOf(writer, nonce));
      await back;
    });
    return meter.ceiling();
  } finally {
    await journal.close();
  }
}

const commandOf = (writer: number, nonce: string): Command => {
  const conversation = `d:bench${writer & ~1}:bench${writer | 1}`;
  const clientId = '01900000-0000-7000-8000-000000000000';
  const key = 'x'.repeat(32);
  return { kind: 'send', nonce, key: conversation, conversation, author: `bench${writer}`, clientId, decisionKey: key, fingerprint: key, text };
};

/** Says of every command that it became the next message, as a sequencer would, up to four records ahead of what came back. */
async function echo(log: PartitionLog, signal: AbortSignal): Promise<void> {
  let next = log.base;
  let seq = 0;
  const appends: Promise<void>[] = [];
  while (!signal.aborted) {
    const commands = await log.commands(next, 2000);
    next = commands.at(-1)!.position + 1;
    const outcomes = commands.map(({ command }) => outcomeOf(command as Extract<Command, { kind: 'send' }>, ++seq));
    const record: DecidedRecord = { type: 'decided', id: randomBytes(8).toString('hex'), follows: '0123456789abcdef', upto: next - 1, outcomes };
    appends.push(log.append(record));
    if (appends.length >= 4) await appends.shift();
  }
}

function outcomeOf({ nonce, conversation, author, clientId, decisionKey, fingerprint, text }: Extract<Command, { kind: 'send' }>, seq: number): Outcome {
  const time = Date.now();
  const event = { kind: 'message', conversation, seq, time, by: author, clientId, count: seq, messageSeq: seq, activity: time, text } as const;
  const decision = decisionOf(nonce, { key: decisionKey, fingerprint, seq, messageSeq: seq, version: 1, time });
  return { nonce, results: [{ event, decision }] };
}

/** Messages a second that Cassandra alone takes: `partitions` at once, each a record of so many messages after another, one to each of as many conversations. */
export async function cassandraRows(
  at: { contactPoints: readonly string[]; dataCenter: string },
  { partitions, batch }: { partitions: number; batch: number },
  warmUpMs: number,
  measureMs: number,
): Promise<Ceiling> {
  const store = await CassandraStore.open({ ...at, contactPoints: [...at.contactPoints], keyspace: `bench_${randomBytes(4).toString('hex')}` });
  const meter = new Meter();
  try {
    const worlds = Array.from({ length: partitions }, (_, partition) => new World([store], partition));
    await meter.run(
      partitions,
      warmUpMs,
      measureMs,
      async (partition) => {
        const world = worlds[partition]!;
        world.now = Date.now();
        const sends = Array.from({ length: batch }, (_, index) => world.send(`d:a${partition}-${index}:b`, `a${partition}-${index}`, text));
        // The keys that a node makes for decisions of one record: together.
        const place = world.now.toString(16).padStart(12, '0') + (partition % 16).toString(16);
        for (const row of sends.flat()) if (row.table === 'decision') row.key = place + row.key.slice(13);
        await world.commit(...sends);
      },
      batch,
    );
    return meter.ceiling();
  } finally {
    await store.close();
  }
}

/** Has several do the same again and again, and counts. */
class Meter {
  readonly #histogram = newHistogram();
  #perSecond = 0;

  async run(count: number, warmUpMs: number, measureMs: number, step: (index: number) => Promise<void>, worth = 1): Promise<void> {
    let done = 0;
    const from = performance.now() + warmUpMs;
    const until = from + measureMs;
    const work = async (index: number): Promise<void> => {
      for (let began = performance.now(); began < until; ) {
        await step(index);
        const now = performance.now();
        if (now >= from && now < until) {
          done += worth;
          this.#histogram.recordValue(Math.round((now - began) * 1000));
        }
        began = now;
      }
    };
    await Promise.all(Array.from({ length: count }, (_, index) => work(index)));
    this.#perSecond = done / (measureMs / 1000);
  }

  ceiling(): Ceiling {
    return { perSecond: this.#perSecond, ...latenciesIn(this.#histogram) };
  }
}
