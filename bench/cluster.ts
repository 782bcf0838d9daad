import { type Cluster, startCluster } from '../deploy/local/cluster.ts';
import type { Member } from '../deploy/local/members.ts';
import { cassandraRows, kafkaHops } from './engines.ts';
import { fill } from './fill.ts';
import type { Person } from './load.ts';
import { many, measureMs, resultsFile, socketCounts, textBytes, warmUpMs } from './options.ts';
import { latencies, named, report, reportRaised, writeReport } from './report.ts';
import { Caller, cpuSecondsOf, raised, runLoad } from './server.ts';

// How fast nodes on real engines are: one to three of them, three brokers, three Cassandra nodes, HAProxy and the load on this one machine, beside what the engines
// alone give on it. What the machine's few cores do in that time is printed too, because with everything on one machine they are the limit.

const partitions = 16;
const nodesMax = 3;
/** A freshly started Java program is many times slower than the same one a minute later: everything is used for so long, by as many as ever will, before anything is measured. */
const firstWarmUpMs = warmUpMs * 8;
const socketsOfMost = Math.max(...socketCounts);
const raisedOfProxy = { PARLANCE_ADDRESS_REQUESTS: '10000000', PARLANCE_ADDRESS_CONNECTIONS: '10000', PARLANCE_PROXY_CONNECTIONS: '4000' };

reportRaised({ ...raised, ...raisedOfProxy });
const cluster = await startCluster({
  nodes: 1,
  partitions,
  settings: raised,
  haproxy: { variables: raisedOfProxy },
  progress: (text) => process.stderr.write(`${text}\n`),
});
try {
  report({ what: 'partitions (P)', value: partitions, unit: '' });
  await measureCeilings();
  const caller = new Caller(cluster.url);
  process.stderr.write(`registering ${socketsOfMost} people …\n`);
  const people = await caller.people(socketsOfMost);
  await load(people, firstWarmUpMs, warmUpMs);
  await measureNodes(people);
  await measureBytes(caller, people[0]!);
} finally {
  await cluster.stop();
}
writeReport(resultsFile, { raised, textBytes, warmUpMs, measureMs, partitions });

async function measureCeilings(): Promise<void> {
  const brokers = cluster.kafka!.brokers;
  await kafkaHops(brokers, partitions, socketsOfMost, firstWarmUpMs, warmUpMs);
  for (const writers of socketCounts) {
    const hops = await kafkaHops(brokers, partitions, writers, warmUpMs, measureMs);
    report({ what: `raw: Kafka's two hops alone, ${writers} at once`, value: hops.perSecond, unit: '/s', ...latencies(hops) });
  }
  const { contactPoints, dataCenter } = cluster.cassandra!;
  const most = { partitions: 16, batch: 31 };
  await cassandraRows({ contactPoints, dataCenter }, most, firstWarmUpMs, warmUpMs);
  for (const shape of [{ partitions: 1, batch: 1 }, { partitions: 16, batch: 3 }, most]) {
    const rows = await cassandraRows({ contactPoints, dataCenter }, shape, warmUpMs, measureMs);
    const what = `raw: Cassandra alone, ${shape.partitions} × ${shape.batch} messages at once`;
    report({ what, value: rows.perSecond, unit: '/s', ...latencies(rows) });
  }
}

async function measureNodes(people: Person[]): Promise<void> {
  for (let nodes = 1; nodes <= nodesMax; nodes++) {
    if (nodes > 1) {
      await cluster.addNode();
      // The partitions are dealt out anew, and the new node's code is cold.
      await load(people, warmUpMs * 2, warmUpMs);
    }
    for (const sockets of nodes === nodesMax ? socketCounts : [socketsOfMost]) {
      const before = cpuOf(cluster);
      const measured = await load(people.slice(0, sockets), warmUpMs, measureMs);
      const after = cpuOf(cluster);
      const what = `acked sends, ${nodes} node${nodes === 1 ? '' : 's'}, ${named(sockets)}`;
      report({ what, value: measured.perSecond, unit: '/s', ...latencies(measured) });
      const used = new Map([...after].map(([kind, seconds]) => [kind, seconds - before.get(kind)!]));
      used.set('load', measured.cpuSeconds);
      const all = [...used.values()].reduce((sum, seconds) => sum + seconds, 0);
      for (const [kind, seconds] of used) report({ what: `  processor time: ${kind}`, value: (100 * seconds) / all, unit: '%' });
    }
  }
}

function load(people: Person[], before: number, during: number): ReturnType<typeof runLoad> {
  return runLoad({ kind: 'send', port: Number(new URL(cluster.url).port), path: '/v1/live', people, warmUpMs: before, measureMs: during, textBytes });
}

/** Processor seconds used so far, by the kind of program. */
function cpuOf({ nodes, kafka, cassandra, haproxy }: Cluster): Map<string, number> {
  const sum = (members: readonly Member[]): number => members.reduce((seconds, { pid }) => seconds + cpuSecondsOf(pid), 0);
  return new Map([
    ['nodes', sum(nodes)],
    ['Kafka', sum(kafka!.members)],
    ['Cassandra', sum(cassandra!.members)],
    ['HAProxy', sum([haproxy.member])],
  ]);
}

/** What a message takes in the files of one replica: everything that is stored for it, decisions and all, compacted. */
async function measureBytes(caller: Caller, admin: Person): Promise<void> {
  const before = await bytesOfReplica();
  await fill(caller, admin, many);
  const bytes = ((await bytesOfReplica()) - before) / many;
  report({ what: `bytes per ${textBytes}-byte message per Cassandra replica (of ${many.toLocaleString('en')})`, value: bytes, unit: 'bytes' });
}

async function bytesOfReplica(): Promise<number> {
  const node = cluster.cassandra!.members[0]!;
  await node.nodetool('flush');
  await node.nodetool('compact');
  const said = await node.nodetool('tablestats', '-F', 'json');
  const keyspaces = JSON.parse(said.slice(said.indexOf('{'))) as Record<string, { tables?: Record<string, { space_used_live: string | number }> }>;
  const own = Object.entries(keyspaces).filter(([name]) => name.startsWith('cluster_'));
  return own.flatMap(([, { tables = {} }]) => Object.values(tables)).reduce((sum, { space_used_live }) => sum + Number(space_used_live), 0);
}
