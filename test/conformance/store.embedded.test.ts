import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DirectoryInUse } from '../../packages/server/src/store/embedded/lock.ts';
import { SqliteStore } from '../../packages/server/src/store/embedded/store.ts';
import type { Row } from '../../packages/server/src/store/rows.ts';
import { verify } from '../../packages/server/src/store/verify.ts';
import { storeConformance } from './store.ts';
import { World } from './store-world.ts';

storeConformance('embedded', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'parlance-store-'));
  let store = await SqliteStore.open({ directory, mode: 'writer' });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await SqliteStore.open({ directory, mode: 'writer' });
      return store;
    },
    destroy: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});

describe('the embedded store', () => {
  let parent: string;
  let directory: string;
  let opened: SqliteStore[];
  const open = async (mode: 'writer' | 'reader', more: { directory?: string; truncateAfterMs?: number; truncateRetryMs?: number } = {}) => {
    const store = await SqliteStore.open({ directory, mode, ...more });
    opened.push(store);
    return store;
  };
  const logBytes = (): number => statSync(join(directory, 'parlance.db-wal')).size;
  /** How often the word stands in the files of a data directory, whatever they are. */
  const occurrences = (word: string, where = directory): number =>
    readdirSync(where).reduce((sum, name) => sum + readFileSync(join(where, name), 'latin1').split(word).length - 1, 0);

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'parlance-store-'));
    directory = join(parent, 'data');
    opened = [];
  });
  afterEach(async () => {
    for (const store of opened.reverse()) await store.close();
    rmSync(parent, { recursive: true });
  });

  it('shows a reader what the writer has applied, and lets it write nothing', async () => {
    const writer = await open('writer');
    const reader = await open('reader');
    const world = new World([writer]);
    for (let round = 1; round < 4; round++) {
      await world.commit(world.send('d:ada:bob', 'ada', `m${round}`));
      await writer.mark('d:ada:bob', 'bob', { seq: round, count: round });
      expect(await reader.position(0)).toEqual(world.at);
      expect((await reader.messages('d:ada:bob', 1, 9, 9, 'last')).at(-1)?.text).toBe(`m${round}`);
      expect((await reader.inboxEntry('bob', 'd:ada:bob'))?.mark.seq).toBe(round);
    }
    await expect(reader.apply(0, [], { position: 99, lastId: 'x', lastCommand: 0, generation: 'g' }, world.at.lastId)).rejects.toThrow('only reads');
    await expect(reader.mark('d:ada:bob', 'bob', { seq: 9, count: 9 })).rejects.toThrow('only reads');
    expect(await writer.position(0)).toEqual(world.at);
  });

  it('makes its directory and files readable by their owner only', async () => {
    const world = new World([await open('writer')]);
    await world.commit(world.account('ada'));
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(readdirSync(directory)).toContain('parlance.db-wal');
    for (const name of readdirSync(directory)) expect([name, statSync(join(directory, name)).mode & 0o777]).toEqual([name, 0o600]);
  });

  it('lets one writer have the directory, until it closes', async () => {
    const first = await open('writer');
    await expect(open('writer')).rejects.toThrow(DirectoryInUse);
    await expect(open('writer')).rejects.toThrow(`${directory} is in use by a running server. Talk to that server`);
    await first.close();
    const second = await open('writer');
    expect((await second.position(0)).position).toBe(-1);
  });

  it('gives the directory free when its process is killed, whatever files stay behind', async () => {
    const script = `
      import { SqliteStore } from ${JSON.stringify(new URL('../../packages/server/src/store/embedded/store.ts', import.meta.url).href)};
      await SqliteStore.open({ directory: ${JSON.stringify(directory)}, mode: 'writer' });
      console.log('open');
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      await once(child.stdout, 'data');
      await expect(open('writer')).rejects.toThrow(DirectoryInUse);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    expect(readdirSync(directory)).toContain('lock');
    expect((await (await open('writer')).position(0)).position).toBe(-1);
  });

  it('says so when a newer program has written the data, and lets the directory go', async () => {
    await (await open('writer')).close();
    const file = new Sqlite(join(directory, 'parlance.db'));
    file.pragma('user_version = 99');
    file.close();
    await expect(open('writer')).rejects.toThrow('written by a newer Parlance (its tables have version 99');
    await expect(open('reader')).rejects.toThrow('written by a newer Parlance');
    await expect(open('writer')).rejects.toThrow('written by a newer Parlance');
  });

  it('does not read where there is no data', async () => {
    await expect(open('reader')).rejects.toThrow();
  });

  it('changes nothing when a write fails, and goes on by itself once the cause is gone', async () => {
    const writer = await open('writer');
    const world = new World([writer]);
    await world.commit(world.account('ada'));
    const other = new Sqlite(join(directory, 'parlance.db'));
    other.exec('BEGIN IMMEDIATE');
    const rows = world.send('d:ada:bob', 'ada', 'one');
    const at = { position: 50, lastId: 'x', lastCommand: 9, generation: 'g' };
    await expect(writer.apply(0, rows, at, world.at.lastId)).rejects.toThrow('locked');
    await expect(writer.mark('d:ada:bob', 'bob', { seq: 1, count: 1 })).rejects.toThrow('locked');
    other.close();
    expect(await writer.position(0)).toEqual(world.at);
    const broken = [...rows, { ...rows[0], seq: 2, author: null } as unknown as Row];
    await expect(writer.apply(0, broken, at, world.at.lastId)).rejects.toThrow();
    expect(await writer.rows(rows)).toEqual([]);
    await writer.apply(0, rows, at, world.at.lastId);
    await writer.mark('d:ada:bob', 'bob', { seq: 1, count: 1 });
    expect(await writer.rows(rows)).toHaveLength(rows.length);
    expect((await writer.inboxEntry('bob', 'd:ada:bob'))?.mark.seq).toBe(1);
  });

  it('leaves no byte of a deleted or replaced text in any file', async () => {
    const writer = await open('writer', { truncateAfterMs: 1 });
    const world = new World([writer]);
    const secret = (seq: number): string => `SECRET${seq}.`.repeat(1 + ((seq * 37) % 60));
    for (let seq = 1; seq <= 400; seq += 8) {
      // Conversations in turns, so that their rows lie among one another.
      for (let part = seq; part < seq + 8; part++) world.now += 1;
      await world.commit(
        ...[0, 1, 2, 3, 4, 5, 6, 7].map((part) => world.send(`d:ada:u${(seq + part) % 11}`, 'ada', (seq + part) % 3 === 0 ? 'kept' : secret(seq + part))),
      );
    }
    await world.commit(world.send('d:ada:bob', 'ada', 'SECRET'.repeat(1300)));
    expect(occurrences('SECRET')).toBeGreaterThan(0);
    const doomed = world.rows().flatMap((row) => (row.table === 'message' && row.text.startsWith('SECRET') ? [row] : []));
    for (const [index, { conversation, seq }] of doomed.entries()) {
      if (index % 3 === 0) await world.commit(world.edit(conversation, seq, index % 2 === 0 ? 'kept' : 'a kept and much longer text '.repeat(100)));
      else await world.commit(world.erase(conversation, seq));
    }
    await expect.poll(logBytes, { timeout: 5000 }).toBe(0);
    expect(occurrences('SECRET')).toBe(0);
    expect(occurrences('kept')).toBeGreaterThan(100);
    expect(await verify(writer.scan(), () => undefined)).toMatchObject({ findings: [] });
  });

  it('cuts the log as soon as a reader that was in the way has gone', async () => {
    const writer = await open('writer', { truncateAfterMs: 1, truncateRetryMs: 1 });
    const reader = await open('reader');
    const world = new World([writer]);
    await world.commit(world.send('d:ada:bob', 'ada', 'SECRET'));
    const scan = reader.scan()[Symbol.asyncIterator]();
    await scan.next();
    await world.commit(world.erase('d:ada:bob', 1));
    await world.commit(world.send('d:ada:bob', 'ada', 'not held up'));
    expect(occurrences('SECRET')).toBeGreaterThan(0);
    await scan.return?.();
    await expect.poll(logBytes, { timeout: 5000 }).toBe(0);
    expect(occurrences('SECRET')).toBe(0);
  });

  it('cuts the log when it closes, and at the start the one of a process that died', async () => {
    const writer = await open('writer');
    const world = new World([writer]);
    await world.commit(world.send('d:ada:bob', 'ada', 'SECRET'));
    await world.commit(world.erase('d:ada:bob', 1));
    const died = join(parent, 'died');
    cpSync(directory, died, { recursive: true });
    expect(occurrences('SECRET', died)).toBeGreaterThan(0);
    const again = await open('writer', { directory: died });
    await expect.poll(() => occurrences('SECRET', died), { timeout: 5000 }).toBe(0);
    expect(await again.position(0)).toEqual(world.at);
    await open('reader'); // With a reader there, closing the writer does not by itself remove the log.
    await writer.close();
    expect(occurrences('SECRET')).toBe(0);
  });

  it('takes at most 350 bytes for a message of 100 bytes with all that belongs to it', async () => {
    const writer = await open('writer');
    const world = new World([writer]);
    for (let batch = 0; batch < 10; batch++) {
      await world.commit(...Array.from({ length: 300 }, (_, index) => world.send(`d:ada:user${index % 40}`, 'ada', 'x'.repeat(100))));
    }
    await writer.close();
    expect(statSync(join(directory, 'parlance.db')).size / 3000).toBeLessThanOrEqual(350);
  });
});
