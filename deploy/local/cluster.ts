import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type Cassandra, type CassandraOptions, startCassandra } from './cassandra.ts';
import { type Haproxy, type HaproxyOptions, startHaproxy } from './haproxy.ts';
import { type Kafka, type KafkaOptions, startKafka } from './kafka.ts';
import { type Member, makeFolder, removeFolder, startMember } from './members.ts';
import { freePorts } from './ports.ts';

// A whole cluster on this machine: Kafka, Cassandra, nodes of Parlance, and HAProxy in front. `npm run cluster` starts one for people (main.ts), and the tests start
// their own in order to break it: every process is a member that can be killed, paused and started again.
//
//     people ─▶ haproxy ─▶ node1, node2, node3 ─▶ kafka1, kafka2, kafka3
//                                              └▶ cassandra1, cassandra2, cassandra3

export interface ClusterOptions {
  /** Nodes of Parlance. 3 when left out. */
  nodes?: number;
  /** Chosen once for a cluster. 16 when left out. */
  partitions?: number;
  /** How to start brokers, or the addresses of running ones. */
  kafka?: KafkaOptions | readonly string[];
  /** How to start nodes of Cassandra, or the addresses of running ones. */
  cassandra?: CassandraOptions | readonly string[];
  haproxy?: Omit<HaproxyOptions, 'nodes'>;
  /** Settings of every node, as environment variables, over those that make it part of this cluster. */
  settings?: Readonly<Record<string, string>>;
  /** Settings of one node, over all others: another address for an engine, so that its way can be cut. `id` counts from 1. */
  settingsOf?(id: number): Readonly<Record<string, string>>;
  /** A program with its arguments that runs the node's and hands on its process (`faketime`, `strace -D`). */
  wrap?(id: number): readonly string[];
  /** Other than the built command line with `serve`: the program and arguments of a node. */
  program?: readonly string[];
  /** Told what is being done, for people who wait. */
  progress?(text: string): void;
}

export interface ClusterNode extends Member {
  /** Its own HTTP, past HAProxy. */
  readonly url: string;
  readonly agentPort: number;
}

export interface Cluster {
  /** Through HAProxy. */
  readonly url: string;
  /** Where the first administrator is made, until there is one. */
  readonly adminLink: string;
  readonly nodes: readonly ClusterNode[];
  /** Undefined when addresses of running brokers were given. */
  readonly kafka: Kafka | undefined;
  /** Undefined when addresses of running nodes were given. */
  readonly cassandra: Cassandra | undefined;
  readonly haproxy: Haproxy;
  /** Of Cassandra, where everything is stored. */
  readonly keyspace: string;
  /** Starts one more node and has HAProxy take it in; resolves when it is ready. */
  addNode(): Promise<ClusterNode>;
  /** Kills everything that was started here, at once, and removes its folders. For a soft end, `terminate` the nodes before. */
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '../..');
const built = [process.execPath, join(root, 'packages/cli/bin/parlance.js')];
const nodeReadyTimeoutMs = 120_000;

/** Starts a cluster and resolves when every node is ready and HAProxy listens. Rejects, with nothing left running, when a part does not start. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { nodes: count = 3, progress = () => undefined } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    // The newest first, so that no node complains about an engine that has just been taken from it.
    for (const one of stops.splice(0).reverse()) await one();
  };
  try {
    progress('Starting Kafka and Cassandra …');
    const { kafka, cassandra, settings: engineSettings } = await startEngines(options, stops);
    const folder = await makeFolder('nodes');
    stops.push(() => removeFolder(folder));

    const haproxyPort = options.haproxy?.port ?? (await freePorts(1))[0]!;
    const adminLinkSecret = randomBytes(24).toString('base64url');
    const common = {
      ...engineSettings,
      PARLANCE_PARTITIONS: String(options.partitions ?? 16),
      PARLANCE_INSTALLATION_KEY: randomBytes(32).toString('hex'),
      PARLANCE_ADMIN_LINK_SECRET: adminLinkSecret,
      // HAProxy says who asks. The nodes take it from loopback only, and people's browsers are told the address in front.
      PARLANCE_TRUSTED_PROXIES: '127.0.0.1',
      ...(options.haproxy?.tlsPem === undefined && { PARLANCE_PUBLIC_URL: `http://127.0.0.1:${haproxyPort}` }),
      ...options.settings,
    };

    const nodes: ClusterNode[] = [];
    let known = 0;
    const startNode = async (): Promise<ClusterNode> => {
      const id = ++known;
      const begun = await beginNode(id, common, folder, options);
      // By id, which is how HAProxy calls them, whichever begins first.
      nodes[id - 1] = begun;
      stops.push(() => begun.kill());
      await begun.untilReady();
      return begun;
    };

    progress(`Starting ${count} nodes …`);
    // The first makes topics and tables; the others find them.
    await startNode();
    await Promise.all(Array.from({ length: count - 1 }, startNode));

    const haproxy = await startHaproxy({ ...options.haproxy, nodes, port: haproxyPort });
    stops.push(() => haproxy.stop());
    return {
      url: haproxy.url,
      adminLink: `${haproxy.url}/first-admin/${adminLinkSecret}`,
      nodes,
      kafka,
      cassandra,
      haproxy,
      keyspace: engineSettings.PARLANCE_CASSANDRA_KEYSPACE,
      async addNode() {
        const node = await startNode();
        await haproxy.addNode(node);
        return node;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Starts what was not given, both at the same time, and resolves with what nodes must be told about it. */
async function startEngines(
  { kafka = {}, cassandra = {} }: ClusterOptions,
  stops: (() => Promise<void>)[],
): Promise<{ kafka: Kafka | undefined; cassandra: Cassandra | undefined; settings: Record<string, string> & { PARLANCE_CASSANDRA_KEYSPACE: string } }> {
  const keep = <T extends { stop(): Promise<void> }>(engine: T): T => {
    stops.push(() => engine.stop());
    return engine;
  };
  // Both are awaited even if one fails, so that `stops` has the other.
  const [brokers, store] = await Promise.allSettled([
    isList(kafka) ? undefined : startKafka(kafka).then(keep),
    isList(cassandra) ? undefined : startCassandra(cassandra).then(keep),
  ]);
  if (brokers.status === 'rejected') throw brokers.reason;
  if (store.status === 'rejected') throw store.reason;
  // Names of its own: given engines may serve others too.
  const name = `cluster_${randomBytes(4).toString('hex')}`;
  return {
    kafka: brokers.value,
    cassandra: store.value,
    settings: {
      PARLANCE_KAFKA_BROKERS: (isList(kafka) ? kafka : brokers.value!.brokers).join(','),
      PARLANCE_KAFKA_TOPIC_PREFIX: name,
      PARLANCE_CASSANDRA_CONTACT_POINTS: (isList(cassandra) ? cassandra : store.value!.contactPoints).join(','),
      PARLANCE_CASSANDRA_DATA_CENTER: store.value?.dataCenter ?? 'datacenter1',
      PARLANCE_CASSANDRA_KEYSPACE: name,
    },
  };
}

const isList = (engine: object | readonly string[]): engine is readonly string[] => Array.isArray(engine);

/** Begins one node in a place of its own; nothing is awaited but free ports. */
async function beginNode(
  id: number,
  common: Readonly<Record<string, string>>,
  clusterFolder: string,
  { settingsOf = () => ({}), wrap = () => [], program = [...built, 'serve', '--json'] }: ClusterOptions,
): Promise<ClusterNode & { untilReady(): Promise<void> }> {
  const [port, agentPort] = (await freePorts(2)) as [number, number];
  const folder = join(clusterFolder, `node${id}`);
  const url = `http://127.0.0.1:${port}`;
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PARLANCE_')));
  const [command = '', ...args] = [...wrap(id), ...program];
  const member = startMember({
    name: `node${id}`,
    address: `127.0.0.1:${port}`,
    folder,
    command,
    args,
    env: {
      ...inherited,
      ...common,
      PARLANCE_PORT: String(port),
      PARLANCE_AGENT_PORT: String(agentPort),
      PARLANCE_DATA_DIR: join(folder, 'data'),
      ...settingsOf(id),
    },
    probe: async () => {
      const response = await fetch(`${url}/readyz`);
      const text = await response.text();
      return response.ok ? undefined : `it says: ${text.trim()}`;
    },
    readyTimeoutMs: nodeReadyTimeoutMs,
  });
  return Object.assign(member, { url, agentPort });
}
