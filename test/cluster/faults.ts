import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterNode } from '../../deploy/local/cluster.ts';
import { type Member, waitUntil } from '../../deploy/local/members.ts';
import type { Random } from '../support/random.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import type { Stage } from './stage.ts';

// What can go wrong with a machine or a line, one at a time. Each fault strikes something that the seed picks and says what it was; `Stage.heal` undoes them all, so
// that they mix freely.

/** What a fault is of: faults of one round each take another of these, so that never a majority of engines is hit at once. */
type Kind = 'node' | 'kafka' | 'cassandra';

export interface Fault {
  name: string;
  kind: Kind;
  /** How long it lasts before it is healed. */
  holdMs: number;
  /** Strikes; resolves with what was struck. What it leaves running in the background ends with the signal. */
  strike(stage: Stage, random: Random, healed: AbortSignal): Promise<string>;
}

/**
 * Longer than every time after which somebody paused or cut off is taken for dead: nodes 1.2 s (4 heartbeats of 300 ms), brokers 3 s
 * (broker.session.timeout.ms), Cassandra nodes about 10 s (phi_convict_threshold 8).
 */
const longMs = { node: 6000, kafka: 7000, cassandra: 13_000 };
const shortMs = 3000;

const libfaketime = ['/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1', '/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1'].find((path) =>
  existsSync(path),
);

/** Why the fault of the clock cannot be had here; undefined when it can. */
export const faketimeMissing = (): string | undefined => (libfaketime === undefined ? 'libfaketime is missing: sudo apt-get install faketime' : undefined);

const anyNode = (stage: Stage, random: Random): ClusterNode => random.pick(stage.nodes());
/** The one that decides some partition. */
const decider = async (stage: Stage, random: Random): Promise<ClusterNode> => (await stage.deciderOf(random.below(stage.partitions))) ?? anyNode(stage, random);
const broker = (stage: Stage, random: Random): Member => random.pick(stage.cluster.kafka!.members);
const replica = (stage: Stage, random: Random): Member => random.pick(stage.cluster.cassandra!.members);

type Choose = (stage: Stage, random: Random) => Promise<Member> | Member;

const killed = (kind: Kind, what: string, choose: Choose): Fault => ({
  name: `${what} killed`,
  kind,
  holdMs: shortMs,
  async strike(stage, random) {
    const member = await choose(stage, random);
    await member.kill();
    return member.name;
  },
});

const paused = (kind: Kind, what: string, choose: Choose): Fault => ({
  name: `${what} paused`,
  kind,
  holdMs: longMs[kind],
  async strike(stage, random) {
    const member = await choose(stage, random);
    member.pause();
    return member.name;
  },
});

const enginesOf = (stage: Stage, engine: 'kafka' | 'cassandra'): readonly Member[] => stage.cluster[engine]!.members;
/** The lines from one node to these members of an engine. */
const linesTo = (stage: Stage, node: Member, engines: readonly Member[]): Promise<TcpProxy[]> =>
  Promise.all(engines.map(({ name }) => stage.line(node.name, name)));

/** From all members of an engine, or from one. */
const cut = (engine: 'kafka' | 'cassandra', scope: 'one' | 'all', choose: Choose = anyNode): Fault => ({
  name: `node cut off from ${scope === 'all' ? 'all of' : 'one of'} ${engine}`,
  kind: 'node',
  holdMs: longMs.node,
  async strike(stage, random) {
    const node = await choose(stage, random);
    const targets = scope === 'all' ? enginesOf(stage, engine) : [random.pick(enginesOf(stage, engine))];
    for (const line of await linesTo(stage, node, targets)) line.cut();
    return `${node.name} from ${targets.map(({ name }) => name).join(', ')}`;
  },
});

const held = (engine: 'kafka' | 'cassandra', direction: 'toTarget' | 'fromTarget'): Fault => ({
  name: `nothing comes ${direction === 'toTarget' ? 'from a node to' : 'to a node from'} ${engine} (one way)`,
  kind: 'node',
  holdMs: longMs.node,
  async strike(stage, random) {
    const node = await decider(stage, random);
    for (const line of await linesTo(stage, node, enginesOf(stage, engine))) line.hold(direction);
    return node.name;
  },
});

const far = (engine: 'kafka' | 'cassandra', latencyMs: number): Fault => ({
  name: `${engine} ${latencyMs} ms away from a node`,
  kind: 'node',
  holdMs: shortMs,
  async strike(stage, random) {
    const node = await decider(stage, random);
    for (const line of await linesTo(stage, node, enginesOf(stage, engine))) line.shape({ latencyMs });
    return node.name;
  },
});

/** As a disk (or a collector of garbage) that stalls: the process stands still nine tenths of the time, in pieces too short for anybody to take it for dead. */
const slow = (kind: 'kafka' | 'cassandra', choose: Choose): Fault => ({
  name: `${kind} slow`,
  kind,
  holdMs: 5000,
  async strike(stage, random, healed) {
    const member = await choose(stage, random);
    void (async () => {
      while (!healed.aborted) {
        member.pause();
        await pause(270);
        member.resume();
        await pause(30);
      }
    })();
    return member.name;
  },
});

const yearOff = (way: 'ahead' | 'behind', by: string): Fault => ({
  name: `clock of a node a year ${way}`,
  kind: 'node',
  // It decides for so long.
  holdMs: 10_000,
  async strike(stage, random) {
    // One that decides as soon as it is back: what falls to whom hangs on its name alone.
    const node = await decider(stage, random);
    // Only what people call the time: a monotonic clock that jumped would be another fault, of the kernel.
    await stage.setEnvironment(node, { LD_PRELOAD: libfaketime!, FAKETIME: by, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' });
    // It is never ready; healing starts it again.
    node.restart().catch(() => undefined);
    await waitUntil(
      node.name,
      async () => {
        const said = await (await fetch(`${node.url}/readyz`)).text();
        return new RegExp(`^the clock of this machine is 315\\d{5} s ${way}`).test(said) ? undefined : `it says: ${said}`;
      },
      { timeoutMs: 60_000 },
    );
    return node.name;
  },
});

export const faults: readonly Fault[] = [
  killed('node', 'node', anyNode),
  paused('node', 'node', anyNode),
  killed('node', 'deciding node', decider),
  paused('node', 'deciding node', decider),
  killed('kafka', 'broker', broker),
  paused('kafka', 'broker', broker),
  killed('cassandra', 'Cassandra node', replica),
  paused('cassandra', 'Cassandra node', replica),
  cut('kafka', 'one'),
  cut('kafka', 'all', decider),
  cut('cassandra', 'one'),
  cut('cassandra', 'all', decider),
  held('kafka', 'toTarget'),
  held('kafka', 'fromTarget'),
  held('cassandra', 'toTarget'),
  held('cassandra', 'fromTarget'),
  far('kafka', 150),
  far('cassandra', 150),
  slow('kafka', broker),
  slow('cassandra', replica),
  {
    name: 'HAProxy cut off from a node',
    kind: 'node',
    holdMs: shortMs,
    async strike(stage, random) {
      const node = anyNode(stage, random);
      (await stage.line('haproxy', node.name)).cut();
      return node.name;
    },
  },
  {
    name: 'HAProxy hears nothing of a node (one way)',
    kind: 'node',
    holdMs: longMs.node,
    async strike(stage, random) {
      const node = anyNode(stage, random);
      (await stage.line('haproxy', node.name)).hold('fromTarget');
      return node.name;
    },
  },
  {
    name: 'deciding node killed, far from the store',
    kind: 'node',
    holdMs: shortMs,
    async strike(stage, random) {
      const node = await decider(stage, random);
      for (const line of await linesTo(stage, node, enginesOf(stage, 'cassandra'))) line.shape({ latencyMs: 150 });
      await pause(700); // By now it is between writing and having written, in every partition where there is work.
      await node.kill();
      return node.name;
    },
  },
  {
    name: 'deciding node cut off, far from the store',
    kind: 'node',
    holdMs: longMs.node,
    async strike(stage, random) {
      const node = await decider(stage, random);
      const lines = await linesTo(stage, node, enginesOf(stage, 'cassandra'));
      for (const line of lines) line.shape({ latencyMs: 400 });
      await pause(1500); // What it is writing is on the way in every partition where there is work, and never arrives.
      for (const line of lines) line.cut();
      return node.name;
    },
  },
  {
    name: 'all nodes far from the store',
    kind: 'cassandra',
    holdMs: shortMs,
    async strike(stage) {
      for (const node of stage.nodes()) for (const line of await linesTo(stage, node, enginesOf(stage, 'cassandra'))) line.shape({ latencyMs: 100 });
      return '100 ms each way';
    },
  },
  yearOff('ahead', '+365d'),
  yearOff('behind', '-365d'),
  {
    name: 'rolling restart',
    kind: 'node',
    holdMs: 0,
    async strike(stage) {
      for (const node of stage.nodes()) {
        await node.terminate();
        await node.restart();
      }
      return stage
        .nodes()
        .map(({ name }) => name)
        .join(', ');
    },
  },
  {
    name: 'node added and drained',
    kind: 'node',
    holdMs: 0,
    async strike(stage) {
      const node = await stage.cluster.addNode();
      await pause(2000); // It takes its share of the load, and of the deciding.
      stage.forget(node);
      await node.terminate();
      return node.name;
    },
  },
];

export const faultNamed = (name: string): Fault => {
  const fault = faults.find((one) => one.name === name);
  if (fault === undefined) throw new Error(`There is no fault “${name}”. There are:\n${faults.map((one) => `  ${one.name}`).join('\n')}`);
  return fault;
};

/** The faults of one round: one, or several of different kinds at the same time. */
export type Blow = readonly string[];

/** So many rounds by a seed. Every fault comes once before any comes again; one blow in three is of two faults. */
export function schedule(random: Random, rounds: number, isPossible: (fault: Fault) => boolean = () => true): Blow[] {
  const blows: Blow[] = [];
  let waiting: Fault[] = [];
  const take = (isWanted: (fault: Fault) => boolean): Fault | undefined => {
    const wanted = waiting.filter(isWanted);
    if (wanted.length === 0) return undefined;
    const fault = random.pick(wanted);
    waiting = waiting.filter((one) => one !== fault);
    return fault;
  };
  while (blows.length < rounds) {
    if (waiting.length === 0) waiting = faults.filter(isPossible);
    const first = take(() => true)!;
    const second = random.once(3) ? take(({ kind }) => kind !== first.kind) : undefined;
    blows.push(second === undefined ? [first.name] : [first.name, second.name]);
  }
  return blows;
}
