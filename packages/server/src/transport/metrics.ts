import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { partitionOf } from '../journal/port.ts';
import type { Node } from '../node/node.ts';
import type { Vitals } from '../node/vitals.ts';

// What /metrics shows. Calls are counted in plain maps and handed over when somebody looks: a labelled counter costs a microsecond each time, which for
// every message is too much. What is counted for each batch may cost that.

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const batchBuckets = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/** The figures of one process. It is also what a sequencer tells about its work. */
export class Metrics {
  /** Live sockets open now; the live transport keeps it. */
  sockets = 0;
  readonly #registry = new Registry();
  readonly #calls = new Map<string, number>();
  readonly #refusals = new Map<string, number>();
  readonly #deciding: Gauge;
  readonly #batch: Histogram;
  readonly #decideSeconds: Histogram;
  readonly #applySeconds: Histogram;
  readonly #commandSeconds: Histogram;
  readonly #lostRaces: Counter;
  #partitions = 1;
  #observedAt = 0;

  constructor() {
    const registers = [this.#registry];
    const metrics = this;
    new Counter({
      name: 'parlance_calls_total',
      help: 'Calls answered, by name and status, over every transport.',
      labelNames: ['call', 'status'],
      registers,
      collect() {
        this.reset();
        for (const [key, count] of metrics.#calls) {
          const [call, status] = key.split(' ') as [string, string];
          this.inc({ call, status }, count);
        }
      },
    });
    new Counter({
      name: 'parlance_refusals_total',
      help: 'Refusals, by code.',
      labelNames: ['code'],
      registers,
      collect() {
        this.reset();
        for (const [code, count] of metrics.#refusals) this.inc({ code }, count);
      },
    });
    new Gauge({ name: 'parlance_sockets', help: 'Live sockets open.', registers, collect() { this.set(metrics.sockets); } }); // biome-ignore format: one line each
    const labelNames = ['partition'];
    this.#deciding = new Gauge({ name: 'parlance_deciding', help: '1 where this process decides the partition.', labelNames, registers });
    this.#lostRaces = new Counter({
      name: 'parlance_lost_races_total',
      help: 'Records that came after somebody else’s and did not count.',
      labelNames,
      registers,
    });
    this.#batch = new Histogram({ name: 'parlance_batch_commands', help: 'Commands in a decided record.', labelNames, buckets: batchBuckets, registers });
    const seconds = (name: string, help: string) => new Histogram({ name, help, labelNames, buckets: secondsBuckets, registers });
    this.#commandSeconds = seconds('parlance_command_seconds', 'From a command of this node to its outcome; a thousand a second are counted at most.');
    this.#decideSeconds = seconds('parlance_decide_seconds', 'From deciding a batch to reading it back as valid.');
    this.#applySeconds = seconds('parlance_apply_seconds', 'Applying a record to the store.');
  }

  /** Begins watching a node, how it is, and the process itself: memory, CPU, event-loop lag. */
  watch(node: Node, vitals: Vitals): void {
    const registers = [this.#registry];
    this.#partitions = node.journal.partitions;
    new Gauge({ name: 'parlance_commands_waiting', help: 'Commands waiting for their outcome.', registers, collect() { this.set(node.waiting); } }); // biome-ignore format: one line each
    new Gauge({ name: 'parlance_load', help: 'How busy the node is, 0 to 1; HAProxy gets it from the agent port.', registers, collect() { this.set(vitals.load); } }); // biome-ignore format: one line each
    new Gauge({
      name: 'parlance_journal_age_seconds',
      help: 'Since the journal last answered this node about the partition.',
      labelNames: ['partition'],
      registers,
      collect() {
        for (let partition = 0; partition < node.journal.partitions; partition++) this.set({ partition }, node.journal.ageMs(partition) / 1000);
      },
    });
    new Gauge({ name: 'parlance_clock_ahead_seconds', help: 'How far this machine’s clock is ahead of the median of all nodes’.', registers, collect() { this.set((node.journal.clockAheadMs() ?? 0) / 1000); } }); // biome-ignore format: one line each
    collectDefaultMetrics({ register: this.#registry });
  }

  /** Counts a call answered with a status. */
  called(name: string, status: number): void {
    add(this.#calls, `${name} ${status}`);
  }

  refused(code: string): void {
    add(this.#refusals, code);
  }

  /** An outcome came for a command of this node. */
  answered(key: string, elapsedMs: number): void {
    const now = performance.now();
    if (now - this.#observedAt < 1) return;
    this.#observedAt = now;
    this.#commandSeconds.observe({ partition: partitionOf(key, this.#partitions) }, elapsedMs / 1000);
  }

  // ── what a sequencer tells ──

  deciding(partition: number, isDeciding: boolean): void {
    this.#deciding.set({ partition }, isDeciding ? 1 : 0);
  }

  decided(partition: number, commands: number, elapsedMs: number): void {
    this.#batch.observe({ partition }, commands);
    this.#decideSeconds.observe({ partition }, elapsedMs / 1000);
  }

  lostRace(partition: number): void {
    this.#lostRaces.inc({ partition });
  }

  applied(partition: number, elapsedMs: number): void {
    this.#applySeconds.observe({ partition }, elapsedMs / 1000);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

const add = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
