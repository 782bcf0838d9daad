import { deleteRecordsV2 } from '@platformatic/kafka';
import type { PositionRow } from '../../store/port.ts';
import type { Cluster } from './cluster.ts';
import { code } from './codes.ts';
import { endOffset, newestTime, offsetAtTime } from './offsets.ts';
import type { TopicNames } from './topics.ts';

// Deletes records that nobody needs any more. Kafka is told to keep everything for ever, because it would delete by age alone what no store has yet.
// How old a record is, is told by the brokers' clocks alone, and counted back from the newest record: a node whose clock is a year off deletes nothing early.

const timeoutMs = 10_000;

/**
 * Deletes from both logs of a partition what the store has (`row`) and the brokers took more than `keepMs` ago, by their clocks. The record at the row's position
 * stays, so that a log is never empty before the position that the store needs next.
 */
export async function trimPartition(cluster: Cluster, names: TopicNames, partition: number, base: number, row: PositionRow, keepMs: number): Promise<void> {
  await deleteBefore(cluster, names.events, partition, row.position - base, keepMs);
  await deleteBefore(cluster, names.commands, partition, row.lastCommand - base, keepMs);
}

async function deleteBefore(cluster: Cluster, topic: string, partition: number, offset: number, keepMs: number): Promise<void> {
  if (offset <= 0) return;
  const newest = await newestTime(cluster, topic, partition);
  if (newest < 0) return;
  const atTime = await offsetAtTime(cluster, topic, partition, newest - keepMs + 1);
  const old = atTime < 0 ? await endOffset(cluster, topic, partition) : atTime;
  const before = Math.min(offset, old);
  const leader = cluster.leader(topic, partition);
  if (before <= 0 || leader === undefined) return;
  const partitions = [{ partitionIndex: partition, offset: BigInt(before) }];
  const answer = await cluster.call('control', leader.broker, deleteRecordsV2.api, [{ name: topic, partitions }], timeoutMs);
  const errorCode = answer.topics[0]?.partitions[0]?.errorCode;
  if (errorCode !== code.none) throw new Error(`Kafka did not delete records of ${topic} ${partition} before ${before} (error ${errorCode}).`);
}
