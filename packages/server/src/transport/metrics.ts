import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Node } from '../node/node.ts';

// What /metrics shows. Calls are counted in plain maps and handed over when somebody looks: a labelled counter costs a microsecond each time, which for
// every message is too much.

export class Metrics {
  /** Live sockets open now; the live transport keeps it. */
  sockets = 0;
  readonly #registry = new Registry();
  readonly #calls = new Map<string, number>();
  readonly #refusals = new Map<string, number>();

  constructor(node: Node) {
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
    new Gauge({ name: 'parlance_commands_waiting', help: 'Commands waiting for their outcome.', registers, collect() { this.set(node.waiting); } }); // biome-ignore format: one line each
  }

  /** Counts a call answered with a status. */
  called(name: string, status: number): void {
    add(this.#calls, `${name} ${status}`);
  }

  refused(code: string): void {
    add(this.#refusals, code);
  }

  /** Begins watching the process itself: memory, CPU, event-loop lag. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
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
