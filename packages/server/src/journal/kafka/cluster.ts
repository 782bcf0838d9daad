import { isIP } from 'node:net';
import {
  type API,
  AuthenticationError,
  apiVersionsV3,
  Connection,
  type ConnectionOptions,
  ConnectionStatuses,
  createTopicsV7,
  deleteRecordsV2,
  describeConfigsV4,
  fetchV13,
  findErrorBy,
  listOffsetsV7,
  metadataV12,
  produceV9,
  ResponseError,
} from '@platformatic/kafka';
import { code } from './codes.ts';
import { type Broker, brokerOf, KafkaError, type Settings } from './options.ts';

// The Kafka cluster as one node reaches it: who the brokers are, which of them leads each partition, and connections to them.
//
// The library's single requests are used, not its clients, because what must hold here is decided at that level: one produce in flight per partition,
// what was certainly not appended told from what may have been, one long poll per broker for all partitions, and no offset that moves by itself.
//
// A broker answers the requests of one connection one after another, so each purpose has connections of its own (a *lane*): an append never stands
// behind a long poll.

export type Lane = 'admin' | 'metadata' | 'control' | 'commands' | 'events' | 'signals' | 'follow' | 'decide';

/** The request was never sent: what it asked for has not happened. */
export class NotSent extends Error {}

export interface Leader {
  broker: number;
  epoch: number;
}

export interface Topic {
  name: string;
  id: string;
  /** By partition; undefined while there is none. */
  leaders: (Leader | undefined)[];
  /** Brokers that hold a copy, by partition. */
  replicas: number[][];
}

const connectTimeoutMs = 3000;
const requestTimeoutMs: Record<Lane, number> = {
  admin: 20_000,
  // Short: a broker that hangs must not keep the leaders unknown for long.
  metadata: 1500,
  control: 5000,
  commands: 8000,
  events: 8000,
  signals: 2000,
  follow: 3000,
  decide: 3000,
};
/** How old what is known of the leaders may get. A broker that was cut off and still believes it leads is found out by that. */
const refreshIntervalMs = 2000;
const sayAgainMs = 1000;
const lostAfter = { answers: 3, ms: 500 };

const needed: { api: { key: number; version: number }; name: string }[] = [
  { api: metadataV12.api, name: 'Metadata' },
  { api: fetchV13.api, name: 'Fetch' },
  { api: produceV9.api, name: 'Produce' },
  { api: listOffsetsV7.api, name: 'ListOffsets' },
  { api: createTopicsV7.api, name: 'CreateTopics' },
  { api: describeConfigsV4.api, name: 'DescribeConfigs' },
  { api: deleteRecordsV2.api, name: 'DeleteRecords' },
];

export class Cluster {
  readonly #settings: Settings;
  readonly #brokers = new Map<number, Broker>();
  readonly #topics = new Map<string, Topic>();
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #listeners = new Set<() => void>();
  /** Topics whose leaders are kept known, with the id each must keep; undefined: any. */
  #watched = new Map<string, string | undefined>();
  /** Since when brokers say that a watched topic is another one, or none, and how many answers in a row said so. */
  readonly #strikes = new Map<string, { since: number; count: number }>();
  #onTopicLost: (topic: string) => void = () => undefined;
  #refreshing: Promise<void> | undefined;
  #turn = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  readonly #saidAt = new Map<string, number>();

  /** Use `connect`. */
  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Reaches one of the named brokers and learns of the others. Throws KafkaError. */
  static async connect(settings: Settings): Promise<Cluster> {
    const cluster = new Cluster(settings);
    const errors = await cluster.#learnFromNamed([]);
    if (errors === undefined) return cluster;
    const list = settings.brokers.join(', ');
    const refused = errors.find(isRefusedLogIn);
    if (refused !== undefined) {
      const how = settings.sasl === undefined ? '' : ` as ${settings.sasl.username} with ${settings.sasl.mechanism}`;
      throw new KafkaError(`Kafka at ${list} refused the log-in${how}: check the user name, the password and the mechanism.`, { cause: refused });
    }
    throw new KafkaError(`No Kafka broker answers at ${list}: ${reasonOf(errors[0])}.`, { cause: new AggregateError(errors) });
  }

  /** Asks the brokers that the settings name, one after another, until one answers; returns what went wrong when none does. */
  async #learnFromNamed(topics: string[]): Promise<unknown[] | undefined> {
    const errors: unknown[] = [];
    for (const name of this.#settings.brokers) {
      try {
        const connection = await this.#open(brokerOf(name), requestTimeoutMs.control);
        try {
          await checkVersions(connection);
          this.#learn(await answerOf(metadataV12.api.async(connection, topics, false, false)));
        } finally {
          await connection.close();
        }
        return undefined;
      } catch (error) {
        if (error instanceof KafkaError) throw error;
        errors.push(error);
      }
    }
    return errors;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get brokers(): readonly number[] {
    return [...this.#brokers.keys()];
  }

  topic(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  /** The broker that leads a partition, as far as is known. */
  leader(topic: string, partition: number): Leader | undefined {
    const leader = this.#topics.get(topic)?.leaders[partition];
    return leader !== undefined && this.#brokers.has(leader.broker) ? leader : undefined;
  }

  /** Keeps what is known of these topics fresh. `onTopicLost` is called for one that no longer is what its id says: deleted, or deleted and made anew. */
  watch(topics: ReadonlyMap<string, string | undefined>, onTopicLost: (topic: string) => void): void {
    this.#watched = new Map(topics);
    this.#onTopicLost = onTopicLost;
    const again = () => {
      this.#timer = setTimeout(async () => {
        await this.refresh();
        if (!this.#isClosed) again();
      }, refreshIntervalMs);
    };
    again();
  }

  /** Calls `listener` after each refresh. */
  onRefresh(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** Sends one request on the lane's connection to a broker. A refusal in the answer is not thrown: the answer holds it. Throws NotSent when there is no connection. */
  async call<A extends unknown[], R>(lane: Lane, broker: number, api: API<A, R>, ...args: A): Promise<R> {
    let connection: Connection;
    try {
      connection = await this.#connection(lane, broker);
    } catch (error) {
      throw new NotSent(`Kafka broker ${broker} cannot be reached: ${reasonOf(error)}`, { cause: error });
    }
    // It may be closing without having said so yet.
    if (connection.status !== ConnectionStatuses.CONNECTED && connection.status !== ConnectionStatuses.REAUTHENTICATING) {
      this.#connections.delete(`${lane} ${broker}`);
      throw new NotSent(`The connection to Kafka broker ${broker} has closed.`);
    }
    return await answerOf(api.async(connection, ...args));
  }

  /** Sends one request to any broker that takes it. */
  async callAny<A extends unknown[], R>(lane: Lane, api: API<A, R>, ...args: A): Promise<R> {
    const brokers = this.brokers;
    let failure: unknown;
    for (let tries = 0; tries < brokers.length; tries++) {
      const broker = brokers[this.#turn++ % brokers.length]!;
      try {
        return await this.call(lane, broker, api, ...args);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  /** Learns the topics' leaders anew, from another broker than the last time. Never rejects: what is known stays, and is tried again. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#refresh().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refresh(): Promise<void> {
    if (this.#isClosed) return;
    const names = [...this.#watched.keys()];
    try {
      this.#learn(await this.callAny('metadata', metadataV12.api, names, false, false));
    } catch (error) {
      this.warn('Kafka does not say who leads its partitions', error);
      // All may have moved to other addresses.
      await this.#learnFromNamed(names).catch(() => undefined);
    }
    for (const listener of this.#listeners) listener();
  }

  /** Asks about topics by name, whether watched or not; those that do not exist are left out. */
  async describe(names: readonly string[]): Promise<Topic[]> {
    this.#learn(await this.callAny('metadata', metadataV12.api, [...names], false, false));
    return names.flatMap((name) => this.#topics.get(name) ?? []);
  }

  #learn(metadata: metadataV12.MetadataResponse): void {
    if (metadata.brokers.length > 0) {
      this.#brokers.clear();
      for (const { nodeId, host, port } of metadata.brokers) this.#brokers.set(nodeId, { host, port });
    }
    for (const told of metadata.topics) {
      const name = told.name ?? '';
      if (this.#isLost(name, told.errorCode, told.topicId)) continue;
      if (told.errorCode === code.unknownTopic) this.#topics.delete(name);
      if (told.errorCode !== 0) continue;
      const before = this.#topics.get(name);
      const topic: Topic = { name, id: told.topicId, leaders: [], replicas: [] };
      for (const { partitionIndex, leaderId, leaderEpoch, replicaNodes } of told.partitions) {
        const known = before?.id === topic.id ? before.leaders[partitionIndex] : undefined;
        // A broker that lags behind, or is cut off, tells of the past: the higher epoch is right.
        const isOlder = known !== undefined && known.epoch > leaderEpoch;
        topic.leaders[partitionIndex] = isOlder ? known : leaderId < 0 ? undefined : { broker: leaderId, epoch: leaderEpoch };
        topic.replicas[partitionIndex] = replicaNodes;
      }
      this.#topics.set(name, topic);
    }
  }

  // Several answers in a row have to say so, over some time: a broker that has just started, or a topic just made, may not have been heard of everywhere.
  #isLost(name: string, errorCode: number, id: string): boolean {
    const expected = this.#watched.get(name);
    if (expected === undefined) return false;
    const isOther = errorCode === code.unknownTopic || (errorCode === 0 && id !== expected);
    if (!isOther) {
      if (errorCode === 0) this.#strikes.delete(name);
      return false;
    }
    const now = performance.now();
    const strike = this.#strikes.get(name) ?? { since: now, count: 0 };
    strike.count += 1;
    this.#strikes.set(name, strike);
    if (strike.count >= lostAfter.answers && now - strike.since >= lostAfter.ms) this.#onTopicLost(name);
    return true;
  }

  #connection(lane: Lane, brokerId: number): Promise<Connection> {
    const key = `${lane} ${brokerId}`;
    const existing = this.#connections.get(key);
    if (existing !== undefined) return existing;
    const broker = this.#brokers.get(brokerId);
    if (broker === undefined || this.#isClosed) return Promise.reject(new Error(this.#isClosed ? 'the journal is closed' : 'it is not part of the cluster'));
    const forget = () => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    };
    const opening: Promise<Connection> = this.#open(broker, requestTimeoutMs[lane]).then(async (connection) => {
      connection.once('close', forget);
      if (this.#isClosed) await connection.close();
      return connection;
    });
    opening.catch(forget);
    this.#connections.set(key, opening);
    return opening;
  }

  async #open(at: Broker, requestTimeout: number): Promise<Connection> {
    const { tls, sasl, nodeId, reach } = this.#settings;
    const broker = reach?.(at) ?? at;
    const options: ConnectionOptions = { connectTimeout: connectTimeoutMs, requestTimeout, maxInflights: 16 };
    if (tls !== undefined) {
      options.tls = { ...tls };
      if (isIP(broker.host) === 0) options.tlsServerName = broker.host;
    }
    if (sasl !== undefined) options.sasl = sasl;
    const connection = new Connection(`parlance-${nodeId}`, options);
    connection.on('error', () => undefined); // Whoever waits for an answer is told.
    await connection.connect(broker.host, broker.port);
    return connection;
  }

  /** Says what happened, but not the same thing again and again. */
  warn(message: string, cause?: unknown): void {
    const now = performance.now();
    if (this.#isClosed || now - (this.#saidAt.get(message) ?? Number.NEGATIVE_INFINITY) < sayAgainMs) return;
    if (this.#saidAt.size > 1000) this.#saidAt.clear();
    this.#saidAt.set(message, now);
    this.#settings.onWarning(cause === undefined ? message : `${message}: ${reasonOf(cause)}`, cause);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const connections = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(connections.map((opening) => opening.then((connection) => connection.close()).catch(() => undefined)));
    await this.#refreshing;
  }
}

/** An answer that holds a refusal is an answer: which of its parts were refused stands in it. */
async function answerOf<R>(asked: Promise<R>): Promise<R> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ResponseError && error.response !== undefined) return error.response as R;
    throw error;
  }
}

async function checkVersions(connection: Connection): Promise<void> {
  const { apiKeys } = await apiVersionsV3.api.async(connection, 'parlance', '1');
  for (const { api, name } of needed) {
    const range = apiKeys.find((one) => one.apiKey === api.key);
    if (range === undefined || range.minVersion > api.version || range.maxVersion < api.version) {
      throw new KafkaError(`This Kafka does not know version ${api.version} of its ${name} request: version 3.1 or newer of Kafka is needed.`);
    }
  }
}

const isRefusedLogIn = (error: unknown): boolean => {
  for (let one = error as Error | undefined; one instanceof Error; one = one.cause as Error | undefined) {
    if (one instanceof AuthenticationError || findErrorBy(one, 'apiId', 'SASL_AUTHENTICATION_FAILED') !== null) return true;
  }
  return false;
};

/** What lies at the bottom of an error, in its own words. */
export function reasonOf(error: unknown): string {
  let deepest = error as Error & { errors?: Error[]; code?: string };
  for (let depth = 0; depth < 8; depth++) {
    const next = (deepest.cause ?? deepest.errors?.[0]) as Error | undefined;
    if (!(next instanceof Error)) break;
    deepest = next;
  }
  return (deepest?.message || deepest?.code || String(error)).replace(/\.$/, '');
}
