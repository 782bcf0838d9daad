import { randomBytes } from 'node:crypto';
import type { Signal } from '../port.ts';
import type { Cluster } from './cluster.ts';
import type { Fetcher, Tail } from './fetcher.ts';
import { assign, type Heartbeat, Members } from './members.ts';
import type { Settings } from './options.ts';
import { Sender } from './sender.ts';
import { within } from './wait.ts';

// The signals topic: what nodes say to each other that nobody keeps, and the heartbeats by which they know who lives. Anything here may be lost. A signal goes
// to whichever partition has a leader; a heartbeat to all of them, so that one lost broker does not make nodes look dead.

type Said = { type: 'signal'; signal: Signal } | Heartbeat;

export interface SignalsParts {
  cluster: Cluster;
  topic: string;
  settings: Settings;
  generation: string;
  fetcher: Fetcher;
  /** Where to begin, by partition: the ends as they were at the start. */
  from: readonly number[];
  onSignal(signal: Signal): void;
  /** The partitions that are this node's to decide. */
  onAssigned(mine: ReadonlySet<number>): void;
}

const queueMax = 2000;
const giveUpMs = 1000;
const leaveMs = 1000;

export class Signals {
  readonly #parts: SignalsParts;
  readonly #sender: Sender;
  readonly #run = randomBytes(8).toString('hex');
  readonly #members: Members;
  readonly #tails: Tail[];
  /** Partitions whose last heartbeat is still under way: the next one waits for it, since two that land together would look like time having passed. */
  readonly #busy = new Set<number>();
  #turn = 0;
  #count = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: SignalsParts) {
    this.#parts = parts;
    const { cluster, topic, settings, fetcher, from } = parts;
    this.#sender = new Sender(cluster, { lane: 'signals', topic, acks: 1, queueMax, giveUpMs });
    this.#members = new Members({ nodeId: settings.nodeId, run: this.#run }, settings.heartbeatsMissedMax, Date.now());
    this.#tails = from.map((next, partition) => {
      const tail: Tail = {
        topic,
        partition,
        next,
        isPaused: () => false,
        take: (messages) => {
          for (const { value } of messages) this.#hear(value);
        },
        // Signals may be lost: here, and only here, reading goes on elsewhere.
        gone: (start) => {
          tail.next = start;
        },
        ahead: (end) => {
          tail.next = end;
        },
      };
      fetcher.add(tail);
      return tail;
    });
  }

  send(signal: Signal): void {
    const { cluster, topic } = this.#parts;
    for (let tries = 0; tries < this.#tails.length; tries++) {
      const partition = this.#turn++ % this.#tails.length;
      if (cluster.leader(topic, partition) === undefined) continue;
      this.#sender.send(partition, encode({ type: 'signal', signal })).catch(() => undefined);
      return;
    }
  }

  /** From now on this node takes part in deciding: says that it lives until `stop`. */
  announce(): void {
    const beat = () => {
      this.#count += 1;
      for (const { partition } of this.#tails) {
        if (this.#busy.has(partition)) continue;
        this.#busy.add(partition);
        this.#sender
          .send(partition, this.#heartbeat(this.#count))
          .catch(() => undefined)
          .finally(() => this.#busy.delete(partition));
      }
    };
    beat();
    this.#timer = setInterval(beat, this.#parts.settings.heartbeatMs);
  }

  #heartbeat(count: number): Buffer {
    const { settings, generation } = this.#parts;
    return encode({ type: 'heartbeat', nodeId: settings.nodeId, run: this.#run, count, generation, time: Date.now() });
  }

  /** Ids of the nodes that live and decide, as far as is known. */
  nodes(): string[] {
    return (this.#members.live() ?? []).map(({ nodeId }) => nodeId).sort();
  }

  /** See `Members.clockAheadMs`. */
  clockAheadMs(): number | undefined {
    return this.#members.clockAheadMs();
  }

  #hear(value: Buffer | null): void {
    const said = decode(value);
    if (said?.type === 'signal') this.#parts.onSignal(said.signal);
    else if (said?.type === 'heartbeat') this.#hearHeartbeat(said);
  }

  #hearHeartbeat(heartbeat: Heartbeat): void {
    const { cluster, generation } = this.#parts;
    if (heartbeat.generation !== generation) {
      cluster.warn(
        `Node ${heartbeat.nodeId} runs on another journal (${heartbeat.generation}) than this one (${generation}): give all nodes the same journal base`,
      );
    }
    if (this.#members.hear(heartbeat, Date.now())) this.#assign();
  }

  #assign(): void {
    const live = this.#members.live();
    if (live === undefined || this.#timer === undefined) return;
    const mine = assign(this.#parts.settings.partitions, live).flatMap((run, partition) => (run === this.#run ? [partition] : []));
    this.#parts.onAssigned(new Set(mine));
  }

  /** Says that this node leaves, so that others take over at once. */
  async stop(): Promise<void> {
    const wasAnnounced = this.#timer !== undefined;
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (wasAnnounced) await this.#leave();
    this.#sender.fail(new Error('The journal is closed.'));
  }

  async #leave(): Promise<void> {
    const farewell = this.#tails.map(({ partition }) => this.#sender.send(partition, this.#heartbeat(0)).catch(() => undefined));
    await within(Promise.all(farewell), leaveMs);
  }
}

const encode = (said: Said): Buffer => Buffer.from(JSON.stringify(said));

/** What nobody here understands, such as a newer version's word, is passed over. */
function decode(value: Buffer | null): Said | undefined {
  try {
    return JSON.parse(value?.toString() ?? '') as Said;
  } catch {
    return undefined;
  }
}
