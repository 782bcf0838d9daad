import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ClusterNode } from '../../deploy/local/cluster.ts';
import { waitUntil } from '../../deploy/local/members.ts';
import { Person } from '../conformance/protocol-client.ts';
import { through } from '../crash/crowd.ts';
import { Observer } from './observer.ts';
import { measured, partitionOfConversation, type Stage } from './stage.ts';

// How long people notice that a machine is gone.

export interface Latencies {
  /** Sends answered. */
  count: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

export interface Figures {
  /** From the kill of the node that decides a conversation to the first answer to a send into it that was begun after. */
  decidingNodeKilled: { answeredAgainMs: number; timeout: string };
  /** From the kill to the moment the last of its sockets, opened again through HAProxy, was told all it had missed. */
  socketsOfKilledNode: { sockets: number; liveAgainMs: number; gaps: number; timeout: string };
  brokerKilled: { before: Latencies; during: Latencies; timeout: string };
  cassandraNodeKilled: { before: Latencies; during: Latencies; timeout: string };
}

/** Sockets opened through HAProxy, and how many more until the node to be killed has some of them. */
const socketCount = 9;
const moreSocketsMax = 51;
const handCount = 8;

/** Kills a node, a broker and a Cassandra node, one after another, under a light load, and heals each. */
export async function measureFailOver(stage: Stage): Promise<Figures> {
  const person = await Person.make(stage.cluster.url, 'measurer');
  const node = await killNode(stage, person);
  const broker = await killEngine(stage, person, () => stage.cluster.kafka!.members[0]!.kill());
  const cassandra = await killEngine(stage, person, () => stage.cluster.cassandra!.members[0]!.kill());
  return {
    decidingNodeKilled: { answeredAgainMs: node.answeredAgainMs, timeout: 'a node is taken for dead after 4 heartbeats of 300 ms' },
    socketsOfKilledNode: { ...node.sockets, timeout: 'none: the connection breaks, and the client tries again every 100 ms' },
    brokerKilled: { ...broker, timeout: 'broker.session.timeout.ms 3000' },
    cassandraNodeKilled: { ...cassandra, timeout: 'none for a broken connection; a silent one is passed over after 1500 ms' },
  };
}

async function killNode(stage: Stage, person: Person): Promise<{ answeredAgainMs: number; sockets: { sockets: number; liveAgainMs: number; gaps: number } }> {
  const name = `g-${randomUUID().slice(0, 13)}`;
  await person.call('POST', '/v1/groups', { name, title: 'Figures', open: false });
  const partition = partitionOfConversation(`g:${name}`);
  let decider: ClusterNode | undefined;
  await waitUntil('a decider', async () => ((decider = await stage.deciderOf(partition)) === undefined ? 'nobody decides' : undefined), { timeoutMs: 20_000 });
  const others = stage.nodes().filter((node) => node !== decider);
  const observers: Observer[] = [];
  let held = 0; // Sockets of the node that will be killed, by its own word.
  while (observers.length < socketCount || held === 0) {
    if (observers.length === socketCount + moreSocketsMax) throw new Error(`HAProxy gives ${decider!.name} none of ${observers.length} sockets`);
    const observer = Observer.begin(person, { name: 'haproxy', url: stage.cluster.url });
    observers.push(observer);
    await waitUntil('a socket', async () => (observer.caughtUp.count > 0 ? undefined : 'not caught up'), { timeoutMs: 20_000 });
    held = await measured(decider!, 'parlance_sockets');
  }

  let isDone = false;
  let killedAt = Number.POSITIVE_INFINITY;
  let answeredAt: number | undefined;
  const sending = (async () => {
    for (let turn = 0; !isDone; turn++) {
      const begunAt = performance.now();
      const door = through(person, others[turn % others.length]!.url);
      const isAnswered = await door.send(`g:${name}`, 'still there?').then(
        ({ status }) => status === 201 || status === 200,
        () => false,
      );
      if (isAnswered && begunAt > killedAt) answeredAt ??= performance.now();
      await pause(10);
    }
  })();
  await pause(1000);
  const before = observers.map(({ caughtUp }) => caughtUp.count);
  killedAt = performance.now();
  await decider!.kill();
  const moved = (): Observer[] => observers.filter(({ caughtUp }, index) => caughtUp.count > before[index]!);
  await waitUntil('what people notice', async () => (answeredAt !== undefined && moved().length >= held ? undefined : 'not over'), { timeoutMs: 60_000 });
  isDone = true;
  await sending;
  await Promise.all(observers.map((observer) => observer.stop()));
  await stage.heal();
  const liveAgainMs = Math.max(...moved().map(({ caughtUp }) => caughtUp.atMs - killedAt));
  const gaps = observers.reduce(
    (sum, { observed }) =>
      sum + gapsIn(observed.told.filter(({ conversation, change }) => conversation === `g:${name}` && change !== undefined).map(({ seq }) => seq)),
    0,
  );
  return { answeredAgainMs: Math.round(answeredAt! - killedAt), sockets: { sockets: moved().length, liveAgainMs: Math.round(liveAgainMs), gaps } };
}

const gapsIn = (seqs: readonly number[]): number => seqs.filter((seq, index) => index > 0 && seq !== seqs[index - 1]! + 1).length;

async function killEngine(stage: Stage, person: Person, kill: () => Promise<void>): Promise<{ before: Latencies; during: Latencies }> {
  const latencies: { atMs: number; tookMs: number }[] = [];
  let isDone = false;
  const hand = async (own: string): Promise<void> => {
    while (!isDone) {
      const atMs = performance.now();
      // One write, however many attempts it takes: what people wait for.
      const clientId = randomUUID();
      for (let isAnswered = false; !isAnswered; ) {
        isAnswered = await person.send(own, 'x', { client_id: clientId }).then(
          ({ status }) => status < 300,
          () => false,
        );
        if (!isAnswered) await pause(50);
      }
      latencies.push({ atMs, tookMs: performance.now() - atMs });
      await pause(20);
    }
  };
  const names = await Promise.all(Array.from({ length: handCount }, () => person.group()));
  const sending = names.map((name) => hand(`g:${name}`));
  await pause(3000);
  const killedAt = performance.now();
  await kill();
  await pause(8000);
  isDone = true;
  await Promise.all(sending);
  await stage.heal();
  // What was under way at the kill waits for what comes of it, too.
  const isBefore = ({ atMs, tookMs }: { atMs: number; tookMs: number }): boolean => atMs + tookMs < killedAt;
  const of = (some: readonly { tookMs: number }[]): Latencies => summary(some.map(({ tookMs }) => tookMs));
  return { before: of(latencies.filter(isBefore)), during: of(latencies.filter((one) => !isBefore(one))) };
}

function summary(values: number[]): Latencies {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
