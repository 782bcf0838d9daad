import { setTimeout as after } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { Person } from '../conformance/protocol-client.ts';
import { textsInFolder } from '../support/folder.ts';
import { Random, seedFrom } from '../support/random.ts';
import { killAndWait, raisedLimits, removeFolders, startServerProcess } from '../support/server-process.ts';
import { verifyStore } from '../support/verify.ts';
import { Crowd } from './crowd.ts';
import { check } from './history.ts';

// kill -9 under load, at moments of a seed, again and again over one folder. CRASH_SEED runs a seed again (as far as the
// machine's timing lets it), CRASH_ROUNDS runs longer.

const rounds = Number(process.env.CRASH_ROUNDS ?? 6);
const seed = seedFrom('CRASH_SEED');
const loadMsMax = 1500;

afterAll(removeFolders);

it(
  `keeps every promise over ${rounds} kills under load (CRASH_SEED=${seed})`,
  async () => {
    const random = new Random(seed);
    const linkSecret = 'the-link-of-the-crash-test';
    const options = { flags: raisedLimits, env: { PARLANCE_ADMIN_LINK_SECRET: linkSecret } };
    let server = await startServerProcess(options);
    const { dataDir } = server;
    const admin = await Person.make(server.url, 'admin');
    expect((await admin.get(`/first-admin/${linkSecret}`)).status).toBe(200);
    const crowd = await Crowd.make(server.url, random);

    for (let round = 0; round < rounds; round++) {
      const working = crowd.work(server.url);
      await after(50 + random.below(loadMsMax)); // The moment itself is what is random; nothing waits for it.
      await killAndWait(server);
      await working;
      server = await startServerProcess({ ...options, dataDir });
    }
    const { history } = crowd;
    const firstOutcomes = Map.groupBy(history.entries, ({ outcomes }) => outcomes[0]?.is);
    for (const is of ['accepted', 'refused', 'unknown'] as const) expect(firstOutcomes.get(is)?.length, `writes ${is}`).toBeGreaterThan(5);

    expect(check(history, await crowd.lookBack(server.url)).slice(0, 20)).toEqual([]);
    const codes = history.entries.flatMap(({ outcomes }) => outcomes.map((outcome) => ('code' in outcome ? outcome.code : '')));
    expect(codes.filter((code) => code === 'internal' || code === 'client_id_reused')).toEqual([]);
    Object.assign(admin, { url: server.url });
    const { findings, messages } = await verifyStore(server.url, admin.token);
    expect(findings).toEqual([]);
    expect(messages).toBeGreaterThan(0);

    // The log is emptied at the end, so from here on no byte of a deleted text is left.
    const texts = crowd.deletedTexts();
    expect(texts.length).toBeGreaterThan(0);
    expect(await server.stop()).toEqual({ code: 0, signal: null });
    expect(textsInFolder(dataDir, texts)).toEqual([]);
  },
  30_000 + rounds * 20_000,
);
