import type { AccountRow } from '../../packages/server/src/store/rows.ts';
import { Attempts } from './attempts.ts';
import { SimulatedClient } from './client.ts';
import { Cluster, type SimulatedNode } from './cluster.ts';
import { Topics } from './journal.ts';
import { Judge } from './judge.ts';
import { Replicas } from './store.ts';
import { users, Workload } from './workload.ts';
import { Violation, World } from './world.ts';

// One seed from beginning to end: people write while everything that can go wrong does, then nothing goes wrong any more, and everything
// that was asked must be answered and everybody see the same.

export interface SeedResult {
  seed: number;
  /** The promise that was broken and how; undefined when all were kept. */
  failure: string | undefined;
  /** Of everything that happened: the same seed has the same one. */
  hash: number;
  steps: number;
  counts: Record<string, number>;
  trace: readonly string[];
}

/** Where nodes crash last of all, for so long, ms. */
const lastCrashesMs = 30;
/** Simulated time to settle in once everything is healed, ms: a hundred times what it takes. */
const settleMs = 60_000;

export async function runSeed(seed: number, isTraced = false): Promise<SeedResult> {
  const world = new World(seed, isTraced);
  const restore = world.takeOverTimers();
  let failure: string | undefined;
  let counts: Record<string, number> = {};
  try {
    const simulation = new Simulation(world);
    counts = simulation.judge.counts;
    await simulation.run();
  } catch (error) {
    failure = error instanceof Violation ? error.message : `FAULT ${(error as Error).stack ?? error}`;
    world.say(() => failure!);
  } finally {
    restore();
  }
  return { seed, failure, hash: world.hash >>> 0, steps: world.steps, counts, trace: world.trace };
}

class Simulation {
  readonly judge: Judge;
  readonly #world: World;
  readonly #replicas: Replicas;
  readonly #topics: Topics;
  readonly #cluster: Cluster;
  readonly #clients: SimulatedClient[];
  readonly #workload: Workload;

  constructor(world: World) {
    this.#world = world;
    const { random } = world;
    const partitions = random.chance(0.3) ? 2 : 1;
    const replicas = new Replicas(world);
    this.#replicas = replicas;
    for (const userId of users) {
      const account: AccountRow = {
        table: 'account',
        userId,
        displayName: userId,
        email: '',
        passwordHash: null,
        credentialVersion: 1,
        createdTime: 0,
        sessions: [],
      };
      replicas.seed(account);
    }
    this.judge = new Judge(users, partitions, replicas, (partition) => this.#topics.partitions[partition]!.commands.entries);
    this.#topics = new Topics(world, replicas, partitions, (partition, position, record) => {
      world.say(() => `event ${partition}/${position} ${JSON.stringify(record)}`);
      this.judge.record(partition, position, record);
    });
    this.#cluster = new Cluster(world, this.#topics, replicas, this.judge, new Attempts(this.judge), {
      isGuarded: random.chance(0.4),
      batchMax: random.pick([1, 2, 5]),
      pendingMax: random.pick([1, 2, 4]),
      knownMax: random.pick([0, 3, 100]),
      commandTimeoutMs: random.pick([60, 150, 400]),
      queueBytesMax: random.pick([1500, 6000, 1_000_000]),
    });
    this.#clients = [...users, random.pick(users)].map((user) => new SimulatedClient(this.#cluster, user));
    this.#workload = new Workload(this.#cluster, this.#clients);
  }

  async run(): Promise<void> {
    const world = this.#world;
    const { random } = world;
    const isDuel = random.chance(0.25);
    for (const partition of this.#topics.partitions.keys())
      for (const node of this.#cluster.nodes) if (isDuel || random.chance(0.4)) node.journal.assign(partition);
    const lastMs = 150 + random.below(600);
    this.#workload.begin();
    this.#repeat(lastMs, 12 + random.below(30), () => this.#workload.act());
    this.#repeat(lastMs, world.faults.chaosMs, () => this.#chaos(isDuel));
    await world.run(lastMs);
    world.say(() => 'everything heals');
    world.heal();
    for (const { process } of this.#cluster.nodes) process.pausedUntil = 0;
    // What nobody will ask for again has to be decided all the same, and what was decided last has to be told by whoever takes over.
    if (random.chance(0.5)) for (let count = 0; count < 3; count++) this.#workload.attemptAnywhere(random.pick(this.#clients));
    else {
      world.heal(0.2);
      world.after(lastCrashesMs, undefined, () => world.heal());
    }
    for (const partition of this.#topics.partitions.keys()) {
      const one = random.below(3);
      for (const [index, node] of this.#cluster.nodes.entries()) if (!isDuel && index !== one) node.journal.release(partition);
    }
    if (
      !(await world.run(
        world.now + settleMs,
        this.#calmly(() => this.#isSettled()),
      ))
    )
      throw new Violation(`LIVENESS ${this.#unsettled()}`);
    this.judge.stored();
    this.#sameScreens();
    this.#keptOrder();
  }

  /** Does something about every `ms`, until then. */
  #repeat(untilMs: number, ms: number, act: () => void): void {
    const world = this.#world;
    const again = () =>
      world.after(world.random.next() * 2 * ms, undefined, () => {
        if (world.now >= untilMs) return;
        act();
        again();
      });
    again();
  }

  #chaos(isDuel: boolean): void {
    const world = this.#world;
    const { random, now } = world;
    const node = random.pick(this.#cluster.nodes);
    const partition = random.below(this.#topics.partitions.length);
    const die = random.next();
    if (die < 0.15) node.process.crash();
    else if (die < 0.4) {
      node.process.pausedUntil = now + random.below(150);
      world.say(() => `${node.process.name} pauses until ${node.process.pausedUntil}`);
    } else if (die < 0.75) {
      if (!node.journal.isDeciding(partition)) this.#handOver(node, partition, isDuel || random.chance(0.4));
      else if (!isDuel) node.journal.release(partition);
    } else this.#topics.truncate(partition);
  }

  #handOver(node: SimulatedNode, partition: number, isShared: boolean): void {
    for (const other of this.#cluster.nodes) if (!isShared && other.process.pausedUntil <= this.#world.now) other.journal.release(partition);
    node.journal.assign(partition);
  }

  // ── the end ──

  /** Looks only now and then. */
  #calmly(condition: () => boolean): () => boolean {
    let looks = 0;
    return () => looks++ % 16 === 0 && condition();
  }

  #isSettled(): boolean {
    const { nodes } = this.#cluster;
    for (const [partition, { commands }] of this.#topics.partitions.entries()) {
      // Who was to decide may have crashed since.
      if (!nodes.some(({ process, journal }) => process.isAlive && journal.isDeciding(partition))) this.#world.random.pick(nodes).journal.assign(partition);
      if (this.judge.chains[partition]!.next < commands.entries.length) return false;
      const { lastAt, announced } = this.judge.chains[partition]!;
      if (announced < lastAt || this.#replicas.position(partition).position < lastAt) return false;
      if (nodes.some((node) => !node.isReady || !node.journal.isFollowing(partition))) return false;
    }
    if (this.#topics.underWay > 0 || nodes.some(({ node }) => node.waiting > 0)) return false;
    return this.#clients.every((client) => client.isIdle && this.#isUpToDate(client));
  }

  #isUpToDate(client: SimulatedClient): boolean {
    for (const id of this.#workload.conversationsOf(client.user)) {
      const { isHeld, seq } = client.session.replica.get(id);
      if (!isHeld) {
        client.loadSoon(id);
        return false;
      }
      if (seq !== this.judge.limit(client.user, id)) return false;
    }
    return true;
  }

  #unsettled(): string {
    const { nodes } = this.#cluster;
    const why: string[] = [];
    for (const [partition, { commands, events }] of this.#topics.partitions.entries()) {
      why.push(
        `partition ${partition}: ${this.judge.chains[partition]!.next} of ${commands.entries.length} commands decided, ${events.entries.length} events, announced ${this.judge.chains[partition]!.announced} of ${this.judge.chains[partition]!.lastAt}`,
      );
      for (const node of nodes) if (!node.journal.isFollowing(partition)) why.push(`${node.process.name} does not follow`);
    }
    for (const node of nodes) why.push(`${node.process.name} ready ${node.isReady}, ${node.node.waiting} wait`);
    for (const client of this.#clients) {
      why.push(`${client.user} ${client.session.connection.name} ${JSON.stringify(client.session.outbox.queues)}`);
      for (const id of this.#workload.conversationsOf(client.user)) {
        const { isHeld, seq } = client.session.replica.get(id);
        why.push(`${id} ${isHeld ? `at ${seq}` : 'not held'} of ${this.judge.limit(client.user, id)}`);
      }
    }
    return why.join('; ');
  }

  #sameScreens(): void {
    for (const client of this.#clients) {
      for (const id of this.#workload.conversationsOf(client.user)) {
        client.look(id);
        const { messages } = client.session.view(id);
        const isMember = this.judge.limit(client.user, id) === this.judge.of(id).events.length;
        for (const { seq, version, deleted, state, text } of messages) {
          if (state === 'failed') continue;
          const truth = seq === null ? undefined : this.judge.of(id).messages.get(seq);
          const isSame = truth !== undefined && (!isMember || (version === truth.version && (deleted === true) === truth.deleted));
          if (!isSame || state !== 'stored')
            throw new Violation(
              `P2 in the end ${client.user} sees ${JSON.stringify({ seq, version, deleted, state, text })} in ${id} instead of ${JSON.stringify(truth)}`,
            );
        }
      }
    }
  }

  /** One sender's writes to one conversation took effect in the order they were made, and each was answered once. */
  #keptOrder(): void {
    for (const client of this.#clients) {
      const newest = new Map<string, number>();
      for (const { frame, outcome } of client.sent) {
        if (outcome === undefined) throw new Violation(`LIVENESS ${client.user} was never told what came of ${frame.client_id}`);
        if (outcome.type === 'failed') continue;
        const { conversation, seq } = outcome.answer as { conversation: string; seq: number | null };
        if (seq === null) continue;
        if (seq <= (newest.get(conversation) ?? 0))
          throw new Violation(`P2 ${client.user} wrote ${frame.client_id} to ${conversation} after ${newest.get(conversation)}, and it is ${seq}`);
        newest.set(conversation, seq);
      }
    }
  }
}
