import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError, installationKeyOf, isCluster, printable, proxiesOf, readConfig, settings, settingsTable, tlsFilesOf } from './config.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parlance-config-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('with nothing set, the server runs on loopback with its data beside it', () => {
  expect(readConfig({})).toMatchObject({ host: '127.0.0.1', port: 8080, dataDir: './data', registration: 'open', logJson: false });
  expect(Object.isFrozen(readConfig({}))).toBe(true);
});

test('a flag wins over a variable, in either of its two forms', () => {
  expect(readConfig({ PARLANCE_PORT: '1000' }, ['--port', '2000']).port).toBe(2000);
  expect(readConfig({ PARLANCE_PORT: '1000' }, ['--port=2000', '--json']).logJson).toBe(true);
  expect(readConfig({ PARLANCE_PORT: '1000', PARLANCE_TOKEN: 'of the client', OTHER: 'x' }).port).toBe(1000);
});

test.each([
  [{ PARLANCE_PROT: '1' }, [], 'The environment variable PARLANCE_PROT is not a setting of this server: did you mean PARLANCE_PORT?'],
  [{}, ['--data-dri', 'x'], '"--data-dri" is not a setting of this server: did you mean --data-dir?'],
  [{}, ['serve-it-all'], 'is not a setting'],
  [{}, ['--port'], 'needs a value'],
  [{ PARLANCE_PORT: '70000' }, [], 'must be a whole number from 0 to 65535, not "70000"'],
  [{ PARLANCE_PORT: '-1' }, [], 'must be a whole number'],
  [{ PARLANCE_PORT: '1e3' }, [], 'must be a whole number'],
  [{ PARLANCE_BEHIND_TLS_PROXY: 'maybe' }, [], 'must be true or false'],
  [{ PARLANCE_REGISTRATION: 'ajar' }, [], 'must be one of open, closed'],
  [{ PARLANCE_DATA_DIR: '' }, [], 'is empty'],
  [{ PARLANCE_HOST: '0.0.0.0' }, [], 'in the clear'],
  [{ PARLANCE_HOST: '::' }, [], 'in the clear'],
  [{ PARLANCE_TLS_CERT: 'a.pem' }, [], 'set PARLANCE_TLS_KEY too'],
  [{ PARLANCE_TLS_KEY: 'a.pem' }, [], 'set PARLANCE_TLS_CERT too'],
  [{ PARLANCE_TLS_CERT: 'a', PARLANCE_TLS_KEY: 'b', PARLANCE_BEHIND_TLS_PROXY: 'true' }, [], 'unset one of the two'],
  [{ PARLANCE_TRUSTED_PROXIES: '10.0.0.1/64', PARLANCE_BEHIND_TLS_PROXY: 'true' }, [], 'must hold addresses'],
  [{ PARLANCE_PUBLIC_URL: 'chat.example.org' }, [], 'must be an address like'],
  [{ PARLANCE_PUBLIC_URL: 'https://chat.example.org/path' }, [], 'must be an address like'],
  [{ PARLANCE_INSTALLATION_KEY: 'secretsecret' }, [], 'must be 64 hexadecimal digits'],
  [{ PARLANCE_ADMIN_LINK_SECRET: 'secretsecret!' }, [], 'must be 16 to 128 characters'],
] as const)('%j %j stops the start with a sentence', (environment, flags, sentence) => {
  expect(() => readConfig(environment, flags)).toThrow(ConfigError);
  expect(() => readConfig(environment, flags)).toThrow(sentence);
});

test('no secret is printed, nor repeated when it is wrong', () => {
  const secret = 'f'.repeat(64);
  const config = readConfig({ PARLANCE_INSTALLATION_KEY: secret, PARLANCE_ADMIN_LINK_SECRET: `s${secret}` });
  expect(JSON.stringify(printable(config))).not.toContain(secret);
  expect(printable(config)).toMatchObject({ installationKey: '(set)', adminLinkSecret: '(set)', port: 8080 });
  try {
    readConfig({ PARLANCE_INSTALLATION_KEY: 'hunter2hunter2' });
  } catch (error) {
    expect((error as Error).message).not.toContain('hunter2');
  }
});

test('it listens beyond loopback with TLS or a proxy that does it', () => {
  expect(readConfig({ PARLANCE_HOST: '0.0.0.0', PARLANCE_BEHIND_TLS_PROXY: 'true' }).host).toBe('0.0.0.0');
  expect(readConfig({ PARLANCE_HOST: '0.0.0.0', PARLANCE_TLS_CERT: 'a', PARLANCE_TLS_KEY: 'b' }).host).toBe('0.0.0.0');
});

test('proxies are believed only where one was announced', () => {
  expect(proxiesOf(readConfig({})).check('127.0.0.1')).toBe(false);
  expect(proxiesOf(readConfig({ PARLANCE_BEHIND_TLS_PROXY: 'true' })).check('127.0.0.1')).toBe(true);
  const proxies = proxiesOf(readConfig({ PARLANCE_BEHIND_TLS_PROXY: 'true', PARLANCE_TRUSTED_PROXIES: '10.0.0.0/8, fd00::1' }));
  expect(proxies.check('10.1.2.3')).toBe(true);
  expect(proxies.check('fd00::1', 'ipv6')).toBe(true);
  expect(proxies.check('127.0.0.1')).toBe(false);
});

test('every setting has a variable, a flag and a sentence, and stands in the table', () => {
  const table = settingsTable();
  for (const { name, flag, description } of settings) {
    expect(name).toMatch(/^PARLANCE_[A-Z_]+$/);
    expect(description).toMatch(/\.$/);
    expect(table).toContain(`| \`${name}\` | \`${flag}\` |`);
  }
});

test('the installation key is made once, readable by its owner only, and read from then on', () => {
  const config = readConfig({ PARLANCE_DATA_DIR: join(folder, 'data') });
  const made = installationKeyOf(config);
  expect(made).toHaveLength(32);
  expect(installationKeyOf(config)).toEqual(made);
  expect(statSync(join(folder, 'data', 'installation.key')).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, 'data', 'installation.key'), 'utf8').trim()).toBe(made.toString('hex'));
});

test('a damaged installation key stops the start instead of being replaced', () => {
  writeFileSync(join(folder, 'installation.key'), 'half a k');
  expect(() => installationKeyOf(readConfig({ PARLANCE_DATA_DIR: folder }))).toThrow('is damaged');
});

test('a given installation key makes no file', () => {
  const config = readConfig({ PARLANCE_DATA_DIR: join(folder, 'none'), PARLANCE_INSTALLATION_KEY: 'ab'.repeat(32) });
  expect(installationKeyOf(config).toString('hex')).toBe('ab'.repeat(32));
  expect(() => statSync(join(folder, 'none'))).toThrow();
});

test('a proxy is believed where it is named, with TLS or without; without a word nobody is', () => {
  const believes = (environment: Record<string, string>) => proxiesOf(readConfig(environment)).check('127.0.0.1');
  expect(believes({})).toBe(false);
  expect(believes({ PARLANCE_TRUSTED_PROXIES: '127.0.0.1' })).toBe(true);
  expect(believes({ PARLANCE_BEHIND_TLS_PROXY: 'true' })).toBe(true);
  expect(believes({ PARLANCE_BEHIND_TLS_PROXY: 'true', PARLANCE_TRUSTED_PROXIES: '10.0.0.1' })).toBe(false);
});

const cluster = { PARLANCE_KAFKA_BROKERS: 'a:9092', PARLANCE_CASSANDRA_CONTACT_POINTS: 'b:9042', PARLANCE_INSTALLATION_KEY: '0'.repeat(64) };

test('a cluster needs both engines and one key for all nodes', () => {
  expect(isCluster(readConfig(cluster))).toBe(true);
  expect(isCluster(readConfig({}))).toBe(false);
  for (const missing of Object.keys(cluster)) {
    const { [missing as keyof typeof cluster]: _, ...rest } = cluster;
    expect(() => readConfig(rest), missing).toThrow(missing);
  }
});

test.each([
  [{ PARLANCE_KAFKA_USERNAME: 'x' }, 'needs all three'],
  [{ PARLANCE_CASSANDRA_PASSWORD: 'x' }, 'PARLANCE_CASSANDRA_USERNAME'],
  [{ PARLANCE_KAFKA_TLS_CA: 'ca.pem' }, 'PARLANCE_KAFKA_TLS=true'],
  [{ PARLANCE_CASSANDRA_TLS: 'true', PARLANCE_CASSANDRA_TLS_CERT: 'c.pem' }, 'PARLANCE_CASSANDRA_TLS_KEY'],
  [{ PARLANCE_KAFKA_MIN_INSYNC_REPLICAS: '4' }, 'no record could ever be stored'],
] as const)('a cluster that cannot be is refused: %o', (more, sentence) => {
  expect(() => readConfig({ ...cluster, ...more })).toThrow(sentence);
});

test('the files of TLS with an engine are read, and a missing one is named', () => {
  const file = join(folder, 'ca.pem');
  writeFileSync(file, 'the authorities');
  const config = readConfig({
    ...cluster,
    PARLANCE_KAFKA_TLS: 'true',
    PARLANCE_KAFKA_TLS_CA: file,
    PARLANCE_CASSANDRA_TLS: 'true',
    PARLANCE_CASSANDRA_TLS_CA: '/nowhere',
  });
  expect(tlsFilesOf(config, 'kafka')).toEqual({ ca: 'the authorities' });
  expect(() => tlsFilesOf(config, 'cassandra')).toThrow('PARLANCE_CASSANDRA_TLS_CA');
  expect(tlsFilesOf(readConfig(cluster), 'kafka')).toBeUndefined();
});
