import { describe, expect, it } from 'vitest';
import type { Mark, PositionRow } from '../../packages/server/src/store/port.ts';
import type { Row, RowKey } from '../../packages/server/src/store/rows.ts';
import { storeChecks, storeConformance, withStore } from './store.ts';
import { ModelStore } from './store-model.ts';

// The suite is worth something only if it fails where it should: stores that are wrong on purpose, and the checks that must see it.

const under = (store: ModelStore) => async () => ({ store, reopen: async () => store, destroy: () => store.close() });

storeConformance('the model', () => under(new ModelStore())());

const planted: [string, () => ModelStore][] = [
  [
    'applies whatever record comes, wherever it was',
    () =>
      new (class extends ModelStore {
        override async apply(partition: number, rows: readonly Row[], at: PositionRow): Promise<void> {
          await super.apply(partition, rows, at, (await this.position(partition)).lastId);
        }
      })(),
  ],
  [
    'writes an older position over a newer one',
    () =>
      new (class extends ModelStore {
        override async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
          const { position } = await this.position(partition);
          if (position >= at.position) for (const row of rows) this.put(row, at.position);
          await super.apply(partition, rows, at, follows);
        }
      })(),
  ],
  [
    'has written half of it when it refuses',
    () =>
      new (class extends ModelStore {
        override async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
          const { position } = await this.position(partition);
          if (position < at.position && rows[0] !== undefined) this.put(rows[0], at.position);
          await super.apply(partition, rows, at, follows);
        }
      })(),
  ],
  [
    'shows the head before the messages',
    () =>
      new (class extends ModelStore {
        override async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
          for (const row of rows) if (row.table === 'head' && follows !== 'not there') this.put(row, at.position);
          await new Promise((resume) => setImmediate(resume));
          await super.apply(partition, rows, at, follows);
        }
      })(),
  ],
  [
    'lets a read mark go back',
    () =>
      new (class extends ModelStore {
        override async mark(conversation: string, userId: string, mark: Mark): Promise<void> {
          this.marks.set(`${conversation}/${userId}`, mark);
        }
      })(),
  ],
  [
    'jumps over a gap',
    () =>
      new (class extends ModelStore {
        override async changes(conversation: string, after: number, to: number, limit: number) {
          const before = await super.changes(conversation, after, to, limit);
          return before.length < limit && after + before.length < to
            ? [...before, ...(await super.changes(conversation, after + before.length + 1, to, limit - before.length))]
            : before;
        }
      })(),
  ],
  [
    'gives an edit with the text it had then',
    () =>
      new (class extends ModelStore {
        override async changes(conversation: string, after: number, to: number, limit: number) {
          return (await super.changes(conversation, after, to, limit)).map((change) => (change.event ? { event: change.event } : change));
        }
      })(),
  ],
  [
    'shows those who left what came after',
    () =>
      new (class extends ModelStore {
        override entry(member: Parameters<ModelStore['entry']>[0]) {
          const entry = super.entry({ ...member, left: null });
          return entry && { ...entry, member };
        }
      })(),
  ],
  [
    'lists former members',
    () =>
      new (class extends ModelStore {
        override async members(conversation: string, limit: number, after = '') {
          return this.all('member')
            .filter((member) => member.conversation === conversation && member.userId > after)
            .slice(0, limit);
        }
      })(),
  ],
  [
    'takes the first user beyond the prefix for one with it',
    () =>
      new (class extends ModelStore {
        override async users(prefix: string, limit: number, after = '') {
          const all = await super.users('', Number.MAX_SAFE_INTEGER, after);
          return all.filter(({ userId }) => userId >= prefix && userId <= `${prefix}z`).slice(0, limit);
        }
      })(),
  ],
  [
    'repeats the last of a page on the next',
    () =>
      new (class extends ModelStore {
        override async openGroups(prefix: string, limit: number, after = '') {
          return (await super.openGroups(prefix, Number.MAX_SAFE_INTEGER)).filter((group) => group.conversation >= after).slice(0, limit);
        }
      })(),
  ],
  [
    'keeps the text of what was deleted',
    () =>
      new (class extends ModelStore {
        override put(row: Row, position: number): void {
          const [before] =
            row.table === 'message' && row.deleted
              ? this.all('message').filter(({ conversation, seq }) => conversation === row.conversation && seq === row.seq)
              : [];
          super.put(before === undefined ? row : ({ ...row, text: before.text } as Row), position);
        }
      })(),
  ],
  [
    'forgets a row of every table but one',
    () =>
      new (class extends ModelStore {
        override async rows(keys: readonly RowKey[]): Promise<Row[]> {
          return (await super.rows(keys)).filter((row) => row.table !== 'own');
        }
      })(),
  ],
];

describe('the checks of the Store port', () => {
  it.each(planted)('see a store that %s', async (_what, make) => {
    const failed: string[] = [];
    for (const [sentence, check] of Object.entries(storeChecks)) {
      await withStore(under(make()), check).catch(() => failed.push(sentence));
    }
    expect(failed).not.toEqual([]);
  });
});
