import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Cluster, type ClusterNode, type ClusterOptions, startCluster } from '../../deploy/local/cluster.ts';
import { type Member, waitUntil } from '../../deploy/local/members.ts';
import { keyOfConversation } from '../../packages/server/src/journal/command.ts';
import { partitionOf } from '../../packages/server/src/journal/port.ts';
import { Person } from '../conformance/protocol-client.ts';
import type { Door } from '../crash/crowd.ts';
import { raisedSettings } from '../support/server-process.ts';
import type { TcpProxy } from '../support/tcp-proxy.ts';
import { Lines } from './lines.ts';

// A whole cluster to be broken: real engines, nodes, HAProxy, and between any two of them a line that can be cut. Whatever was done to it, `heal` undoes.

/** The program of a node that runs from the sources and not from what was built: see node.ts. */
export const nodeFromSources = [process.execPath, join(import.meta.dirname, 'node.ts'), '--json'];

const partitions = 4;

export type StageOptions = Pick<ClusterOptions, 'kafka' | 'cassandra' | 'program' | 'nodes' | 'progress' | 'settings'>;

export interface Stage {
  readonly cluster: Cluster;
  readonly partitions: number;
  /** An administrator, at the address of HAProxy. */
  readonly admin: Person;
  /** Nodes that are meant to be there: not those that were drained for good. */
  nodes(): ClusterNode[];
  /** HAProxy, and past it each node. */
  doors(): Door[];
  /** From a member (`haproxy`, `node1`) to another (`node1`, `kafka1`, `cassandra1`). */
  line(from: string, to: string): Promise<TcpProxy>;
  /** The node that decides the partition now; undefined while none says so. */
  deciderOf(partition: number): Promise<ClusterNode | undefined>;
  /** Node processes get these variables from their next start on, until `heal`. */
  setEnvironment(node: ClusterNode, variables: Readonly<Record<string, string>>): Promise<void>;
  /** Starts every node anew with these variables, which they keep. Resolves when all are ready. */
  renew(variables: Readonly<Record<string, string>>): Promise<void>;
  /** A node that was added is no longer meant to be there. */
  forget(node: ClusterNode): void;
  /** Mends lines, wakes who is paused, starts who is dead, and resolves when everybody is ready and sees everybody. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** A node's process first takes up the variables in the file `environment` of its folder, so that a restart can give it others. */
const wrap = (): string[] => ['sh', '-c', 'test ! -f environment || . ./environment; exec "$@"', 'sh'];

const healTimeoutMs = 90_000;

/** Starts everything and resolves when all is ready. */
export async function startStage({ nodes: count = 3, settings = {}, ...options }: StageOptions = {}): Promise<Stage> {
  const lines = new Lines();
  const variables: Record<string, string> = { PARLANCE_ADDRESS_REQUESTS: '10000000', PARLANCE_ADDRESS_CONNECTIONS: '2000' };
  const toNodes = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const line = await lines.direct('haproxy', `node${index + 1}`);
      variables[`PARLANCE_NODE${index + 1}`] = `127.0.0.1:${line.port}`;
      return line;
    }),
  );
  const cluster = await startCluster({
    kafka: {
      advertise: async (link, address, id) => {
        if (link !== 'clients') return address;
        const { port } = await lines.front(`kafka${id}`, addressOf(address), { host: '127.0.0.1' });
        return `127.0.0.1:${port}`;
      },
    },
    cassandra: {
      advertise: async (link, address, id) => {
        const target = addressOf(address);
        if (link !== 'clients') return target.host;
        // The port is the same on every address, hence another host.
        return (await lines.front(`cassandra${id}`, target, { host: `127.0.1.${id}`, port: target.port })).host;
      },
    },
    ...options,
    nodes: count,
    partitions,
    haproxy: { variables },
    settings: { ...raisedSettings, ...settings },
    wrap,
  }).catch(async (error) => {
    await lines.close();
    throw error;
  });
  for (const [index, line] of toNodes.entries()) line.retarget(addressOf(cluster.nodes[index]!.address).port);

  const gone = new Set<ClusterNode>();
  const strange = new Set<ClusterNode>();
  let common: Readonly<Record<string, string>> = {};
  const nodes = (): ClusterNode[] => cluster.nodes.filter((node) => !gone.has(node));
  const engines = (): Member[] => [...(cluster.kafka?.members ?? []), ...(cluster.cassandra?.members ?? [])];

  const untilReady = async (): Promise<void> => {
    await Promise.all([cluster.kafka?.untilWhole(), cluster.cassandra?.untilWhole()]);
    await waitUntil(
      'the cluster',
      async () => {
        for (const node of nodes()) {
          const response = await fetch(`${node.url}/readyz`, { signal: AbortSignal.timeout(2000) });
          if (!response.ok) return `${node.name} says: ${(await response.text()).trim()}`;
        }
        return undefined;
      },
      { timeoutMs: healTimeoutMs },
    );
    await cluster.haproxy.untilUp(
      nodes().map(({ name }) => name),
      healTimeoutMs,
    );
  };

  const stage: Omit<Stage, 'admin'> = {
    cluster,
    partitions,
    nodes,
    doors: () => [{ name: 'haproxy', url: cluster.url }, ...nodes().map(({ name, url }) => ({ name, url }))],
    line: (from, to) => lines.between(from, to),
    async deciderOf(partition) {
      for (const node of nodes()) if ((await decidedBy(node)).has(partition)) return node;
      return undefined;
    },
    async setEnvironment(node, variables) {
      strange.add(node);
      await writeEnvironment(node, { ...common, ...variables });
    },
    async renew(variables) {
      common = variables;
      for (const node of nodes()) strange.add(node);
      await stage.heal();
    },
    forget: (node) => void gone.add(node),
    async heal() {
      await lines.mendAll();
      const members = [...engines(), cluster.haproxy.member, ...nodes()];
      for (const member of members) member.resume();
      for (const node of strange) {
        await writeEnvironment(node, common);
        await node.kill();
      }
      strange.clear();
      // Nodes last: they want engines to start on.
      await Promise.all(engines().map((member) => (member.isRunning ? undefined : member.restart())));
      await Promise.all(nodes().map((member) => (member.isRunning ? undefined : member.restart())));
      await untilReady();
    },
    async close() {
      await cluster.stop();
      await lines.close();
    },
  };
  try {
    await untilReady();
    const admin = await Person.make(cluster.url, 'admin');
    const { status } = await admin.get(new URL(cluster.adminLink).pathname);
    if (status !== 200) throw new Error(`the administrator’s link answers ${status}`);
    return Object.assign(stage, { admin });
  } catch (error) {
    await stage.close();
    throw error;
  }
}

const writeEnvironment = (node: ClusterNode, variables: Readonly<Record<string, string>>): Promise<void> =>
  writeFile(
    join(node.folder, 'environment'),
    Object.entries(variables)
      .map(([name, value]) => `export ${name}='${value}'\n`)
      .join(''),
  );

const addressOf = (address: string): { host: string; port: number } => {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
};

/** The partitions that a node says it decides; none when it does not answer. */
export async function decidedBy(node: Pick<ClusterNode, 'url'>): Promise<Set<number>> {
  return new Set([...(await metricsOf(node)).matchAll(/^parlance_deciding\{partition="(\d+)"\} 1$/gm)].map((match) => Number(match[1])));
}

/** What a node says of itself under a name without labels; 0 when it does not answer. */
export async function measured(node: Pick<ClusterNode, 'url'>, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await metricsOf(node))?.[1] ?? 0);
}

const metricsOf = (node: Pick<ClusterNode, 'url'>): Promise<string> =>
  fetch(`${node.url}/metrics`, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.text(),
    () => '',
  );

/** The journal's partition of a conversation. */
export const partitionOfConversation = (conversation: string): number => partitionOf(keyOfConversation(conversation), partitions);
