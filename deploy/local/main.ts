import { parseArgs } from 'node:util';
import { type Cluster, startCluster } from './cluster.ts';
import { missingPackages } from './jars.ts';

// `npm run cluster`: real engines, three nodes and HAProxy on this machine, until Ctrl-C ends all of it. What people write goes with it.

const usage = 'npm run cluster -- [--nodes=3] [--port=8080] [--partitions=16]';

const { nodes, port, partitions } = readArguments();

const missing = missingPackages(['kafka', 'cassandra', 'haproxy']);
if (missing.length > 0) {
  process.stderr.write(`The cluster needs programs that this machine lacks. Install them with: sudo apt-get install ${missing.join(' ')}\n`);
  process.exit(2);
}

// Whatever ends this process ends everything: also before the cluster is up, and on a second Ctrl-C, the watchdog sees to it.
let cluster: Cluster | undefined;
let isStopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end());

async function end(): Promise<void> {
  if (isStopping || cluster === undefined) process.exit(130);
  isStopping = true;
  process.stderr.write('\nEnding everything … (Ctrl-C again does not wait)\n');
  await Promise.all(cluster.nodes.map((node) => node.terminate(15_000)));
  await cluster.stop();
  process.exit(0);
}

try {
  const begunAt = performance.now();
  cluster = await startCluster({ nodes, partitions, haproxy: { port }, progress: (text) => void process.stderr.write(`${text}\n`) });
  const seconds = Math.round((performance.now() - begunAt) / 1000);
  process.stdout.write(
    `Parlance is up after ${seconds} s: ${cluster.url}   (HAProxy, ${nodes} nodes, 3 Kafka brokers, 3 Cassandra nodes; Ctrl-C ends all of it, and its data)\n`,
  );
  process.stdout.write(`There is no administrator yet. Whoever opens this link while signed in becomes it, once:\n  ${cluster.adminLink}\n`);
} catch (error) {
  process.stderr.write(`The cluster did not start. ${(error as Error).message}\n`);
  process.exit(1);
}

function readArguments(): { nodes: number; port: number; partitions: number } {
  try {
    const { values } = parseArgs({
      options: { nodes: { type: 'string', default: '3' }, port: { type: 'string', default: '8080' }, partitions: { type: 'string', default: '16' } },
    });
    const whole = (name: keyof typeof values, max: number): number => {
      const number = /^\d{1,5}$/.test(values[name]) ? Number(values[name]) : 0;
      if (number >= 1 && number <= max) return number;
      throw new Error(`--${name} must be a whole number from 1 to ${max}, not "${values[name]}".`);
    };
    return { nodes: whole('nodes', 8), port: whole('port', 65_535), partitions: whole('partitions', 256) };
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${usage}\n`);
    process.exit(2);
  }
}
