import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { missingPackages } from '../../deploy/local/jars.ts';
import { Unserved } from '../crash/crowd.ts';
import { Random, seedFrom } from '../support/random.ts';
import { notRun } from '../support/server-process.ts';
import { verifyStore } from '../support/verify.ts';
import { loseEverything, restoreSnapshot, takeSnapshot } from './backup.ts';
import { faketimeMissing, schedule } from './faults.ts';
import { measureFailOver } from './figures.ts';
import { plants, plantVariable } from './plants.ts';
import { besiege, faultsLogged } from './siege.ts';
import { nodeFromSources, type Stage, startStage } from './stage.ts';

// Real processes on real Kafka and Cassandra behind HAProxy, struck by what can happen to machines and lines while a crowd works on them. Each run takes another
// selection of some minutes, by its seed; CLUSTER_TESTS=all takes every plant, more sieges and the backup, `npm run torture -- --minutes 100` strikes for hours. CLUSTER_SEED runs a seed
// again, as far as the machine's timing lets it.

const seed = seedFrom('CLUSTER_SEED');
const isAll = process.env.CLUSTER_TESTS === 'all';
const siegeCount = isAll ? 3 : 1;
const plantCount = isAll ? plants.length : 1;
const blowsPerSiege = 3;
const timeout = 600_000;
/** A plant must have every chance to show. */
const plantWrites = 600;
const thorough = { hands: 3, restMsMax: 30, giveUpMs: 8000 };

const missing = missingPackages(['kafka', 'cassandra', 'haproxy']);
const noClock = faketimeMissing();
let stage: Stage;

beforeAll(async () => {
  if (missing.length === 0) stage = await startStage({ program: nodeFromSources });
}, timeout);

afterAll(() => stage?.close());

const needEngines = (context: TestContext): void => {
  if (missing.length > 0) notRun(context, `the cluster cannot be started: sudo apt-get install ${missing.join(' ')}`);
};

const random = new Random(seed);
const blows = schedule(random, siegeCount * blowsPerSiege, ({ name }) => noClock === undefined || !name.startsWith('clock'));
const sieges = Array.from({ length: siegeCount }, (_, index) => {
  const mine = blows.slice(index * blowsPerSiege, (index + 1) * blowsPerSiege);
  return { title: mine.map((blow) => blow.join(' + ')).join(', then '), blows: mine, seed: random.below(0xffffffff) };
});

describe(`a cluster (CLUSTER_SEED=${seed})`, () => {
  it.for(sieges)('keeps every promise through: $title', { timeout }, async ({ blows, seed }, context) => {
    needEngines(context);
    const { findings, counts, blows: done } = await besiege(stage, blows, { seed });
    console.log(
      JSON.stringify({ counts, blows: done.map(({ blow, healMs, convergedMs }) => [blow.join(' + '), Math.round(healMs), Math.round(convergedMs)]) }),
    );
    if (findings.length > 0) console.log(faultsLogged(stage).join('\n'));
    expect(findings.slice(0, 20)).toEqual([]);
    // A cluster that does nothing keeps every promise too.
    expect(counts.accepted).toBeGreaterThan(30);
    expect(counts.refused).toBeGreaterThan(5);
    expect(counts.pushes).toBeGreaterThan(100);
  });

  it('is back soon after a machine is gone', { timeout }, async (context) => {
    needEngines(context);
    const figures = await measureFailOver(stage);
    console.log(JSON.stringify({ failOver: figures }, undefined, 1));
    expect(figures.socketsOfKilledNode.gaps).toBe(0);
    expect(figures.decidingNodeKilled.answeredAgainMs).toBeLessThan(10_000);
    expect(figures.socketsOfKilledNode.liveAgainMs).toBeLessThan(10_000);
  });

  if (isAll) {
    it('comes back from a snapshot of the store, with what was written after it from the journal', { timeout }, async (context) => {
      needEngines(context);
      const { admin, cluster } = stage;
      const { members } = cluster.cassandra!;
      const group = await admin.group();
      const send = async (text: string): Promise<void> => {
        const { status } = await admin.call('POST', `/v1/conversations/g:${group}/messages`, { text });
        expect(status).toBe(201);
      };
      await send('before the snapshot');
      await takeSnapshot(members, cluster.keyspace, 'monday');
      await send('after the snapshot');
      await Promise.all(stage.nodes().map((node) => node.kill()));
      await loseEverything(members, cluster.keyspace);
      await restoreSnapshot(members, cluster.keyspace, 'monday');
      await Promise.all(stage.nodes().map((node) => node.restart()));
      await expect
        .poll(
          async () => {
            const { body } = await admin.get(`/v1/conversations/g:${group}/messages`);
            return (body.messages as { text: string }[] | undefined)?.map(({ text }) => text);
          },
          { timeout: 60_000 },
        )
        .toEqual(['before the snapshot', 'after the snapshot']);
      await send('and on it goes');
    });
  }

  it('has a store in which nothing is wrong after all that', { timeout }, async (context) => {
    needEngines(context);
    const { findings, messages } = await verifyStore(stage.cluster.url, stage.admin.token);
    expect(findings).toEqual([]);
    expect(messages).toBeGreaterThan(0);
  });
});

describe('the fault tests catch it when', () => {
  if (isAll) {
    // What follows would mean nothing if the same work found something here.
    it('nothing is planted, and then they find nothing', { timeout }, async (context) => {
      needEngines(context);
      const { findings } = await besiege(stage, [], { seed, ...thorough, calmWrites: plantWrites });
      expect(findings.slice(0, 20)).toEqual([]);
    });
  }

  it.for(random.some(plants, plantCount).map((plant, index) => ({ ...plant, place: `plant${index}` })))(
    '$name',
    { timeout },
    async ({ name, blows, caughtBy, place }, context) => {
      needEngines(context);
      if (noClock !== undefined && blows.flat().some((fault) => fault.startsWith('clock'))) notRun(context, noClock);
      // In a place of its own: what one spoils no other finds.
      await stage.renew({ [plantVariable]: name, PARLANCE_CASSANDRA_KEYSPACE: place, PARLANCE_KAFKA_TOPIC_PREFIX: place });
      const rules = await besiege(stage, blows, {
        seed,
        ...thorough,
        calmWrites: blows.length === 0 ? plantWrites : plantWrites / 4,
        isEnough: ({ rule }) => caughtBy.includes(rule),
      }).then(
        ({ findings }) => findings.map(({ rule }) => rule),
        (error: Error) => {
          if (!(error instanceof Unserved) && !/is not ready|ended before it was ready|^register: /.test(error.message)) throw error;
          return ['stalled' as const];
        },
      );
      const found = [...new Set(rules)];
      console.log(`${name}: ${found.join(', ')}`);
      expect(
        found.some((rule) => caughtBy.includes(rule)),
        found.join(', '),
      ).toBe(true);
    },
  );
});
