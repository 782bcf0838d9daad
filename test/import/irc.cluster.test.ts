import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../deploy/local/cluster.ts';
import { cassandraAt, kafkaAt } from '../support/engines.ts';
import { killAndWait, notRun, removeFolders, startServerProcess, temporaryFolder } from '../support/server-process.ts';
import { expectEqual, expected, exported, link, logFiles, logs, logsMissing, signUp } from './logs.ts';

// The same input into three nodes through HAProxy: what comes out is what the embedded server gives, event by event. Some days of the logs here; all of them, which take
// minutes on two cores, with IRC_LOGS=all.

const days = process.env.IRC_LOGS === 'all' ? undefined : 3;

const kafka = kafkaAt();
const cassandra = cassandraAt();
let cluster: Cluster | undefined;

beforeAll(async () => {
  if (kafka === undefined || cassandra === undefined || logsMissing() !== undefined) return;
  cluster = await startCluster({ kafka: kafka.brokers, cassandra: cassandra.contactPoints, settings: { PARLANCE_ADMIN_LINK_SECRET: link } });
}, 240_000);

afterAll(async () => {
  await cluster?.stop();
  await removeFolders();
});

it('brings the real logs into three nodes through HAProxy, equal to the embedded server in every event', { timeout: 900_000 }, async (context) => {
  const missing = logsMissing();
  if (missing !== undefined) notRun(context, missing);
  if (cluster === undefined) notRun(context, 'there are no engines here');
  const files = logFiles().slice(0, days);
  const paths = files.map((name) => join(logs, name));
  const messages = expected(files);
  expect(messages.length).toBeGreaterThan(1000);

  const shell = await signUp(cluster!.url);
  const report = JSON.parse(await shell.run('--json', 'import', 'irc', ...paths, '--group', 'ubuntu'));
  expect(report).toMatchObject({ messages: messages.length, imported: messages.length, already_there: 0, refused: 0 });
  const events = await exported(shell);
  expectEqual(events, messages);
  const again = JSON.parse(await shell.run('--json', 'import', 'irc', paths[0]!, '--group', 'ubuntu'));
  expect(again).toMatchObject({ imported: 0 });
  await shell.run('verify');

  const server = await startServerProcess({ dataDir: await temporaryFolder(), env: { PARLANCE_ADMIN_LINK_SECRET: link } });
  const embedded = await signUp(server.url);
  await embedded.run('import', 'irc', ...paths, '--group', 'ubuntu');
  const told = ({ seq, kind, message }: any) => ({ seq, kind, author: message.author, text: message.text, time: message.time });
  expect(events.slice(1).map(told)).toEqual((await exported(embedded)).slice(1).map(told));
  await killAndWait(server);
});
