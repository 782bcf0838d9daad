import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type Cluster, startCluster } from '../../deploy/local/cluster.ts';
import { Person } from '../conformance/protocol-client.ts';
import { cassandraAt, kafkaAt } from '../support/engines.ts';
import { notRun, raisedSettings } from '../support/server-process.ts';
import { App } from './app.ts';
import { launch, networkTrouble, refusedWith, Seat } from './browser.ts';
import { numbered, type Player } from './pair.ts';

// Two people in their browsers, three nodes on real Kafka and Cassandra, HAProxy between them: the node that holds a socket dies while they chat.

vi.setConfig({ testTimeout: 180_000, hookTimeout: 240_000 });

/** What a busy machine may need until everybody has been taken over. */
const soon = { timeout: 60_000 };

const kafka = kafkaAt();
const cassandra = cassandraAt();
let cluster: Cluster | undefined;

beforeAll(async () => {
  if (kafka === undefined || cassandra === undefined) return;
  cluster = await startCluster({ kafka: kafka.brokers, cassandra: cassandra.contactPoints, settings: raisedSettings });
});

afterAll(() => cluster?.stop());

it('a chat goes on when the node is killed that holds its socket, without a gap and with nothing double', async (context) => {
  if (cluster === undefined) return notRun(context, 'there are no engines here');
  const { url, haproxy, nodes } = cluster;
  const browser = await launch(context);
  try {
    const play = async (name: string): Promise<Player> => {
      const person = await Person.make(url, name);
      // High enough for all of it: what is out of sight is not in the page.
      const seat = await Seat.take(browser, { url, viewport: { width: 1280, height: 2400 } });
      seat.expectWrong(...networkTrouble, refusedWith(502), refusedWith(503), refusedWith(504));
      await seat.signIn(person.token);
      return { person, seat, app: new App(seat.page) };
    };
    const [ann, bob] = await Promise.all([play('ann'), play('bob')]);
    await Promise.all([ann.app.open(`@${bob.person.id}`), bob.app.open(`@${ann.person.id}`)]);

    let count = 0;
    const chat = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) await (count % 2 === 0 ? ann : bob).app.send(`number ${++count}`);
    };
    // One after the other, so that each of the two sockets is on one of them.
    for (const node of nodes) {
      await chat(4);
      const held = (await haproxy.nodes()).find(({ backend, name }) => backend === 'sockets' && name === node.name)!.open;
      console.log(`${node.name} holds ${held} sockets and is killed`);
      await node.kill();
      await chat(4);
      for (const { app } of [ann, bob]) await expect.poll(async () => (await app.texts()).length, soon).toBe(count);
      await node.restart();
      await haproxy.untilUp([node.name], 30_000);
    }
    const shown = await ann.app.texts();
    expect(shown.toSorted(byNumber)).toEqual(numbered(1, count));
    for (const isOdd of [true, false]) {
      const own = shown.filter((text) => (Number(text.split(' ')[1]) % 2 === 1) === isOdd);
      expect(own, 'each in the order written').toEqual(own.toSorted(byNumber));
    }
    expect(await bob.app.texts()).toEqual(shown);
    const { body } = await ann.person.get(`/v1/conversations/${encodeURIComponent(`@${bob.person.id}`)}/messages?limit=100`);
    expect((body.messages as { text: string }[]).map(({ text }) => text)).toEqual(shown);
    for (const { seat } of [ann, bob]) await seat.leave();
  } finally {
    await browser.close();
  }
});

const byNumber = (one: string, other: string): number => Number(one.split(' ')[1]) - Number(other.split(' ')[1]);
