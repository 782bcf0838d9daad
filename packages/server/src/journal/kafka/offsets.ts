import { listOffsetsV7 } from '@platformatic/kafka';
import type { Cluster } from './cluster.ts';
import { code } from './codes.ts';

// Where a partition's log starts and ends, and where in it a time is: asked of the partition's leader.

const latest = -1n;
const earliest = -2n;
const newest = -3n;
const tries = 50;
const pauseMs = 200;

/** The first offset there still is. */
export const startOffset = (cluster: Cluster, topic: string, partition: number): Promise<number> =>
  ask(cluster, topic, partition, earliest).then(({ offset }) => offset);

/** The offset after the last message that every reader can see. */
export const endOffset = (cluster: Cluster, topic: string, partition: number): Promise<number> =>
  ask(cluster, topic, partition, latest).then(({ offset }) => offset);

/** The offset of the first message appended at `time` (ms since 1970, by the broker's clock) or later; -1 when there is none. */
export const offsetAtTime = (cluster: Cluster, topic: string, partition: number, time: number): Promise<number> =>
  ask(cluster, topic, partition, BigInt(Math.max(0, Math.floor(time)))).then(({ offset }) => offset);

/** When the newest message was appended, ms since 1970 by the broker's clock; -1 when there is none. */
export const newestTime = (cluster: Cluster, topic: string, partition: number): Promise<number> =>
  ask(cluster, topic, partition, newest).then(({ time }) => time);

// Waits for a leader, ten seconds at most: that is longer than Kafka needs to choose one.
async function ask(cluster: Cluster, topic: string, partition: number, timestamp: bigint): Promise<{ offset: number; time: number }> {
  let failure: unknown = new Error('it has no leader');
  for (let count = 0; count < tries; count++) {
    const leader = cluster.leader(topic, partition);
    if (leader !== undefined) {
      try {
        const partitions = [{ partitionIndex: partition, currentLeaderEpoch: leader.epoch, timestamp }];
        const answer = await cluster.call('control', leader.broker, listOffsetsV7.api, -1, 0, [{ name: topic, partitions }]);
        const told = answer.topics[0]?.partitions[0];
        if (told?.errorCode === code.none) return { offset: Number(told.offset), time: Number(told.timestamp) };
        failure = new Error(`error ${told?.errorCode}`);
      } catch (error) {
        failure = error;
      }
    }
    if (cluster.isClosed) break;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    await cluster.refresh();
  }
  throw new Error(`Kafka does not say where ${topic} ${partition} is`, { cause: failure });
}
