import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type MessagePort, Worker } from 'node:worker_threads';
import { type Config, isCluster, tlsFilesOf } from './config.ts';
import { EmbeddedJournal } from './journal/embedded.ts';
import { commonTime, type Journal } from './journal/port.ts';
import { type Observation, reportFailure, reportObservations, serveThread, ThreadJournal } from './journal/thread.ts';
import { type SequencerObserver, type SequencerOptions, sequence } from './sequencer/sequencer.ts';
import { SqliteStore } from './store/embedded/store.ts';
import type { Store } from './store/port.ts';

// The only file that names an engine: which journal and which store a process has. Everything else sees the two ports.

export interface Engines {
  journal: Journal;
  store: Store;
  /** Rejects when an engine fails in a way that the process cannot mend. */
  failed: Promise<never>;
  close(): Promise<void>;
}

/** Who hears how the engines do. */
export interface Watching {
  observer: SequencerObserver;
  /** Something went wrong and is tried again. */
  onTrouble(message: string, cause?: unknown): void;
}

export interface WriterData {
  dataDir: string;
}

export const sequencerOptions: SequencerOptions = {
  batchMax: 2000,
  pendingMax: 4,
  knownMax: 50_000,
  appendTries: 5,
  retryPause: (tries) => new Promise((resolve) => setTimeout(resolve, 50 * 2 ** tries)),
  clock: Date.now,
  newId: () => randomBytes(8).toString('hex'),
};

/** Starts the engines that the settings name. Rejects with a sentence when that cannot be. */
export const compose = (config: Config, watching: Watching): Promise<Engines> =>
  isCluster(config) ? composeCluster(config, watching) : composeEmbedded(config.dataDir, watching);

/** Kafka and Cassandra. Their clients are loaded only here, so that a single server does not carry them. */
async function composeCluster(config: Config, { observer, onTrouble }: Watching): Promise<Engines> {
  const [{ KafkaJournal }, { CassandraStore }] = await Promise.all([import('./journal/kafka/journal.ts'), import('./store/cassandra/store.ts')]);
  const store = await CassandraStore.open({
    contactPoints: config.cassandraContactPoints!.split(','),
    dataCenter: config.cassandraDataCenter,
    keyspace: config.cassandraKeyspace,
    replicationFactor: config.cassandraReplicationFactor,
    consistency: config.cassandraConsistency as 'LOCAL_QUORUM',
    tls: tlsFilesOf(config, 'cassandra'),
    credentials:
      config.cassandraUsername === undefined || config.cassandraPassword === undefined
        ? undefined
        : { username: config.cassandraUsername, password: config.cassandraPassword },
  });
  const journal = await KafkaJournal.open({
    brokers: config.kafkaBrokers!.split(','),
    nodeId: config.nodeName ?? `${hostname()}:${config.port}`,
    topicPrefix: config.kafkaTopicPrefix,
    partitions: config.partitions,
    replicationFactor: config.kafkaReplicationFactor,
    minInsyncReplicas: config.kafkaMinInsyncReplicas,
    base: config.journalBase,
    tls: tlsFilesOf(config, 'kafka'),
    sasl:
      config.kafkaSaslMechanism === undefined
        ? undefined
        : { mechanism: config.kafkaSaslMechanism as 'PLAIN', username: config.kafkaUsername!, password: config.kafkaPassword! },
    onWarning: onTrouble,
  }).catch(async (error) => {
    await store.close();
    throw error;
  });
  journal.decide((log, signal) =>
    sequence(log, store, { ...sequencerOptions, clock: () => commonTime(journal, Date.now), observer }, signal).catch((error) => {
      onTrouble(`deciding partition ${log.partition} failed and starts again`, error);
      throw error;
    }),
  );
  const trimming = setInterval(() => void journal.trim((partition) => store.position(partition), config.journalKeepDays * 86_400_000), trimIntervalMs).unref();
  return {
    journal,
    store,
    failed: journal.failed,
    close: async () => {
      clearInterval(trimming);
      await journal.close();
      await store.close();
    },
  };
}

/** How often records that are old and applied are deleted from Kafka. */
const trimIntervalMs = 600_000;

/** SQLite on a thread of its own, which holds the directory's lock. */
async function composeEmbedded(dataDir: string, { observer, onTrouble }: Watching): Promise<Engines> {
  const worker = new Worker(new URL(import.meta.url.replace(/compose(\.[jt]s)$/, 'writer$1')), { workerData: { dataDir } satisfies WriterData });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', (message: { ready: true } | { error: string }) => ('error' in message ? reject(new Error(message.error)) : resolve()));
    worker.once('error', reject);
  });
  const journal = new ThreadJournal(
    worker as unknown as MessagePort,
    (message) => onTrouble(`deciding failed and starts again: ${message}`),
    (observations) => {
      for (const observation of observations) tell(observer, observation);
    },
  );
  const store = await SqliteStore.open({ directory: dataDir, mode: 'reader' });
  // The connection on this thread only reads.
  store.mark = (conversation, userId, mark) => journal.mark({ conversation, userId, mark });
  const failed = new Promise<never>((_, reject) => {
    worker.once('error', (error) => {
      journal.died();
      reject(error);
    });
  });
  failed.catch(() => undefined);
  return {
    journal,
    store,
    failed,
    close: async () => {
      await journal.close();
      await store.close();
      await worker.terminate();
    },
  };
}

function tell(observer: SequencerObserver, [what, ...told]: Observation): void {
  const [first, second] = told as [never, never];
  observer[what](0, first, second);
}

/** The writer's thread. */
export async function composeWriter(port: MessagePort, { dataDir }: WriterData): Promise<void> {
  let store: SqliteStore;
  try {
    store = await SqliteStore.open({ directory: dataDir, mode: 'writer' });
  } catch (error) {
    port.postMessage({ error: (error as Error).message });
    return;
  }
  const journal = new EmbeddedJournal(
    () => store.position(0),
    (error) => reportFailure(port, error),
  );
  const observer = observerOn(port);
  journal.decide((log, signal) => sequence(log, store, { ...sequencerOptions, observer }, signal));
  port.postMessage({ ready: true });
  serveThread(port, {
    journal,
    mark: ({ conversation, userId, mark }) => store.mark(conversation, userId, mark),
    close: () => store.close(),
  });
}

/** Observations cross to the other thread once a second, together: one message for each batch would cost more than what it tells. */
function observerOn(port: MessagePort): SequencerObserver {
  let observations: Observation[] = [];
  const observe = (observation: Observation): void => {
    if (observations.push(observation) > 1) return;
    setTimeout(() => {
      reportObservations(port, observations);
      observations = [];
    }, 1000).unref();
  };
  return {
    deciding: (_, isDeciding) => observe(['deciding', isDeciding]),
    decided: (_, commands, elapsedMs) => observe(['decided', commands, elapsedMs]),
    lostRace: () => observe(['lostRace']),
    applied: (_, elapsedMs) => observe(['applied', elapsedMs]),
  };
}
