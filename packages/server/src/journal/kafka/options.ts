// What an operator sets about Kafka, and what can be wrong with it at the start.

/** Something about Kafka that only an operator can mend. The message is one sentence for them. */
export class KafkaError extends Error {}

/** How the brokers' TLS is checked, and who we say we are. Each is the content of a PEM file. */
export interface KafkaTls {
  /** Authorities that sign the brokers' certificates; those the system trusts when left out. */
  ca?: string;
  /** Certificate and key of this client, where the brokers ask for one. */
  cert?: string;
  key?: string;
}

export interface KafkaSasl {
  mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  username: string;
  password: string;
}

export interface Broker {
  host: string;
  port: number;
}

export interface KafkaOptions {
  /** host:port of some brokers; the others are learnt from them. */
  brokers: readonly string[];
  /** Name of this node, the same after a restart: it then decides the same partitions again. */
  nodeId: string;
  /** What the three topics' names begin with: PREFIX.commands, PREFIX.events, PREFIX.signals. Default `parlance`. */
  topicPrefix?: string;
  /** Fixed once the topics are made. Default 16. */
  partitions?: number;
  /** Default 3. */
  replicationFactor?: number;
  /** Replicas that must have an append before it is acknowledged. Default 2. */
  minInsyncReplicas?: number;
  tls?: KafkaTls;
  sasl?: KafkaSasl;
  /**
   * Added to every offset to make a position. Positions are the store's timestamps and must rise for ever, offsets of topics made anew begin at 0 again:
   * then an operator raises this above every position there ever was, on all nodes. Default 0.
   */
  base?: number;
  /** A node says this often that it lives, milliseconds. Default 300. */
  heartbeatMs?: number;
  /** After so many heartbeats of one's own without one of another node, that one is taken for dead. Default 4. */
  heartbeatsMissedMax?: number;
  /** Commands, and apart from them event records, that may wait to be appended; more are refused. Default 20,000. */
  queueMax?: number;
  /** Where a broker is reached from here, when not at the address it gives itself: a port forward. */
  reach?: (broker: Broker) => Broker;
  /** Hears what healed itself, or is tried again. At most a few a second. */
  onWarning?: (message: string, cause?: unknown) => void;
}

export type Settings = Required<Omit<KafkaOptions, 'tls' | 'sasl' | 'reach'>> & Pick<KafkaOptions, 'tls' | 'sasl' | 'reach'>;

/** The options with their defaults. Throws KafkaError. */
export function settingsOf(options: KafkaOptions): Settings {
  const settings: Settings = {
    topicPrefix: 'parlance',
    partitions: 16,
    replicationFactor: 3,
    minInsyncReplicas: 2,
    base: 0,
    heartbeatMs: 300,
    heartbeatsMissedMax: 4,
    queueMax: 20_000,
    onWarning: () => undefined,
    ...(Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Pick<KafkaOptions, 'brokers' | 'nodeId'>),
  };
  if (settings.brokers.length === 0) throw new KafkaError('No Kafka broker is named: give the host and port of at least one.');
  for (const broker of settings.brokers) brokerOf(broker);
  if (!/^[A-Za-z0-9._-]{1,200}$/.test(settings.topicPrefix)) {
    throw new KafkaError(`The topic prefix ${JSON.stringify(settings.topicPrefix)} must be 1 to 200 of A-Z a-z 0-9 . _ -.`);
  }
  if (!Number.isSafeInteger(settings.base) || settings.base < 0) throw new KafkaError(`The journal base ${settings.base} must be a whole number from 0 up.`);
  if (settings.minInsyncReplicas > settings.replicationFactor) {
    throw new KafkaError(
      `${settings.minInsyncReplicas} replicas are to have every append, but there are only ${settings.replicationFactor}: lower the minimum, or raise the replication factor.`,
    );
  }
  return settings;
}

/** `host:port`, or `[address]:port`. Throws KafkaError. */
export function brokerOf(text: string): Broker {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text.trim());
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65_535) throw new KafkaError(`${JSON.stringify(text)} does not name a Kafka broker: write host:port.`);
  return { host: (match[1] ?? match[2])!, port };
}
