import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Client, errors, types } from 'cassandra-driver';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Connection, type Statement } from '../../packages/server/src/store/cassandra/connection.ts';
import { Heads } from '../../packages/server/src/store/cassandra/heads.ts';
import { type CassandraOptions, portOf } from '../../packages/server/src/store/cassandra/options.ts';
import { Reader } from '../../packages/server/src/store/cassandra/read.ts';
import { CassandraStore } from '../../packages/server/src/store/cassandra/store.ts';
import { positionAt, timestampOf } from '../../packages/server/src/store/cassandra/timestamp.ts';
import { Writer } from '../../packages/server/src/store/cassandra/write.ts';
import { origin, type Store, StoreUnavailable } from '../../packages/server/src/store/port.ts';
import { keyOf, type Row } from '../../packages/server/src/store/rows.ts';
import { verify } from '../../packages/server/src/store/verify.ts';
import { cassandraAt } from '../support/engines.ts';
import { notRun } from '../support/server-process.ts';
import { storeConformance } from './store.ts';
import { World } from './store-world.ts';

// Three Cassandra nodes and other tests may share two cores: a thousand conversations made and listed then take a while.
vi.setConfig({ testTimeout: 180_000 });

const at = cassandraAt();
const keyspace = `parlance_test_${process.pid}_${Date.now().toString(36)}`;
const options: CassandraOptions = { contactPoints: [], dataCenter: '', ...at, keyspace, bucketSeqs: 8 };
const open = () => CassandraStore.open(options);

let client: Client;
let tables: string[] = [];

beforeEach((context) => {
  if (at === undefined) notRun(context, 'there is no Cassandra here');
});

beforeAll(async () => {
  if (at === undefined) return;
  client = new Client({ contactPoints: at.contactPoints, localDataCenter: at.dataCenter, protocolOptions: { port: portOf(at) } });
  await client.connect();
  // As when a cluster is started for the first time: all nodes find no keyspace.
  const stores = await Promise.all([open(), open(), open()]);
  for (const store of stores) await store.close();
  const { rows } = await client.execute('SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?', [keyspace], { prepare: true });
  tables = rows.map(({ table_name }) => table_name as string).filter((name) => name !== 'migration');
});

afterAll(async () => {
  if (at === undefined) return;
  await client.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`, [], { readTimeout: 60_000 });
  await client.shutdown();
});

/**
 * Making the tables anew for each test would take many seconds; emptying those that were used does not. All replicas are asked whether one was: one alone may not
 * have heard yet of the last write, and of a table that is left as it was, the next test finds the rows.
 */
const empty = async (): Promise<void> => {
  await Promise.all(
    tables.map(async (table) => {
      const { rows } = await client.execute(`SELECT * FROM ${keyspace}.${table} LIMIT 1`, [], { consistency: types.consistencies.all });
      if (rows.length > 0) await client.execute(`TRUNCATE ${keyspace}.${table}`, [], { readTimeout: 60_000 });
    }),
  );
};

storeConformance('Cassandra', async () => {
  await empty();
  let store = await open();
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await open();
      return store;
    },
    destroy: () => store.close(),
  };
});

/** A connection whose writes go through `write` first; what that rejects is not written. */
function intercepted(connection: Connection, write: (statements: readonly Statement[]) => Promise<void>): Connection {
  return {
    all: connection.all.bind(connection),
    first: connection.first.bind(connection),
    page: connection.page.bind(connection),
    write: async (statements: readonly Statement[]) => {
      await write(statements);
      await connection.write(statements);
    },
  } as unknown as Connection;
}

describe('the Cassandra store', () => {
  let store: CassandraStore;
  let other: CassandraStore;
  let connection: Connection;

  beforeAll(async () => {
    if (at === undefined) return;
    await empty();
    [store, other, connection] = await Promise.all([open(), open(), Connection.open(options)]);
  });
  afterAll(async () => {
    if (at === undefined) return;
    await Promise.all([store.close(), other.close(), connection.close()]);
  });

  const writerOn = (connection: Connection): Store => {
    const writer = new Writer(connection, new Heads(connection, 8));
    return { apply: (...args: Parameters<Store['apply']>) => writer.apply(...args) } as Store;
  };
  const without = (rows: Row[], table: Row['table']): Row[] => rows.filter((row) => row.table !== table);
  const folded = (rows: Row[]): Row[] => [...new Map(rows.map((row) => [keyOf(row), row])).values()];
  const sorted = (rows: Row[]): Row[] => [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

  it('shows nothing of a record that was applied in part, wherever it stopped, and all of it once somebody applies it again', async () => {
    let writesOfAll = Number.POSITIVE_INFINITY;
    for (let stopAfter = 0; stopAfter < writesOfAll; stopAfter++) {
      const partition = 100 + stopAfter;
      const name = `half${stopAfter}`;
      const id = `g:${name}`;
      let target: Store = store;
      const world = new World([{ apply: (...args: Parameters<Store['apply']>) => target.apply(...args) } as Store], partition);
      await world.commit(world.group(name, 'ada'), world.join(name, 'bob'), world.send(id, 'ada', 'one'), world.send(id, 'bob', 'two'));
      const before = world.head(id);
      const { at } = world;

      // Two buckets further, with an edit of what was there, an end of a membership, and somebody's newest message in another bucket than before.
      let writes = 0;
      const stopped = intercepted(connection, async () => {
        if (++writes > stopAfter) throw new Error('the network is gone');
      });
      target = writerOn(stopped);
      const record = [
        ...Array.from({ length: 9 }, (_, index) => world.send(id, 'ada', `m${index}`)).flat(),
        ...world.edit(id, 3, 'uno'),
        ...world.leave(name, 'bob'),
        ...world.send(id, 'ada', 'last'),
      ];
      const outcome = await world.commit(without(record, 'decision')).then(
        () => 'done',
        (error: Error) => error.message,
      );
      if (outcome === 'done') writesOfAll = writes;
      else {
        expect(outcome).toBe('the network is gone');
        expect(await other.position(partition)).toEqual(at);
        expect(await other.rows([{ table: 'head', conversation: id }])).toEqual([before]);
        const changes = await other.changes(id, 0, 99, 99);
        expect(changes.map((change) => change.event?.seq ?? change.message!.seq)).toEqual([1, 2, 3, 4]);
        expect((await other.messages(id, 1, 99, 99, 'last')).map(({ seq }) => seq)).toEqual([3, 4]);
        expect((await other.inboxEntry('ada', id))?.head).toEqual(before);
        const bob = await other.inboxEntry('bob', id);
        if (bob?.member.left !== null) {
          // He is told of his leaving as soon as it stands there: then everything up to it stands there too.
          const [event] = await other.rows([{ table: 'event', conversation: id, seq: bob!.member.left.seq }]);
          expect(event).toMatchObject({ kind: 'left', user: 'bob' });
        } else expect(bob?.head).toEqual(before);
      }
      await other.apply(partition, folded(without(record, 'decision')), world.at, at.lastId);
      expect(await store.position(partition)).toEqual(world.at);
      expect(sorted(await store.rows(without(world.rows(), 'decision')))).toEqual(sorted(without(world.rows(), 'decision')));
      expect((await store.changes(id, 0, 99, 99)).length).toBe(world.head(id).seq);
    }
    expect(writesOfAll).toBeGreaterThan(5);
  });

  it('talks to every node, also at another port than the usual one', async () => {
    for (const host of client.hosts.values()) {
      const { rows } = await client.execute('SELECT keyspace_name FROM system_views.clients', [], { host });
      expect(
        rows.map(({ keyspace_name }) => keyspace_name),
        host.address,
      ).toContain(keyspace);
    }
    expect(client.hosts.length).toBe(3);
  });

  it.each([
    ['the coordinator', types.responseErrorCodes.invalid, 'unconfigured table migration'],
    ['the coordinator, halfway', types.responseErrorCodes.serverError, 'java.lang.IllegalArgumentException: Unknown CF da819673-1227-84af-87f5-6a848ee50e4f'],
    ['a replica', types.responseErrorCodes.readFailure, 'Operation failed - received 1 responses and 1 failures'],
  ])('is patient at the start while %s has not heard of a table', async (_, code, message) => {
    const { execute } = Client.prototype;
    let refusals = 0;
    const spy = vi.spyOn(Client.prototype, 'execute').mockImplementation(function (this: Client, ...args: unknown[]) {
      if (String(args[0]).includes('FROM migration') && refusals++ < 2) return Promise.reject(new errors.ResponseError(code, message));
      return (execute as (...all: unknown[]) => Promise<types.ResultSet>).apply(this, args);
    } as typeof execute);
    try {
      const late = await open();
      expect(await late.position(9)).toEqual(origin);
      await late.close();
      expect(refusals).toBeGreaterThan(2);
    } finally {
      spy.mockRestore();
    }
  });

  it('is unavailable, and not broken, when the lines to all nodes break while it is asked, and comes back by itself', async () => {
    const sockets = new Set<Socket>();
    const collect = (message: unknown): void => void sockets.add((message as { socket: Socket }).socket);
    subscribe('net.client.socket', collect);
    try {
      const cutOff = await open();
      const reasons: unknown[] = [];
      for (let round = 0; round < 20; round++) {
        const asked = Promise.allSettled(Array.from({ length: 50 }, () => cutOff.position(1)));
        for (let turns = round % 5; turns > 0; turns--) await turn();
        for (const socket of sockets) socket.destroy();
        sockets.clear();
        for (const result of await asked) if (result.status === 'rejected') reasons.push(result.reason);
        await vi.waitFor(() => cutOff.position(1), { timeout: 30_000 });
      }
      await cutOff.close();
      expect(reasons.filter((reason) => !(reason instanceof StoreUnavailable))).toEqual([]);
      expect(reasons.length).toBeGreaterThan(0);
    } finally {
      unsubscribe('net.client.socket', collect);
    }
  });

  it('shows a head that goes to another bucket while it is looked for', async () => {
    const world = new World([store], 39);
    await world.commit(world.group('moving', 'ada'), ...[2, 3, 4].map((seq) => world.send('g:moving', 'ada', `${seq}`)));
    const { lastId } = world.at;
    const rows = folded(without(Array.from({ length: 9 }, (_, index) => world.send('g:moving', 'ada', `m${index}`)).flat(), 'decision'));
    const next = { position: world.at.position + 2, lastId: 'moved', lastCommand: 9, generation: 'g' };
    const isOfFirstBucket = ([first]: readonly Statement[]) => first!.values[0] === 'g:moving' && first!.values[1] === 0;
    const written: Promise<void>[] = [];
    const half = {
      ...intercepted(connection, async () => undefined),
      write: async (statements: readonly Statement[]) => {
        if (!isOfFirstBucket(statements)) throw new Error('only the first bucket can be written');
        written.push(connection.write(statements));
        await written.at(-1);
      },
    } as unknown as Connection;
    await expect(writerOn(half).apply(39, rows, next, lastId)).rejects.toThrow('only the first bucket');
    await Promise.all(written); // It was refused as soon as the other could not be written.
    expect(written.length).toBe(1);
    const interrupted = {
      ...intercepted(connection, async () => undefined),
      first: async (query: string, values: unknown[]) => {
        if (query.includes('FROM position')) await store.apply(39, rows, next, lastId);
        return await connection.first(query, values);
      },
    } as unknown as Connection;
    expect((await new Heads(interrupted, 8).settled(['g:moving'])).get('g:moving')).toEqual(world.head('g:moving'));
  });

  it('lets two apply the same records at the same time', async () => {
    const both = { apply: (...args: Parameters<Store['apply']>) => Promise.all([store.apply(...args), other.apply(...args)]) } as unknown as Store;
    const world = new World([both], 40);
    await world.commit(world.group('twice', 'ada'));
    for (let round = 0; round < 6; round++) {
      await world.commit(
        ...[1, 2, 3, 4].map((part) => world.send('g:twice', part % 2 === 0 ? 'ada' : 'bob', `${round}/${part}`)),
        world.edit('g:twice', 2, `${round}`),
      );
      expect(await store.position(40)).toEqual(world.at);
    }
    for (const one of [store, other]) expect(sorted(await one.rows(world.rows()))).toEqual(sorted(world.rows()));
  });

  it('is not changed by somebody who began to apply a record, slept, and woke after others had gone on', async () => {
    let wake = (): void => undefined;
    const awake = new Promise<void>((resolve) => (wake = resolve));
    let asleep = (): void => undefined;
    const sleeping = new Promise<void>((resolve) => (asleep = resolve));
    const slow = writerOn(
      intercepted(connection, async () => {
        asleep();
        await awake;
      }),
    );
    const world = new World([store], 41);
    await world.commit(world.group('slept', 'ada'), world.join('slept', 'bob'), world.send('g:slept', 'ada', 'one'));
    const { lastId } = world.at;
    const record = world.send('g:slept', 'ada', 'two').concat(world.edit('g:slept', 3, 'uno'), world.leave('slept', 'bob'));
    const rows = folded(record);
    const where = { position: world.at.position + 2, lastId: 'slow', lastCommand: 9, generation: 'g' };
    const applied = slow.apply(41, rows, where, lastId);
    await sleeping;
    await store.apply(41, rows, where, lastId);
    world.at = where;
    for (let round = 0; round < 6; round++) await world.commit(world.send('g:slept', 'ada', `${round}`));
    await world.commit(world.join('slept', 'bob'), world.edit('g:slept', 3, 'eins'));
    wake();
    await applied;
    expect(await store.position(41)).toEqual(world.at);
    expect(sorted(await other.rows(world.rows()))).toEqual(sorted(world.rows()));
    expect((await other.memberships('bob', 99)).filter(({ member }) => member.conversation === 'g:slept')).toHaveLength(1);
  });

  it('gives every cell the time of its record, and a read mark that of its seq', async () => {
    const world = new World([store], 42);
    world.at = { ...world.at, position: 1_000_000 };
    await store.apply(42, [], world.at, '');
    await world.commit(world.account('timely'), world.group('timely-group', 'timely', { open: true }), world.send('g:timely-group', 'timely', 'x'));
    await store.mark('g:timely-group', 'timely', { seq: 2, count: 1 });
    const stamp = async (query: string, ...values: unknown[]): Promise<number[]> => {
      const { rows } = await client.execute(query.replace('FROM ', `FROM ${keyspace}.`), values, { prepare: true });
      return rows.flatMap((row) => Object.values(row).filter((value) => value !== null)).map((value) => (value as types.Long).toNumber());
    };
    const id = 'g:timely-group';
    const times = [
      ...(await stamp('SELECT WRITETIME(title), WRITETIME(member_count) FROM conversation WHERE conversation = ?', id)),
      ...(await stamp(
        'SELECT WRITETIME(text), WRITETIME(detail), WRITETIME(head_seq), WRITETIME(before_seq) FROM timeline WHERE conversation = ? AND bucket = 0',
        id,
      )),
      ...(await stamp('SELECT WRITETIME(seq) FROM own WHERE conversation = ? AND bucket = 0', id)),
      ...(await stamp('SELECT WRITETIME(role) FROM membership WHERE user_id = ?', 'timely')),
      ...(await stamp('SELECT WRITETIME(last_id), WRITETIME(position) FROM position WHERE partition = 42')),
    ];
    expect(times.length).toBeGreaterThan(10);
    expect(new Set(times)).toEqual(new Set([timestampOf(world.at.position).toNumber()]));
    expect(positionAt(timestampOf(world.at.position))).toBe(1_000_002);
    expect(await stamp('SELECT WRITETIME(seq) FROM mark WHERE user_id = ?', 'timely')).toEqual([2]);
  });

  it('jumps over buckets that hold no message', async () => {
    const world = new World([store], 43);
    await world.commit(world.send('d:jump:over', 'jump', 'first'), world.send('d:jump:over', 'over', 'second'));
    for (let bucket = 0; bucket < 12; bucket++)
      await world.commit(...Array.from({ length: 8 }, (_, index) => world.edit('d:jump:over', 1, `${bucket}/${index}`)));
    await world.commit(world.send('d:jump:over', 'jump', 'third'), ...Array.from({ length: 20 }, () => world.edit('d:jump:over', 1, 'again')));
    const head = world.head('d:jump:over');
    let queries = 0;
    const heads = new Heads(connection, 8);
    await heads.settled(['d:jump:over']);
    const all: Connection['all'] = (query, values) => {
      queries += 1;
      return connection.all(query, values);
    };
    const counting = { ...intercepted(connection, async () => undefined), all, first: async (...args: Parameters<typeof all>) => (await all(...args))[0] };
    const reader = new Reader(counting as unknown as Connection, heads);
    const seqs = async (...range: [number, number, number, 'first' | 'last']) => (await reader.messages('d:jump:over', ...range)).map(({ seq }) => seq);
    expect(await seqs(1, head.seq, 50, 'last')).toEqual([1, 2, 99]);
    expect(queries).toBeLessThanOrEqual(6);
    expect(await seqs(1, 98, 50, 'last')).toEqual([1, 2]);
    expect(await seqs(3, head.seq, 50, 'first')).toEqual([99]);
    expect(await seqs(100, head.seq, 50, 'first')).toEqual([]);
    expect((await other.changes('d:jump:over', 0, head.seq, 1000)).length).toBe(head.seq);
  });

  it('scans what verify finds nothing wrong with', async () => {
    const world = new World([store], 44);
    const names = ['ada', 'bob', 'cas'];
    await world.commit(
      ...names.map((name) => world.account(`v${name}`)),
      world.group('verified', 'vada', { open: true }),
      ...['vbob', 'vcas'].map((user) => world.join('verified', user)),
    );
    for (let round = 0; round < 5; round++) {
      await world.commit(
        ...names.flatMap((name) => [world.send('g:verified', `v${name}`, 'x'), world.send(`d:vada:v${name}`, 'vada', 'y')]),
        world.edit('g:verified', 4, `${round}`),
      );
    }
    await world.commit(world.leave('verified', 'vcas'));
    const mine = (row: Row): boolean => JSON.stringify(row).includes('verified') || JSON.stringify(row).includes('vada');
    const rows: Row[] = [];
    for await (const row of store.scan()) if (mine(row) && row.table !== 'decision') rows.push(row);
    expect(sorted(rows)).toEqual(sorted(world.rows().filter((row) => mine(row) && row.table !== 'decision')));
    const decisions = world.rows().filter((row) => row.table === 'decision');
    const all = async function* () {
      yield* rows;
      yield* decisions;
    };
    expect((await verify(all(), () => undefined)).findings).toEqual([]);
  });

  describe('does not start, and says why,', () => {
    it('where no node answers', async () => {
      await expect(CassandraStore.open({ ...options, contactPoints: ['127.0.0.1:1'] })).rejects.toThrow('No Cassandra node can be reached at 127.0.0.1:1');
    });

    it('in a data centre there is not', async () => {
      await expect(CassandraStore.open({ ...options, dataCenter: 'elsewhere' })).rejects.toThrow(
        /There is no data centre elsewhere in the Cassandra cluster at .*; there is: datacenter1/,
      );
    });

    it('with another replication than the keyspace has', async () => {
      await expect(CassandraStore.open({ ...options, replicationFactor: 2 })).rejects.toThrow(/replicated otherwise than set: it has \{"datacenter1":"3"/);
    });

    it('with fewer nodes than copies, and leaves no keyspace behind', async () => {
      const large = `${keyspace}_large`;
      await expect(CassandraStore.open({ ...options, keyspace: large, replicationFactor: 4 })).rejects.toThrow('has 3 Cassandra nodes, too few for 4 copies');
      const { rows } = await client.execute('SELECT * FROM system_schema.keyspaces WHERE keyspace_name = ?', [large], { prepare: true });
      expect(rows).toEqual([]);
    });

    it('on tables of a newer program', async () => {
      await client.execute(`UPDATE ${keyspace}.migration SET version = 99 WHERE name = 'schema' IF EXISTS`);
      try {
        await expect(open()).rejects.toThrow(/written by a newer Parlance \(its tables have version 99; this program knows them up to 1\)/);
      } finally {
        await client.execute(`UPDATE ${keyspace}.migration SET version = 1 WHERE name = 'schema' IF EXISTS`);
      }
    });
  });
});
