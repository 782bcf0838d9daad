import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { filled, startCassandra } from '../../deploy/local/cassandra.ts';
import { type Cluster, startCluster } from '../../deploy/local/cluster.ts';
import { missingPackages } from '../../deploy/local/jars.ts';
import { startKafka } from '../../deploy/local/kafka.ts';
import { brokersSeenBy } from '../../deploy/local/kafka-probe.ts';
import { waitUntil } from '../../deploy/local/members.ts';
import { notRun } from '../support/server-process.ts';

// The launcher of real engines: what it starts answers, can be killed, paused and started again, and is gone afterwards.

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('members', () => {
  it('can be killed, paused, ended and started again in the same place, and leave nothing behind', async (context) => {
    if (missingPackages(['haproxy']).length > 0) notRun(context, 'HAProxy is missing: sudo apt-get install haproxy');
    const cluster = await standInCluster();
    const [first, second] = cluster.nodes as [Cluster['nodes'][number], Cluster['nodes'][number]];

    const { pid } = first;
    await first.kill();
    expect(isAlive(pid)).toBe(false);
    expect(first.isRunning).toBe(false);
    await first.restart();
    expect(first.pid).not.toBe(pid);
    expect((await answerOf(first.url)).pid).toBe(first.pid);

    second.pause();
    await expect(fetch(second.url, { signal: AbortSignal.timeout(300) })).rejects.toThrow();
    second.resume();
    expect((await answerOf(second.url)).pid).toBe(second.pid);

    await second.terminate();
    expect(isAlive(second.pid)).toBe(false);
    expect([first.crashes, second.crashes]).toEqual([[], []]);
    process.kill(first.pid, 'SIGABRT');
    await expect.poll(() => first.crashes).toEqual(['exit SIGABRT']);

    const { folder } = first;
    expect(existsSync(folder)).toBe(true);
    await cluster.stop();
    expect([first, second, cluster.haproxy.member].filter((member) => isAlive(member.pid))).toEqual([]);
    expect([folder, cluster.haproxy.member.folder].filter((path) => existsSync(path))).toEqual([]);
  });

  it('that do not start say why, with the end of their log', async (context) => {
    if (missingPackages(['haproxy']).length > 0) notRun(context, 'HAProxy is missing: sudo apt-get install haproxy');
    const failing = [process.execPath, '-e', 'console.error("the disk is full"); process.exit(3)'];
    await expect(standInCluster(failing)).rejects.toThrow(/node1 ended before it was ready \(exit 3\)[\s\S]*the disk is full/);
  });

  it('end when the process that started them is killed', async (context) => {
    if (missingPackages(['haproxy']).length > 0) notRun(context, 'HAProxy is missing: sudo apt-get install haproxy');
    const starter = spawn(process.execPath, ['--input-type=module-typescript', '-e', starterSource], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    ends.push(async () => void starter.kill('SIGKILL'));
    const started = await new Promise<{ pid: number; folder: string }>((resolve, reject) => {
      createInterface({ input: starter.stdout }).once('line', (line) => resolve(JSON.parse(line)));
      starter.once('exit', (code) => reject(new Error(`the starter ended: ${code}`)));
    });
    expect(isAlive(started.pid)).toBe(true);
    starter.kill('SIGKILL');
    await waitUntil('the end of what it started', async () => (isAlive(started.pid) || existsSync(started.folder) ? 'still there' : undefined), {
      timeoutMs: 10_000,
    });
  });
});

const starterSource = `
  import { startHaproxy } from '../../deploy/local/haproxy.ts';
  const { member } = await startHaproxy({ nodes: [] });
  console.log(JSON.stringify({ pid: member.pid, folder: member.folder }));
`;

/** A cluster without engines, whose nodes only say what they were started with. */
async function standInCluster(program = [process.execPath, join(import.meta.dirname, 'cluster-node.ts')]): Promise<Cluster> {
  const cluster = await startCluster({
    nodes: 3,
    program,
    kafka: ['127.0.0.1:1', '127.0.0.1:2'],
    cassandra: ['127.0.0.1:3'],
    settingsOf: (id) => ({ PARLANCE_LOG_LEVEL: id === 2 ? 'debug' : 'info' }),
  });
  ends.push(() => cluster.stop());
  return cluster;
}

interface NodeAnswer {
  pid: number;
  settings: Record<string, string>;
}

const answerOf = async (url: string): Promise<NodeAnswer> => (await (await fetch(url)).json()) as NodeAnswer;

describe('a cluster', () => {
  it('has nodes with one key and one set of names, behind HAProxy, and takes one more in', async (context) => {
    if (missingPackages(['haproxy']).length > 0) notRun(context, 'HAProxy is missing: sudo apt-get install haproxy');
    const cluster = await standInCluster();
    const [first, second] = await Promise.all(cluster.nodes.map(async ({ url }) => (await answerOf(url)).settings));
    for (const name of ['INSTALLATION_KEY', 'ADMIN_LINK_SECRET', 'KAFKA_TOPIC_PREFIX', 'CASSANDRA_KEYSPACE', 'PUBLIC_URL']) {
      expect(first![`PARLANCE_${name}`]).toBeTruthy();
      expect(second![`PARLANCE_${name}`]).toBe(first![`PARLANCE_${name}`]);
    }
    expect(first!.PARLANCE_KAFKA_BROKERS).toBe('127.0.0.1:1,127.0.0.1:2');
    expect(first!.PARLANCE_AGENT_PORT).not.toBe(second!.PARLANCE_AGENT_PORT);
    expect([first!.PARLANCE_LOG_LEVEL, second!.PARLANCE_LOG_LEVEL]).toEqual(['info', 'debug']);
    expect(first).not.toHaveProperty('PARLANCE_TEST_KAFKA');

    // The second and the third begin at the same time: each is a place of its own.
    expect(cluster.nodes.map(({ name }) => name)).toEqual(['node1', 'node2', 'node3']);
    expect(new Set(cluster.nodes.map(({ folder }) => folder)).size).toBe(3);

    const added = await cluster.addNode();
    expect(added.name).toBe('node4');
    const seen = new Set<number>();
    await waitUntil(
      'requests at all of them',
      async () => {
        seen.add((await answerOf(cluster.url)).pid);
        return seen.size === 4 ? undefined : `seen are ${[...seen]}`;
      },
      { timeoutMs: 10_000 },
    );
    expect(seen).toContain(added.pid);
  });
});

describe('Kafka', () => {
  it('answers after the start, after kill -9 and through the addresses it was told to advertise', async (context) => {
    const missing = missingPackages(['kafka']);
    if (missing.length > 0) notRun(context, `Kafka cannot be started: sudo apt-get install ${missing.join(' ')}`);
    const asked: string[] = [];
    const kafka = await startKafka({
      brokers: 1,
      advertise: (link, address, id) => {
        asked.push(`${link} ${id}`);
        return link === 'clients' ? address.replace('127.0.0.1', '127.0.0.9') : address;
      },
    });
    ends.push(() => kafka.stop());
    expect(asked.sort()).toEqual(['brokers 1', 'clients 1', 'controllers 1']);
    expect(kafka.brokers[0]).toBe(kafka.members[0]!.address.replace('127.0.0.1', '127.0.0.9'));
    const [broker] = kafka.members;
    expect(await brokersSeenBy(broker!.address)).toEqual([1]);
    await broker!.kill();
    await expect(brokersSeenBy(broker!.address)).rejects.toThrow();
    await broker!.restart();
    expect(await brokersSeenBy(broker!.address)).toEqual([1]);
  });
});

describe('Cassandra', () => {
  it('answers after the start, keeps its settings, and can be looked after', async (context) => {
    const missing = missingPackages(['cassandra']);
    if (missing.length > 0) notRun(context, `Cassandra cannot be started: sudo apt-get install ${missing.join(' ')}`);
    const cassandra = await startCassandra({ nodes: 1, settings: { phi_convict_threshold: 9 } });
    ends.push(() => cassandra.stop());
    const [node] = cassandra.members;
    expect(await node!.nodetool('status')).toMatch(/^UN +127\.0\.0\.1 /m);
    expect(readFileSync(join(node!.folder, 'cassandra.yaml'), 'utf8')).toMatch(/^phi_convict_threshold: 9$/m);
  });

  it('has its file filled in line by line, as the official image does it', () => {
    const yaml = '# listen_address: 10.0.0.1\nnum_tokens: 16\n      - seeds: "a,b"\n';
    expect(filled(yaml, { listen_address: '127.0.0.1', num_tokens: 1, seeds: 'c', storage_port: 7 })).toBe(
      'listen_address: "127.0.0.1"\nnum_tokens: 1\n      - seeds: "c"\nstorage_port: 7\n',
    );
  });
});
