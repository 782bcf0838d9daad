import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { queryOn } from './cassandra-probe.ts';
import { fetchJars } from './jars.ts';
import { type Member, makeFolder, removeFolder, startMember, waitUntil } from './members.ts';
import { freePorts } from './ports.ts';

// Real Cassandra nodes on this machine: `../cassandra/cassandra.yaml`, with the addresses, the folders and the sizes of this machine. Nodes of a cluster share
// their port, so each has an address of its own, 127.0.0.1 and up; several clusters differ by their ports.

/** Whom an address is for: Parlance's nodes (drivers), or the other Cassandra nodes. */
export type CassandraLink = 'clients' | 'peers';

export interface CassandraOptions {
  /** 3 when left out. */
  nodes?: number;
  /**
   * Called before anything starts, for both listeners of every node: the host that others are told to use instead of the one listened on. The port stays, so a
   * proxy that can cut the way listens on that port of another address, such as 127.0.1.1. `id` counts from 1.
   */
  advertise?(link: CassandraLink, address: string, id: number): string | Promise<string>;
  /** More lines for every node's cassandra.yaml, instead of those of the file. */
  settings?: Readonly<Record<string, string | number | boolean>>;
  /** Of each node. 512 when left out. */
  heapMb?: number;
}

export interface CassandraNode extends Member {
  /** Runs nodetool on it (`flush`, `status`, `snapshot` …) and resolves with what it said. Rejects when it fails. */
  nodetool(...args: string[]): Promise<string>;
}

export interface Cassandra {
  /** One a node, in the order of their ids, which count from 1. */
  readonly members: readonly CassandraNode[];
  /** host:port of each, as clients are told. */
  readonly contactPoints: readonly string[];
  readonly dataCenter: string;
  /** Resolves when every running node can reach every copy of a row; meant for when all run. Rejects after `timeoutMs` (60 s). */
  untilWhole(timeoutMs?: number): Promise<void>;
  /** Kills the nodes and removes their folders. */
  stop(): Promise<void>;
}

const settingsFile = join(import.meta.dirname, '../cassandra/cassandra.yaml');
const dataCenter = 'datacenter1';
const readyTimeoutMs = 240_000;

/** Starts nodes on a free port of 127.0.0.1 and up, and resolves when each answers for all. Rejects, with nothing left running, when they do not. */
export async function startCassandra({
  nodes: count = 3,
  advertise = (_, address) => hostOf(address),
  settings = {},
  heapMb = 512,
}: CassandraOptions = {}): Promise<Cassandra> {
  const jars = await fetchJars('cassandra');
  const agent = (await readdir(jars)).find((name) => /^jamm-.*\.jar$/.test(name));
  const folder = await makeFolder('cassandra');
  const members: (CassandraNode & { untilReady(): Promise<void> })[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.kill()));
    await removeFolder(folder);
  };
  try {
    const hosts = Array.from({ length: count }, (_, index) => `127.0.0.${index + 1}`);
    const [clientPort, peerPort] = (await freePorts(2, hosts)) as [number, number];
    const controlPorts = await freePorts(count);
    const clientHosts = await Promise.all(hosts.map((host, index) => advertise('clients', `${host}:${clientPort}`, index + 1)));
    const peerHosts = await Promise.all(hosts.map((host, index) => advertise('peers', `${host}:${peerPort}`, index + 1)));
    const common = await readFile(settingsFile, 'utf8');
    const logging = join(folder, 'logback.xml');
    await writeFile(logging, logbackXml);

    for (const [index, host] of hosts.entries()) {
      const id = index + 1;
      const own = join(folder, `cassandra${id}`);
      await mkdir(own);
      const yaml = filled(common, {
        listen_address: host,
        broadcast_address: peerHosts[index]!,
        rpc_address: host,
        broadcast_rpc_address: clientHosts[index]!,
        native_transport_port: clientPort,
        storage_port: peerPort,
        ...quickStart(index, count),
        ...small,
        ...settings,
        // All of them: none waits for another, and each finds those that are there.
        seeds: peerHosts.join(','),
      });
      await writeFile(join(own, 'cassandra.yaml'), yaml);
      await writeFile(join(own, 'rackdc.properties'), `dc=${dataCenter}\nrack=rack${id}\n`);
      const address = `${host}:${clientPort}`;
      const controlPort = controlPorts[index]!;
      const member = startMember({
        name: `cassandra${id}`,
        address,
        folder: own,
        command: 'java',
        args: [
          ...[`-Xms${heapMb}m`, `-Xmx${heapMb}m`, ...jvmOptions, `-javaagent:${join(jars, agent ?? '')}`],
          ...[`-Dcassandra.config=${pathToFileURL(join(own, 'cassandra.yaml'))}`, `-Dcassandra.storagedir=${own}`],
          ...[`-Dcassandra-rackdc.properties=${pathToFileURL(join(own, 'rackdc.properties'))}`, `-Dcassandra.jmx.local.port=${controlPort}`],
          ...[`-Dlogback.configurationFile=${logging}`, '-cp', `${jars}/*`, 'org.apache.cassandra.service.CassandraDaemon'],
        ],
        probe: () => queryOn(address, 'SELECT key FROM system.local', 'ONE').then(() => undefined),
        readyTimeoutMs,
      });
      members.push(Object.assign(member, { nodetool: (...args: string[]) => runNodetool(jars, own, controlPort, args) }));
    }
    const untilWhole = async (timeoutMs = 60_000): Promise<void> => {
      const running = members.filter((member) => member.isRunning);
      await Promise.all(running.map((member) => waitUntil(member.name, () => seesAll(member.address, count), { timeoutMs })));
    };
    await Promise.all(members.map((member) => member.untilReady()));
    await untilWhole();
    return { members, contactPoints: clientHosts.map((host) => `${host}:${clientPort}`), dataCenter, untilWhole, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const hostOf = (address: string): string => address.slice(0, address.lastIndexOf(':'));

/** A table that Cassandra itself keeps three copies of is read from all of them. With fewer nodes there is no such table, and the node's own answer has to do. */
async function seesAll(address: string, count: number): Promise<string | undefined> {
  if (count < 3) return undefined;
  await queryOn(address, 'SELECT id FROM system_distributed.repair_history LIMIT 1', 'ALL');
  return undefined;
}

/** The text of a cassandra.yaml with these lines instead of its own, or instead of the comments that hold their place, or at its end. */
export function filled(yaml: string, values: Readonly<Record<string, string | number | boolean>>): string {
  return Object.entries(values).reduce((text, [name, value]) => {
    if (name === 'seeds') return text.replace(/(- seeds:).*/, `$1 "${value}"`);
    const line = `${name}: ${typeof value === 'string' ? JSON.stringify(value) : value}`;
    const place = new RegExp(`^(# )?${name}:.*$`, 'm');
    return place.test(text) ? text.replace(place, line) : `${text}${line}\n`;
  }, yaml);
}

/**
 * One token a node, fixed and even: all start at once without handing ranges over. Only right for a new cluster whose size is known.
 */
function quickStart(index: number, count: number): Record<string, string | number | boolean> {
  const token = -(2n ** 63n) + (2n ** 64n / BigInt(count)) * BigInt(index);
  return { num_tokens: 1, initial_token: String(token), auto_bootstrap: false };
}

/** Sizes for many nodes on one machine: 0.9 GB each with a heap of 512 MiB. */
const small = {
  commitlog_segment_size: '8MiB',
  commitlog_total_space: '256MiB',
  memtable_heap_space: '64MiB',
  memtable_offheap_space: '64MiB',
  file_cache_size: '64MiB',
  key_cache_size: '8MiB',
  networking_cache_size: '32MiB',
};

const exported = [
  ...['java.base/jdk.internal.misc', 'java.base/java.lang.ref', 'java.management.rmi/com.sun.jmx.remote.internal.rmi', 'java.rmi/sun.rmi.registry'],
  ...['java.rmi/sun.rmi.server', 'java.sql/java.sql', 'jdk.attach/sun.tools.attach', 'jdk.unsupported/sun.misc'],
];
const opened = [
  ...['java.base/java.io', 'java.base/java.lang', 'java.base/java.lang.module', 'java.base/java.lang.reflect', 'java.base/java.nio', 'java.base/java.util'],
  ...['java.base/jdk.internal.loader', 'java.base/jdk.internal.math', 'java.base/jdk.internal.module', 'java.base/jdk.internal.ref'],
  ...['java.base/jdk.internal.reflect', 'java.base/jdk.internal.util.jar', 'java.base/sun.nio.ch', 'jdk.management/com.sun.management.internal'],
];
/** What Cassandra 5 uses of Java 17's insides, which its own start script opens too. */
const moduleAccess = [
  ...exported.flatMap((name) => ['--add-exports', `${name}=ALL-UNNAMED`]),
  ...opened.flatMap((name) => ['--add-opens', `${name}=ALL-UNNAMED`]),
];
/**
 * The simplest collector and the quicker of the two compilers, since many small processes share this machine (a start takes 9 s of processor time instead of 13),
 * and no waiting for nodes that cannot be there.
 */
const jvmOptions = [
  ...[
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xss512k',
    '-Djdk.attach.allowAttachSelf=true',
    '-Dio.netty.tryReflectionSetAccessible=true',
    '-Djava.security.manager=allow',
  ],
  ...moduleAccess,
  ...['-Dcassandra-foreground=yes', '-Dcassandra.ring_delay_ms=1000', '-Dcassandra.skip_wait_for_gossip_to_settle=0'],
];

const logbackXml = `<configuration>
  <appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0} %msg%n</pattern></encoder></appender>
  <root level="\${level:-INFO}"><appender-ref ref="out"/></root>
</configuration>
`;

/** It keeps a history of what was asked in its home: the node's folder. */
async function runNodetool(jars: string, folder: string, port: number, args: readonly string[]): Promise<string> {
  const tool = [
    '-Xmx128m',
    `-Duser.home=${folder}`,
    `-Dlogback.configurationFile=${join(folder, '../logback.xml')}`,
    '-Dlevel=OFF',
    ...moduleAccess,
    '-cp',
    `${jars}/*`,
    'org.apache.cassandra.tools.NodeTool',
  ];
  const child = spawn('java', [...tool, '-h', '127.0.0.1', '-p', String(port), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said = `${said}${chunk}`));
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : `exit ${code}`));
  });
  if (failure !== undefined) throw new Error(`nodetool ${args.join(' ')} failed (${failure}): ${said.slice(-3000)}`);
  return said;
}
