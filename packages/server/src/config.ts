import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { BlockList, isIP } from 'node:net';
import { join } from 'node:path';
import * as limits from '@parlance/schema/limits';

// Every setting of the server in one flat list, read once, from the environment and the command line; a flag wins over a variable. What
// cannot be right stops the start with one sentence that says what to change. With nothing set, everything runs embedded on loopback.

/** A setting that is wrong, unknown or contradicts another. The message is one sentence for the person who starts the server. */
export class ConfigError extends Error {}

interface Kinds {
  text: string;
  integer: number;
  switch: boolean;
}

interface Setting<K extends string = string, T extends keyof Kinds = keyof Kinds, D = unknown> {
  /** Its name in the frozen `Config`. */
  key: K;
  /** Its environment variable. */
  name: string;
  /** Its flag on the command line. */
  flag: string;
  type: T;
  default: D;
  description: string;
  /** Never printed. */
  secret?: boolean;
  min?: number;
  max?: number;
  choices?: readonly string[];
}

interface More {
  secret?: boolean;
  min?: number;
  max?: number;
  choices?: readonly string[];
  flag?: string;
}

const define =
  <T extends keyof Kinds>(type: T) =>
  <const K extends string, D extends Kinds[T] | undefined>(key: K, fallback: D, description: string, more: More = {}): Setting<K, T, D> => {
    const words = key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return { key, name: `PARLANCE_${words.replaceAll('-', '_').toUpperCase()}`, flag: `--${words}`, type, default: fallback, description, ...more };
  };
const text = define('text');
const integer = define('integer');
const onOff = define('switch');

/** The list. `docs/operations.md` holds it as a table, and a test compares the two. */
export const settings = [
  text('host', '127.0.0.1', 'Address to listen on. Beyond loopback it needs TLS, or a proxy that terminates it.'),
  integer('port', 8080, 'Port to listen on; 0 takes a free one.', { min: 0, max: 65_535 }),
  text('dataDir', './data', 'Folder that holds everything the server keeps.'),
  text('publicUrl', undefined, 'Address people use, such as https://chat.example.org, when it differs from the one the server listens on.'),
  text('tlsCert', undefined, 'File with the TLS certificate chain (PEM). Serves https and wss.'),
  text('tlsKey', undefined, 'File with the private key of the certificate (PEM).'),
  onOff('behindTlsProxy', false, 'A proxy in front terminates TLS: the server may listen beyond loopback without it, and cookies are marked secure.'),
  text(
    'trustedProxies',
    undefined,
    'Proxies whose X-Forwarded-For is believed: addresses or networks, separated by commas. When left out: loopback with PARLANCE_BEHIND_TLS_PROXY, otherwise none.',
  ),
  text('registration', 'open', 'Whether anyone may make an account (open) or administrators only (closed).', { choices: ['open', 'closed'] }),
  text(
    'installationKey',
    undefined,
    'Key under which bodies are fingerprinted, 32 bytes in hexadecimal; otherwise made at first start and kept in the data folder.',
    {
      secret: true,
    },
  ),
  text('adminLinkSecret', undefined, 'Secret of the link that makes the first administrator, for unattended set-up; 16 to 128 of A-Z a-z 0-9 _ -.', {
    secret: true,
  }),
  text('nodeName', undefined, 'Name of this node in a cluster, the same after a restart and no other node’s. Host name and port when left out.'),
  text('kafkaBrokers', undefined, 'Kafka brokers, host:port separated by commas. With PARLANCE_CASSANDRA_CONTACT_POINTS this server is one node of a cluster.'),
  text('kafkaTopicPrefix', 'parlance', 'What the names of the three Kafka topics begin with.'),
  integer('kafkaReplicationFactor', 3, 'Brokers that hold each record.', { min: 1, max: 32 }),
  integer('kafkaMinInsyncReplicas', 2, 'Brokers that must have a record before it counts as stored.', { min: 1, max: 32 }),
  onOff('kafkaTls', false, 'Speak TLS with the Kafka brokers.'),
  text('kafkaTlsCa', undefined, 'File with the authorities that sign the brokers’ certificates (PEM), when not those the system trusts.'),
  text('kafkaTlsCert', undefined, 'File with the certificate that this node shows to the brokers (PEM).'),
  text('kafkaTlsKey', undefined, 'File with the key of that certificate (PEM).'),
  text('kafkaSaslMechanism', undefined, 'How this node logs in to Kafka.', { choices: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] }),
  text('kafkaUsername', undefined, 'User name of this node at Kafka.'),
  text('kafkaPassword', undefined, 'Password of this node at Kafka.', { secret: true }),
  integer('partitions', 16, 'Partitions of the journal in a cluster. Chosen once: it cannot be changed afterwards.', { min: 1, max: 1024 }),
  integer('journalBase', 0, 'First position of the journal. Raised, on all nodes, above every position there was when the Kafka topics had to be made anew.'),
  integer('journalKeepDays', 3, 'Days that applied records stay in Kafka.', { min: 0, max: 365 }),
  text('cassandraContactPoints', undefined, 'Cassandra nodes to begin with, host or host:port separated by commas.'),
  text('cassandraDataCenter', 'datacenter1', 'Cassandra’s name of the data centre this node reads and writes in.'),
  text('cassandraKeyspace', 'parlance', 'Keyspace that holds everything; made at the first start.'),
  integer('cassandraReplicationFactor', 3, 'Cassandra nodes that hold each row, when the keyspace is made.', { min: 1, max: 32 }),
  text('cassandraConsistency', 'LOCAL_QUORUM', 'Nodes that must answer each read and write.', { choices: ['LOCAL_QUORUM', 'QUORUM', 'ALL'] }),
  onOff('cassandraTls', false, 'Speak TLS with Cassandra.'),
  text('cassandraTlsCa', undefined, 'File with the authorities that sign Cassandra’s certificates (PEM), when not those the system trusts.'),
  text('cassandraTlsCert', undefined, 'File with the certificate that this node shows to Cassandra (PEM).'),
  text('cassandraTlsKey', undefined, 'File with the key of that certificate (PEM).'),
  text('cassandraUsername', undefined, 'User name of this node at Cassandra.'),
  text('cassandraPassword', undefined, 'Password of this node at Cassandra.', { secret: true }),
  integer('agentPort', undefined, 'Port on which HAProxy’s agent check is told how busy this node is; none when left out.', { min: 1, max: 65_535 }),
  integer('drainMs', 0, 'How long to go on serving after SIGTERM while /readyz already answers 503, milliseconds.', { min: 0, max: 600_000 }),
  integer('commandTimeoutMs', 10_000, 'How long a write waits for its outcome before it is answered 503, milliseconds.', { min: 100, max: 60_000 }),
  integer('requestTimeoutMs', 30_000, 'How long a request may take to arrive whole, milliseconds.', { min: 100, max: 600_000 }),
  integer('writesPerSecond', limits.writesPerSecond, 'Writes of one person, sustained, per second.', { min: 1, max: 1_000_000 }),
  integer('writesBurst', limits.writesBurst, 'Writes of one person in a burst.', { min: 1, max: 10_000_000 }),
  integer('registrationsBurst', limits.registrationsBurst, 'Registrations from one address in a burst, refilled over an hour.', { min: 1, max: 1_000_000 }),
  integer('loginFailuresBurst', limits.loginFailuresBurst, 'Failed log-ins to one account from one address in a burst; one more every 30 seconds.', {
    min: 1,
    max: 1_000_000,
  }),
  integer('socketQueueBytes', limits.socketQueueBytesMax, 'Bytes that may wait for a slow reader of a live socket before it is cut.', {
    min: 65_536,
    max: 1_073_741_824,
  }),
  text('logLevel', 'info', 'Least important kind of log line to write.', { choices: ['trace', 'debug', 'info', 'warn', 'error', 'silent'] }),
  onOff('logJson', false, 'Write log lines, and what is printed at the start, as JSON.', { flag: '--json' }),
] as const;

type Value<S extends Setting> = S['default'] extends undefined ? Kinds[S['type']] | undefined : Kinds[S['type']];
type Settings = (typeof settings)[number];

/** The settings as read. */
export type Config = Readonly<{ [S in Settings as S['key']]: Value<S> }>;

const list: readonly Setting[] = settings;

/** Variables of the command line client, which shares the prefix. */
const foreignNames = ['PARLANCE_URL', 'PARLANCE_TOKEN', 'PARLANCE_PASSWORD'];

/** Reads the settings from the environment and the flags after `parlance serve`. Throws ConfigError. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>, flags: readonly string[] = []): Config {
  const values: Record<string, unknown> = {};
  for (const setting of list) values[setting.key] = setting.default;
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith('PARLANCE_') || foreignNames.includes(name) || value === undefined) continue;
    const setting = list.find((candidate) => candidate.name === name);
    if (setting === undefined)
      throw new ConfigError(
        unknown(
          `The environment variable ${name}`,
          name,
          list.map((one) => one.name),
        ),
      );
    values[setting.key] = parse(setting, name, value);
  }
  readFlags(flags, values);
  const config = Object.freeze(values) as Config;
  checkTogether(config);
  return config;
}

function readFlags(flags: readonly string[], values: Record<string, unknown>): void {
  for (let index = 0; index < flags.length; index++) {
    const [flag, given] = split(flags[index]!);
    const setting = list.find((candidate) => candidate.flag === flag);
    if (setting === undefined)
      throw new ConfigError(
        unknown(
          `"${flag}"`,
          flag,
          list.map((one) => one.flag),
        ),
      );
    if (setting.type === 'switch') {
      values[setting.key] = parse(setting, flag, given ?? 'true');
      continue;
    }
    const value = given ?? flags[++index];
    if (value === undefined) throw new ConfigError(`The setting ${flag} needs a value after it, for example ${flag}=${setting.default ?? '…'}.`);
    values[setting.key] = parse(setting, flag, value);
  }
}

function split(flag: string): [string, string | undefined] {
  const at = flag.indexOf('=');
  return at < 0 ? [flag, undefined] : [flag.slice(0, at), flag.slice(at + 1)];
}

function parse(setting: Setting, name: string, value: string): string | number | boolean {
  const quoted = setting.secret ? 'the value given' : `"${value}"`;
  switch (setting.type) {
    case 'switch': {
      if (['true', '1', 'yes', 'on'].includes(value.toLowerCase())) return true;
      if (['false', '0', 'no', 'off'].includes(value.toLowerCase())) return false;
      throw new ConfigError(`The setting ${name} must be true or false, not ${quoted}.`);
    }
    case 'integer': {
      const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
      const { min = 0, max = Number.MAX_SAFE_INTEGER } = setting;
      if (number >= min && number <= max) return number;
      throw new ConfigError(`The setting ${name} must be a whole number from ${min} to ${max}, not ${quoted}.`);
    }
    case 'text': {
      if (value === '') throw new ConfigError(`The setting ${name} is empty: give it a value, or leave it out.`);
      if (setting.choices !== undefined && !setting.choices.includes(value)) {
        throw new ConfigError(`The setting ${name} must be one of ${setting.choices.join(', ')}, not ${quoted}.`);
      }
      return value;
    }
  }
}

function checkTogether(config: Config): void {
  const hasTls = config.tlsCert !== undefined;
  if (hasTls !== (config.tlsKey !== undefined)) {
    throw new ConfigError(`TLS needs both files, the certificate and its key: set ${hasTls ? 'PARLANCE_TLS_KEY' : 'PARLANCE_TLS_CERT'} too.`);
  }
  if (hasTls && config.behindTlsProxy) {
    throw new ConfigError('Either the server itself serves TLS (PARLANCE_TLS_CERT) or a proxy does (PARLANCE_BEHIND_TLS_PROXY): unset one of the two.');
  }
  if (!hasTls && !config.behindTlsProxy && !isLoopback(config.host)) {
    throw new ConfigError(
      `Listening on ${config.host} without TLS would send passwords and messages in the clear: set PARLANCE_TLS_CERT and PARLANCE_TLS_KEY, or PARLANCE_BEHIND_TLS_PROXY=true when a proxy in front of this server does TLS.`,
    );
  }
  proxiesOf(config);
  checkCluster(config);
  if (config.publicUrl !== undefined && !isWebOrigin(config.publicUrl)) {
    throw new ConfigError(`PARLANCE_PUBLIC_URL must be an address like https://chat.example.org without a path, not "${config.publicUrl}".`);
  }
  if (config.installationKey !== undefined && !/^[0-9a-f]{64}$/i.test(config.installationKey)) {
    throw new ConfigError('PARLANCE_INSTALLATION_KEY must be 64 hexadecimal digits: make one with `openssl rand -hex 32`.');
  }
  if (config.adminLinkSecret !== undefined && !/^[A-Za-z0-9_-]{16,128}$/.test(config.adminLinkSecret)) {
    throw new ConfigError('PARLANCE_ADMIN_LINK_SECRET must be 16 to 128 characters of A-Z a-z 0-9 _ -: make one with `openssl rand -hex 24`.');
  }
}

/** Whether the server is a node of a cluster, on Kafka and Cassandra; otherwise everything is in the one process. */
export const isCluster = (config: Config): boolean => config.kafkaBrokers !== undefined;

function checkCluster(config: Config): void {
  if ((config.kafkaBrokers === undefined) !== (config.cassandraContactPoints === undefined)) {
    throw new ConfigError(
      `A cluster needs both, Kafka and Cassandra: set ${config.kafkaBrokers === undefined ? 'PARLANCE_KAFKA_BROKERS' : 'PARLANCE_CASSANDRA_CONTACT_POINTS'} too, or unset the other to run everything in this process.`,
    );
  }
  if (isCluster(config) && config.installationKey === undefined) {
    throw new ConfigError('All nodes of a cluster share one key: set the same PARLANCE_INSTALLATION_KEY on each, made once with `openssl rand -hex 32`.');
  }
  if (
    (config.kafkaSaslMechanism === undefined) !== (config.kafkaUsername === undefined) ||
    (config.kafkaUsername === undefined) !== (config.kafkaPassword === undefined)
  ) {
    throw new ConfigError('Logging in to Kafka needs all three: PARLANCE_KAFKA_SASL_MECHANISM, PARLANCE_KAFKA_USERNAME and PARLANCE_KAFKA_PASSWORD.');
  }
  if ((config.cassandraUsername === undefined) !== (config.cassandraPassword === undefined)) {
    throw new ConfigError('Logging in to Cassandra needs both: PARLANCE_CASSANDRA_USERNAME and PARLANCE_CASSANDRA_PASSWORD.');
  }
  for (const [engine, hasTls, files] of [
    ['KAFKA', config.kafkaTls, [config.kafkaTlsCa, config.kafkaTlsCert, config.kafkaTlsKey]],
    ['CASSANDRA', config.cassandraTls, [config.cassandraTlsCa, config.cassandraTlsCert, config.cassandraTlsKey]],
  ] as const) {
    const [, cert, key] = files;
    if (!hasTls && files.some((file) => file !== undefined)) {
      throw new ConfigError(`The files of PARLANCE_${engine}_TLS_… mean something only with PARLANCE_${engine}_TLS=true: set that too, or unset them.`);
    }
    if ((cert === undefined) !== (key === undefined)) {
      throw new ConfigError(`A certificate needs its key: set PARLANCE_${engine}_TLS_CERT and PARLANCE_${engine}_TLS_KEY, or neither.`);
    }
  }
  if (config.kafkaMinInsyncReplicas > config.kafkaReplicationFactor) {
    throw new ConfigError('PARLANCE_KAFKA_MIN_INSYNC_REPLICAS is more than PARLANCE_KAFKA_REPLICATION_FACTOR: no record could ever be stored.');
  }
}

/** What TLS with an engine is made with: the contents of the files. Undefined without TLS. Throws ConfigError when one cannot be read. */
export function tlsFilesOf(config: Config, engine: 'kafka' | 'cassandra'): { ca?: string; cert?: string; key?: string } | undefined {
  if (!config[`${engine}Tls`]) return undefined;
  const files = { ca: config[`${engine}TlsCa`], cert: config[`${engine}TlsCert`], key: config[`${engine}TlsKey`] };
  const contents: { ca?: string; cert?: string; key?: string } = {};
  for (const [name, file] of Object.entries(files)) {
    if (file === undefined) continue;
    try {
      contents[name as keyof typeof files] = readFileSync(file, 'utf8');
    } catch (error) {
      throw new ConfigError(`The file ${file} of PARLANCE_${engine.toUpperCase()}_TLS_${name.toUpperCase()} cannot be read: check its path and who owns it.`, {
        cause: error,
      });
    }
  }
  return contents;
}

/** Whether a host to listen on, or an address, is this machine only. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^(::ffff:)?127\.\d+\.\d+\.\d+$/.test(host);

function isWebOrigin(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const url = new URL(value);
  return (url.protocol === 'https:' || url.protocol === 'http:') && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
}

/** The proxies whose X-Forwarded-For is believed. Throws ConfigError. */
export function proxiesOf(config: Pick<Config, 'behindTlsProxy' | 'trustedProxies'>): BlockList {
  const proxies = new BlockList();
  const trusted = config.trustedProxies ?? (config.behindTlsProxy ? '127.0.0.0/8,::1' : undefined);
  for (const entry of trusted?.split(',') ?? []) {
    const [address = '', bits] = entry.trim().split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    const bitsMax = family === 'ipv6' ? 128 : 32;
    const isRight = isIP(address) !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax));
    if (!isRight) throw new ConfigError(`PARLANCE_TRUSTED_PROXIES must hold addresses or networks such as 10.0.0.5 or 10.0.0.0/8, not "${entry.trim()}".`);
    proxies.addSubnet(address, bits === undefined ? bitsMax : Number(bits), family);
  }
  return proxies;
}

function unknown(what: string, name: string, names: readonly string[]): string {
  const nearest = names.map((candidate) => ({ candidate, distance: distance(name, candidate) })).sort((a, b) => a.distance - b.distance)[0]!;
  const advice = nearest.distance <= 4 ? `did you mean ${nearest.candidate}?` : 'the settings are listed in docs/operations.md.';
  return `${what} is not a setting of this server: ${advice}`;
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** The settings for printing at the start: secrets only say that they are set. */
export function printable(config: Config): Record<string, unknown> {
  const shown = list
    .filter((setting) => config[setting.key as keyof Config] !== undefined)
    .map((setting) => [setting.key, setting.secret ? '(set)' : config[setting.key as keyof Config]]);
  return Object.fromEntries(shown);
}

/** The list as the table of docs/operations.md. */
export function settingsTable(): string {
  const rows = list.map((setting) => {
    const choices = setting.choices === undefined ? '' : ` One of ${setting.choices.map((choice) => `\`${choice}\``).join(', ')}.`;
    const fallback = setting.default === undefined ? '' : `\`${setting.default}\``;
    return `| \`${setting.name}\` | \`${setting.flag}\` | ${fallback} | ${setting.description}${choices} |`;
  });
  return ['| variable | flag | default | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

/**
 * The key of the installation: the setting, or the file `installation.key` of the data folder, which is made, whole and durable, if it is missing. It must
 * survive as long as the data: with another one a repeated write would look like a different one. Throws ConfigError.
 */
export function installationKeyOf(config: Config): Buffer {
  if (config.installationKey !== undefined) return Buffer.from(config.installationKey, 'hex');
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const path = join(config.dataDir, 'installation.key');
  const found = readKey(path);
  if (found !== undefined) return found;
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  writeDurably(draft, `${randomBytes(32).toString('hex')}\n`);
  try {
    // A link fails when somebody else was first; a rename would replace the key that they already use.
    linkSync(draft, path);
    syncFolder(config.dataDir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  return readKey(path)!;
}

function readKey(path: string): Buffer | undefined {
  let content: string;
  try {
    content = readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ConfigError(`The file ${path} cannot be read: check who owns it.`, { cause: error });
  }
  if (!/^[0-9a-f]{64}$/.test(content)) throw new ConfigError(`The file ${path} is damaged: restore it from a backup of the data folder.`);
  return Buffer.from(content, 'hex');
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
