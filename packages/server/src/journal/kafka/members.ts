import { createHash } from 'node:crypto';

// Which nodes live, and which of them decides what: a hint, for speed; the chain in the events is what makes it safe (`sequencer/chain.ts`).
//
// Every node says on the signals topic that it lives. No clock tells who is dead: a node is, when several heartbeats of one's own have come back through
// the log since the last of its own. So whoever is paused or cut off does not take everybody else for dead: its own heartbeats stop as well.
// A consumer group would need the brokers' least session timeout lowered (6 s when nobody has), and a rebalance stops everybody; this needs nothing of them.

export interface Heartbeat {
  type: 'heartbeat';
  nodeId: string;
  /** This run of the node. */
  run: string;
  /** Rises by one; 0 says that it leaves. */
  count: number;
  generation: string;
  /** By the clock of the machine, ms since 1970. */
  time: number;
}

interface Peer {
  nodeId: string;
  /** How far its clock is ahead of one's own at least, ms; negative when it is behind. */
  aheadMs: number;
  /** One's own newest heartbeat that had come back when the last of its was heard. */
  heardAt: number;
}

/** Own heartbeats that must have come back before anything is decided: whoever lives has been heard by then. */
const settledAfter = 2;

export class Members {
  readonly #self: { nodeId: string; run: string };
  readonly #missedMax: number;
  readonly #peers = new Map<string, Peer>();
  /** Runs that left: a heartbeat of theirs may still come, from another partition. */
  readonly #left = new Set<string>();
  #own = 0;
  /** When the newest of one's own that has come back was sent; before there is one, when the hearing began. */
  #ownTime: number;

  /** `begunAt`: by one's own clock, when the hearing begins. */
  constructor(self: { nodeId: string; run: string }, missedMax: number, begunAt: number) {
    this.#self = self;
    this.#missedMax = missedMax;
    this.#ownTime = begunAt;
  }

  /** Takes a heartbeat of any node, this one too, heard at `now` by one's own clock. Returns whether who lives may be different now. */
  hear({ nodeId, run, count, time }: Pick<Heartbeat, 'nodeId' | 'run' | 'count' | 'time'>, now: number): boolean {
    if (run === this.#self.run) {
      if (count <= this.#own) return false; // The same one from another partition.
      let isDifferent = this.#own < settledAfter && count >= settledAfter;
      this.#own = count;
      this.#ownTime = time;
      for (const [peer, { heardAt }] of this.#peers) if (count - heardAt >= this.#missedMax) isDifferent = this.#peers.delete(peer) || isDifferent;
      return isDifferent;
    }
    if (count === 0) {
      this.#left.add(run);
      return this.#peers.delete(run);
    }
    if (this.#left.has(run)) return false;
    const isNew = !this.#peers.has(run);
    this.#peers.set(run, { nodeId, heardAt: this.#own, aheadMs: aheadOf(time, this.#ownTime, now) });
    return isNew;
  }

  /**
   * How far one's own clock is ahead of the median of those of all nodes that live, ms; negative when it is behind. Of an even number of clocks the earlier of the two in
   * the middle counts: two nodes that disagree cannot know which is right, and one of them has to go on. Undefined while it is not known yet who lives.
   */
  clockAheadMs(): number | undefined {
    if (this.#own < settledAfter) return undefined;
    const clocks = [0, ...[...this.#peers.values()].map(({ aheadMs }) => aheadMs)].sort((a, b) => a - b);
    return 0 - clocks[Math.floor((clocks.length - 1) / 2)]!;
  }

  /** Runs of nodes that live, this one too, by node id; undefined while that is not known yet. */
  live(): { nodeId: string; run: string }[] | undefined {
    if (this.#own < settledAfter) return undefined;
    return [this.#self, ...[...this.#peers].map(([run, { nodeId }]) => ({ nodeId, run }))];
  }
}

/**
 * What a heartbeat of another says of its clock. It was sent after one's own newest that had come back (or the beginning), mostly, and before it is heard: so if both
 * clocks go alike, its time is between the two, however long anybody was paused or cut off.
 */
function aheadOf(time: number, ownTime: number, now: number): number {
  if (time > now) return time - now;
  return Math.min(0, time - ownTime);
}

/**
 * The run that decides each partition: the one that comes first for it by hash (rendezvous hashing), but none gets more than its share. Every node that
 * knows the same runs comes to the same result, and a node that comes or goes moves little else.
 */
export function assign(partitions: number, live: readonly { nodeId: string; run: string }[]): string[] {
  const share = Math.ceil(partitions / Math.max(1, live.length));
  const counts = new Map<string, number>();
  return Array.from({ length: partitions }, (_, partition) => {
    const ranked = live
      .map(({ nodeId, run }) => ({ run, rank: createHash('sha256').update(`${nodeId} ${partition}`).digest('hex') + run }))
      .sort((a, b) => (a.rank < b.rank ? -1 : 1));
    const chosen = ranked.find(({ run }) => (counts.get(run) ?? 0) < share);
    if (chosen === undefined) return '';
    counts.set(chosen.run, (counts.get(chosen.run) ?? 0) + 1);
    return chosen.run;
  });
}
