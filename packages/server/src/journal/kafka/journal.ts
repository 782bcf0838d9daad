import type { PositionRow } from '../../store/port.ts';
import type { Command } from '../command.ts';
import { type Follower, type Journal, type PartitionLog, partitionOf, type Signal } from '../port.ts';
import { Cluster } from './cluster.ts';
import { Deciding } from './deciding.ts';
import { Fetcher } from './fetcher.ts';
import { Following } from './following.ts';
import { endOffset } from './offsets.ts';
import { KafkaError, type KafkaOptions, type Settings, settingsOf } from './options.ts';
import { EventCodec } from './records.ts';
import { Sender } from './sender.ts';
import { Signals } from './signals.ts';
import { prepareTopics, type TopicNames, topicNames } from './topics.ts';
import { trimPartition } from './trim.ts';
import { within } from './wait.ts';

// The journal on Apache Kafka: two topics with P partitions each, commands and events, and a third for signals. A position is the offset plus the base.
//
// It promises no more than the port does. An append that was not answered rejects and is not repeated here; the chain in the events says what counts.
// Who decides is a hint (`members.ts`). Positions come from the store's position row alone: there are no group offsets, and none ever moves by itself. When a
// topic is deleted, made anew or ends before a position the store has, everything here stops: offsets would mean something else.

/** How long a long poll waits at the broker, milliseconds. `ageMs` of an idle partition stays about that. */
const followWaitMs = 200;
const decideWaitMs = 200;
/** How long an append may wait to be taken (no leader, not enough replicas), milliseconds. */
const giveUpMs = 5000;
/** How long closing waits for deciding to finish, and then for appends, milliseconds. */
const closeMs = 10_000;

export class KafkaJournal implements Journal {
  readonly partitions: number;
  /** Identity of the making of the topics, and the base. See `PartitionLog.generation`. */
  readonly generation: string;
  /** The lowest position there can be. */
  readonly base: number;
  /** Rejects when this journal has stopped for good: a topic was deleted, made anew or cut short, or holds what nobody here wrote. An operator has to look. */
  readonly failed: Promise<never>;
  readonly #cluster: Cluster;
  readonly #names: TopicNames;
  readonly #commands: Sender;
  readonly #events: Sender;
  readonly #follow: Fetcher;
  readonly #decide: Fetcher;
  readonly #following: Following;
  readonly #deciding: Deciding;
  readonly #signals: Signals;
  readonly #reject: (error: Error) => void;
  #failure: Error | undefined;
  #closing: Promise<void> | undefined;

  /** Use `open`. */
  constructor(settings: Settings, cluster: Cluster, generation: string, signalsFrom: readonly number[]) {
    const { partitions, base, queueMax } = settings;
    this.partitions = partitions;
    this.generation = generation;
    this.base = base;
    this.#cluster = cluster;
    const names = topicNames(settings.topicPrefix);
    this.#names = names;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.failed = promise;
    this.#reject = reject;
    const fail = (error: unknown): void => this.#fail(error as Error);
    this.#commands = new Sender(cluster, { lane: 'commands', topic: names.commands, acks: -1, queueMax, giveUpMs });
    this.#events = new Sender(cluster, { lane: 'events', topic: names.events, acks: -1, queueMax, giveUpMs });
    this.#follow = new Fetcher(cluster, 'follow', followWaitMs, fail);
    this.#decide = new Fetcher(cluster, 'decide', decideWaitMs, fail);
    const codec = new EventCodec();
    this.#deciding = new Deciding({ cluster, names, settings, generation, fetcher: this.#decide, events: this.#events, codec });
    this.#following = new Following({ cluster, topic: names.events, partitions, base, fetcher: this.#follow, codec, feed: this.#deciding.feed, fail });
    this.#signals = new Signals({
      cluster,
      topic: names.signals,
      settings,
      generation,
      fetcher: this.#follow,
      from: signalsFrom,
      onSignal: (signal) => this.#following.signal(signal),
      onAssigned: (mine) => this.#deciding.assign(mine),
    });
  }

  /** Reaches Kafka, makes or checks the topics, and begins to hear the other nodes. Throws KafkaError, with one sentence for the operator, when something is missing or wrong. */
  static async open(options: KafkaOptions): Promise<KafkaJournal> {
    const settings = settingsOf(options);
    const cluster = await Cluster.connect(settings);
    try {
      const { commands, events, signals } = await prepareTopics(cluster, settings);
      const ends = await Promise.all(signals.replicas.map((_, partition) => endOffset(cluster, signals.name, partition)));
      const journal = new KafkaJournal(settings, cluster, `${commands.id}.${events.id}.${settings.base}`, ends);
      const watched = new Map([
        [commands.name, commands.id],
        [events.name, events.id],
        [signals.name, undefined],
      ]);
      cluster.watch(watched, (topic) =>
        journal.#fail(
          new KafkaError(
            `The Kafka topic ${topic} was deleted or made anew while in use: nothing is decided until an operator has looked, and raised the journal base above every position of the old one.`,
          ),
        ),
      );
      return journal;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  submit(command: Command): Promise<void> {
    return this.#commands.send(partitionOf(command.key, this.partitions), Buffer.from(JSON.stringify(command)));
  }

  decide(handler: (log: PartitionLog, signal: AbortSignal) => Promise<void>): void {
    this.#deciding.begin(handler);
    this.#signals.announce();
  }

  follow(follower: Follower): Promise<void> {
    return this.#following.begin(follower);
  }

  signal(signal: Signal): void {
    this.#signals.send(signal);
  }

  ageMs(partition: number): number {
    return this.#following.ageMs(partition);
  }

  clockAheadMs(): number | undefined {
    return this.#signals.clockAheadMs();
  }

  /** For metrics: what this node decides, which nodes live, and how much waits to be appended. */
  status(): { deciding: number[]; nodes: string[]; commandsWaiting: number; eventsWaiting: number } {
    return { deciding: this.#deciding.partitions(), nodes: this.#signals.nodes(), commandsWaiting: this.#commands.size, eventsWaiting: this.#events.size };
  }

  /**
   * Deletes the records that are applied and that the brokers took more than `keepMs` ago, of the partitions this node decides. `row` reads the store's position
   * row. To be called from time to time; a partition that fails is warned of and left for the next time.
   */
  async trim(row: (partition: number) => Promise<PositionRow>, keepMs: number): Promise<void> {
    for (const partition of this.#deciding.partitions()) {
      if (this.#closing !== undefined || this.#failure !== undefined) return;
      try {
        const at = await row(partition);
        if (at.generation === this.generation) await trimPartition(this.#cluster, this.#names, partition, this.base, at, keepMs);
      } catch (error) {
        this.#cluster.warn(`Deleting old records of partition ${partition} failed`, error);
      }
    }
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined || this.#closing !== undefined) return;
    this.#failure = error;
    this.#commands.fail(error);
    this.#events.fail(error);
    this.#following.stop();
    void this.#signals.stop();
    void this.#deciding.end(0, error);
    this.#reject(error);
    this.#following.lost();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const closed = new Error('The journal is closed.');
    const submitted = this.#commands.end(closed);
    await this.#signals.stop();
    await this.#deciding.end(closeMs, closed);
    const appended = Promise.all([submitted, this.#events.end(closed)]);
    await within(appended, closeMs);
    this.#commands.fail(closed);
    this.#events.fail(closed);
    this.#following.stop();
    await this.#cluster.close();
    await Promise.all([this.#follow.close(), this.#decide.close()]);
  }
}
