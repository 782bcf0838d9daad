import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchJars } from './jars.ts';
import { brokersSeenBy } from './kafka-probe.ts';
import { type Member, makeFolder, removeFolder, startMember, waitUntil } from './members.ts';
import { freePorts } from './ports.ts';

// Real Kafka brokers on this machine: `../kafka/broker.properties`, with the addresses, the folders and the sizes of this machine.

/** Whom an address is for: Parlance's nodes, the other brokers, the other controllers. */
export type KafkaLink = 'clients' | 'brokers' | 'controllers';

export interface KafkaOptions {
  /** 3 when left out. With fewer, there are as many copies. */
  brokers?: number;
  /**
   * Called before anything starts, for every listener of every broker: the address that others are told to use instead of the one listened on, such as that of
   * a proxy which can cut the way. `id` counts from 1.
   */
  advertise?(link: KafkaLink, address: string, id: number): string | Promise<string>;
  /** More lines for every broker's properties, over those of the file. */
  properties?: Readonly<Record<string, string>>;
  /** Of each broker. 256 when left out. */
  heapMb?: number;
}

export interface Kafka {
  /** One a broker, in the order of their ids, which count from 1. */
  readonly members: readonly Member[];
  /** host:port of each, as clients are told. */
  readonly brokers: readonly string[];
  /** Resolves when every running broker sees every other running one. Rejects after `timeoutMs` (60 s). */
  untilWhole(timeoutMs?: number): Promise<void>;
  /** Kills the brokers and removes their folders. */
  stop(): Promise<void>;
}

const settingsFile = join(import.meta.dirname, '../kafka/broker.properties');
const readyTimeoutMs = 120_000;

/** Starts brokers on free ports and resolves when they all see each other. Rejects, with nothing left running, when they do not. */
export async function startKafka({
  brokers: count = 3,
  advertise = (_, address) => address,
  properties = {},
  heapMb = 256,
}: KafkaOptions = {}): Promise<Kafka> {
  const classPath = `${await fetchJars('kafka')}/*`;
  const folder = await makeFolder('kafka');
  const members: ReturnType<typeof startMember>[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.kill()));
    await removeFolder(folder);
  };
  try {
    const plans = await planBrokers(count, advertise);
    const voters = plans.map(({ id, advertised }) => `${id}@${advertised.controllers}`).join(',');
    const common = await readFile(settingsFile, 'utf8');
    const clusterId = newClusterId();
    await Promise.all(
      plans.map(async ({ id, listening, advertised }) => {
        const own = {
          'node.id': id,
          'controller.quorum.voters': voters,
          listeners: `CLIENTS://${listening.clients},BROKERS://${listening.brokers},CONTROLLERS://${listening.controllers}`,
          'advertised.listeners': `CLIENTS://${advertised.clients},BROKERS://${advertised.brokers}`,
          'log.dirs': join(folder, `kafka${id}`, 'data'),
          ...(count < 3 && fewerCopies(count)),
          ...properties,
        };
        const lines = Object.entries(own).map(([name, value]) => `${name}=${value}`);
        await mkdir(join(folder, `kafka${id}`));
        await writeFile(propertiesOf(folder, id), `${common}\n${lines.join('\n')}\n`);
        await format(classPath, clusterId, propertiesOf(folder, id));
      }),
    );
    for (const { id, listening } of plans) {
      members.push(
        startMember({
          name: `kafka${id}`,
          address: listening.clients,
          folder: join(folder, `kafka${id}`),
          command: 'java',
          args: [`-Xms${heapMb}m`, `-Xmx${heapMb}m`, ...jvmOptions, '-cp', classPath, 'kafka.Kafka', propertiesOf(folder, id)],
          probe: async () => ((await brokersSeenBy(listening.clients)).includes(id) ? undefined : 'it is not one of the brokers yet'),
          readyTimeoutMs,
        }),
      );
    }
    const untilWhole = async (timeoutMs = 60_000): Promise<void> => {
      const running = members.filter((member) => member.isRunning);
      await Promise.all(
        running.map((member) =>
          waitUntil(
            member.name,
            async () => {
              const seen = await brokersSeenBy(member.address);
              return running.every(({ name }) => seen.includes(Number(name.slice('kafka'.length)))) ? undefined : `it sees the brokers ${seen.join(', ')} only`;
            },
            { timeoutMs },
          ),
        ),
      );
    };
    await Promise.all(members.map((member) => member.untilReady()));
    await untilWhole();
    return { members, brokers: plans.map(({ advertised }) => advertised.clients), untilWhole, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const propertiesOf = (folder: string, id: number): string => join(folder, `kafka${id}`, 'broker.properties');

/** The simplest collector: many small processes share this machine. */
const jvmOptions = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];

type Addresses = Record<KafkaLink, string>;

async function planBrokers(
  count: number,
  advertise: NonNullable<KafkaOptions['advertise']>,
): Promise<{ id: number; listening: Addresses; advertised: Addresses }[]> {
  const ports = await freePorts(3 * count);
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const id = index + 1;
      const [clients, brokers, controllers] = ports.slice(3 * index, 3 * id).map((port) => `127.0.0.1:${port}`) as [string, string, string];
      const told = (link: KafkaLink, address: string): Promise<string> => Promise.resolve(advertise(link, address, id));
      return {
        id,
        listening: { clients, brokers, controllers },
        advertised: {
          clients: await told('clients', clients),
          brokers: await told('brokers', brokers),
          controllers: await told('controllers', controllers),
        },
      };
    }),
  );
}

const fewerCopies = (count: number): Record<string, number> => ({
  'default.replication.factor': count,
  'min.insync.replicas': 1,
  'offsets.topic.replication.factor': count,
  'transaction.state.log.replication.factor': count,
  'transaction.state.log.min.isr': 1,
  'share.coordinator.state.topic.replication.factor': count,
  'share.coordinator.state.topic.min.isr': 1,
});

/** As Kafka makes them: 128 random bits in URL-safe base64, not beginning with a dash, which a command line would take for an option. */
function newClusterId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newClusterId() : id;
}

async function format(classPath: string, clusterId: string, properties: string): Promise<void> {
  const tool = ['-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.tools.StorageTool'];
  const child = spawn('java', [...tool, 'format', '-t', clusterId, '-c', properties], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said = `${said}${chunk}`.slice(-3000)));
  const failure = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => resolve(code === 0 ? undefined : `exit ${code}`));
  });
  if (failure !== undefined) throw new Error(`A broker's folder could not be made (${failure}).\n${said}`);
}
