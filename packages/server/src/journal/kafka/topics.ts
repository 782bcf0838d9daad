import { ConfigResourceTypes, createTopicsV7, describeConfigsV4 } from '@platformatic/kafka';
import type { Cluster, Topic } from './cluster.ts';
import { code } from './codes.ts';
import { KafkaError, type Settings } from './options.ts';

// The three topics: made where they are missing, and looked at before anything is read or written. What is there and wrong stops the start: a topic with
// another number of partitions would give keys other partitions, and one that drops records by age would drop what no store has yet.

export interface TopicNames {
  commands: string;
  events: string;
  signals: string;
}

export const topicNames = (prefix: string): TopicNames => ({ commands: `${prefix}.commands`, events: `${prefix}.events`, signals: `${prefix}.signals` });

/** Partitions of the signals topic, so that one lost broker does not silence all. */
export const signalPartitions = 3;
/** The largest command is an import of 8 MiB, and decided it is less than twice that. */
const messageBytesMax = 32 * 1024 * 1024;
const signalRetentionMs = 600_000;
const createTimeoutMs = 15_000;
const readyTimeoutMs = 30_000;
const readyPauseMs = 100;

/** A setting of a topic, and what it is asked to be; `test` where others would do as well. */
interface TopicSetting {
  name: string;
  value: string;
  isRight?: (value: string) => boolean;
  why: string;
}

// What is old is told by the brokers' clocks: deleting what is older than some days must not depend on a node's, and a broker refuses what a node that is ahead dates itself.
const dated: TopicSetting = { name: 'message.timestamp.type', value: 'LogAppendTime', why: 'what is old is told by the brokers’ clocks' };

function kept(settings: Settings): TopicSetting[] {
  return [
    { name: 'cleanup.policy', value: 'delete', why: 'compaction would drop records' },
    { name: 'retention.ms', value: '-1', why: 'records must not be dropped by age: nodes delete what is applied' },
    { name: 'retention.bytes', value: '-1', why: 'records must not be dropped by size: nodes delete what is applied' },
    { name: 'min.insync.replicas', value: String(settings.minInsyncReplicas), why: 'that many replicas must have an append before it counts' },
    { name: 'unclean.leader.election.enable', value: 'false', why: 'a replica that is behind must not lead: what was acknowledged would be gone' },
    dated,
    {
      name: 'max.message.bytes',
      value: String(messageBytesMax),
      isRight: (value) => Number(value) >= messageBytesMax,
      why: 'an import and what is decided of it must fit',
    },
  ];
}

const fleeting: TopicSetting[] = [
  dated,
  { name: 'cleanup.policy', value: 'delete', why: 'compaction needs keys' },
  { name: 'retention.ms', value: String(signalRetentionMs), isRight: (value) => Number(value) > 0, why: 'signals are not kept' },
];

/** Makes the topics that are missing, and checks all three. Throws KafkaError. */
export async function prepareTopics(cluster: Cluster, settings: Settings): Promise<Record<keyof TopicNames, Topic>> {
  const names = topicNames(settings.topicPrefix);
  const wanted = [
    { name: names.commands, partitions: settings.partitions, configs: kept(settings) },
    { name: names.events, partitions: settings.partitions, configs: kept(settings) },
    { name: names.signals, partitions: signalPartitions, configs: [...fleeting, { name: 'min.insync.replicas', value: '1', isRight: () => true, why: '' }] },
  ];
  const existing = new Set((await cluster.describe(Object.values(names))).map((topic) => topic.name));
  await create(
    cluster,
    settings,
    wanted.filter(({ name }) => !existing.has(name)),
  );
  const topics = await ready(cluster, wanted);
  for (const { name, partitions } of wanted) {
    const topic = topics.find((one) => one.name === name)!;
    if (topic.replicas.length !== partitions) {
      throw new KafkaError(
        `The Kafka topic ${name} has ${topic.replicas.length} partitions and ${partitions} are asked for: the number is fixed once, so set it to ${topic.replicas.length}, or choose another topic prefix.`,
      );
    }
    // More is fine: a partition that is being moved has more for a while.
    const fewest = Math.min(...topic.replicas.map((replicas) => replicas.length));
    if (fewest < settings.replicationFactor) {
      throw new KafkaError(
        `The Kafka topic ${name} has ${fewest} ${fewest === 1 ? 'replica' : 'replicas'} and ${settings.replicationFactor} are asked for: reassign its partitions, or set the replication factor to ${fewest}.`,
      );
    }
  }
  await checkConfigs(cluster, wanted);
  const found = (name: string): Topic => topics.find((one) => one.name === name)!;
  return { commands: found(names.commands), events: found(names.events), signals: found(names.signals) };
}

interface Wanted {
  name: string;
  partitions: number;
  configs: TopicSetting[];
}

async function create(cluster: Cluster, settings: Settings, wanted: readonly Wanted[]): Promise<void> {
  if (wanted.length === 0) return;
  const topics = wanted.map(({ name, partitions, configs }) => ({
    name,
    numPartitions: partitions,
    replicationFactor: settings.replicationFactor,
    assignments: [],
    configs: configs.map((config) => ({ name: config.name, value: config.value })),
  }));
  const answer = await cluster.callAny('admin', createTopicsV7.api, topics, createTimeoutMs, false);
  for (const { name, errorCode, errorMessage } of answer.topics) {
    // Another node that starts at the same time was first.
    if (errorCode === code.none || errorCode === code.topicExists) continue;
    if (errorCode === code.invalidReplicationFactor) {
      throw new KafkaError(
        `Kafka has ${cluster.brokers.length} live ${cluster.brokers.length === 1 ? 'broker' : 'brokers'}, fewer than the replication factor ${settings.replicationFactor} of the topic ${name}: start more brokers, or lower the replication factor.`,
      );
    }
    if (errorCode === code.topicAuthorization || errorCode === code.clusterAuthorization) {
      throw new KafkaError(
        `Kafka does not let ${settings.sasl?.username ?? 'this client'} make the topic ${name}: allow it to create topics that begin with ${settings.topicPrefix}.`,
      );
    }
    throw new KafkaError(`Kafka did not make the topic ${name} (error ${errorCode}): ${errorMessage ?? 'it does not say why'}.`);
  }
}

/** Waits until every partition of the topics has a leader. */
async function ready(cluster: Cluster, wanted: readonly Wanted[]): Promise<Topic[]> {
  const names = wanted.map(({ name }) => name);
  for (const deadline = performance.now() + readyTimeoutMs; ; ) {
    const topics = await cluster.describe(names);
    const isReady =
      topics.length === names.length &&
      topics.every((topic) => topic.replicas.length > 0 && topic.replicas.every((_, partition) => cluster.leader(topic.name, partition) !== undefined));
    if (isReady) return topics;
    if (performance.now() > deadline) {
      const missing = names.filter((name) => !topics.some((topic) => topic.name === name));
      throw new KafkaError(
        missing.length > 0
          ? `Kafka does not show the topics ${missing.join(', ')}: allow this client to read and write them.`
          : `Partitions of the Kafka topics ${names.join(', ')} have no leader: start the brokers that hold them.`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, readyPauseMs));
  }
}

async function checkConfigs(cluster: Cluster, wanted: readonly Wanted[]): Promise<void> {
  for (const { resourceName, configs } of await describeConfigs(cluster, wanted)) {
    for (const { name, value, isRight, why } of wanted.find((one) => one.name === resourceName)?.configs ?? []) {
      const present = configs.find((config) => config.name === name)?.value ?? '';
      if (isRight === undefined ? present !== value : !isRight(present)) {
        throw new KafkaError(`The Kafka topic ${resourceName} has ${name}=${present} and needs ${value} (${why}): alter it with kafka-configs.`);
      }
    }
  }
}

async function describeConfigs(cluster: Cluster, wanted: readonly Wanted[]): Promise<describeConfigsV4.DescribeConfigsResponseResult[]> {
  const resources = wanted.map(({ name, configs }) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName: name,
    configurationKeys: configs.map((config) => config.name),
  }));
  for (const deadline = performance.now() + readyTimeoutMs; ; ) {
    const { results } = await cluster.callAny('admin', describeConfigsV4.api, resources, false, false);
    const wrong = results.find(({ errorCode }) => errorCode !== code.none);
    if (wrong === undefined) return results;
    // A broker may not have heard of a topic that was made a moment ago.
    if (wrong.errorCode !== code.unknownTopic || performance.now() > deadline) {
      throw new KafkaError(`Kafka does not show the settings of the topic ${wrong.resourceName}: ${wrong.errorMessage || `error ${wrong.errorCode}`}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, readyPauseMs));
  }
}
