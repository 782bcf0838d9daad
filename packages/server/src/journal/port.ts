import type { Command } from './command.ts';
import type { EventRecord } from './record.ts';

// Where commands are ordered and decided events become true. Two logs for each of P fixed partitions: commands, and events.
//
// Order: a log's positions rise from 0 without a gap that matters; everybody reads the same record at the same position. An append may be lost, land
// late, land twice, or land though it rejected: the chain in the events (`sequencer/chain.ts`) makes that harmless for events, and client ids for
// commands. Appends of one caller to one log keep their order while they succeed. A reader at a position that is no longer kept gets a `PositionGone`.

/** The journal no longer holds the position asked for: start over from the store's position row; never jump. */
export class PositionGone extends Error {}

/**
 * One partition, as its sequencer sees it. Once the signal given with it is aborted, waiting for `commands` ends with an `AbortError`;
 * the events stay readable until the handler has ended, so that it can finish what it began.
 */
export interface PartitionLog {
  readonly partition: number;
  /** Identity of the making of the topics that positions belong to; the position row's must be the same, or '' (nothing applied yet). */
  readonly generation: string;
  /** The first position there can be. An operator raises it, above every position there ever was, when the topics had to be made anew. */
  readonly base: number;
  /** Commands from position `from` on, at least one (waits for it), at most `max`; fewer where they are large. Asking again ends an earlier wait. */
  commands(from: number, max: number): Promise<{ position: number; command: Command }[]>;
  /** Event records from position `from` on, at least one (waits for it). */
  events(from: number): Promise<{ position: number; record: EventRecord }[]>;
  /** The position after the newest event record there is now. */
  eventsEnd(): Promise<number>;
  /** Appends to the events. When it rejects, the record may or may not be there: read on to know. */
  append(record: EventRecord): Promise<void>;
}

/** A node as the journal sees it. */
export interface Follower {
  /** Where to start with a partition (the position after the store's position row). Called at the start, and again after `lost`. */
  start(partition: number): Promise<number>;
  /** Every event record of every partition, in order within each. Must not throw. */
  record(partition: number, position: number, record: EventRecord): void;
  /** Records after the last one given may be missing: waiting requests of the partition have an unknown outcome, sockets must catch up. `start` is called again. */
  lost(partition: number): void;
  /** A signal of any node, this one too. */
  signal(signal: Signal): void;
}

/** Short-lived word between nodes, never stored, possibly lost: a read mark moved. */
export interface Signal {
  kind: 'read';
  userId: string;
  conversation: string;
  readSeq: number;
  unreadCount: number;
}

export interface Journal {
  readonly partitions: number;
  /** Appends a command to the partition of `command.key`; resolves when it is there, rejects when that is not certain. Commands of one key keep the order of their calls. */
  submit(command: Command): Promise<void>;
  /** Decides: `handler` runs for each partition this node should decide, until its signal aborts. When it ends or rejects it is started again, after a pause. */
  decide(handler: (log: PartitionLog, signal: AbortSignal) => Promise<void>): void;
  /** Follows all partitions. Once per node. Resolves when each has begun. */
  follow(follower: Follower): Promise<void>;
  signal(signal: Signal): void;
  /** Milliseconds since the journal last answered this node about the partition: how old what the node knows of it may be. 0 within one process. */
  ageMs(partition: number): number;
  /**
   * Milliseconds by which this machine's clock is ahead of the median of all nodes', roughly; negative when it is behind; undefined just after the start, while it is not
   * known. 0 within one process.
   */
  clockAheadMs(): number | undefined;
  /** Stops deciding first, finishing the batch in hand, then following. */
  close(): Promise<void>;
}

/** What the nodes agree on as the time, ms since 1970: `clock`, this machine's, may be off, and is put right by the others'. No order depends on it; the age of a session does. */
export const commonTime = (journal: Pick<Journal, 'clockAheadMs'>, clock: () => number): number => clock() - (journal.clockAheadMs() ?? 0);

/** The partition of a key: FNV-1a over its UTF-8 bytes. Fixed for ever, like P. */
export function partitionOf(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % partitions;
}
