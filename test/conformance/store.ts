import { deepStrictEqual as equal, match, ok, rejects } from 'node:assert';
import { inboxMax } from '@parlance/schema/limits';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { type Change, origin, type Store } from '../../packages/server/src/store/port.ts';
import { type AccountRow, keyOf, type MessageRow, type Row, type RowKey } from '../../packages/server/src/store/rows.ts';
import { ModelStore } from './store-model.ts';
import { decisionOf, World } from './store-world.ts';

// The promises of the Store port (packages/server/src/store/port.ts), as checks that any engine must pass. They are plain functions, so that a test
// can also run them on stores that are wrong on purpose and see them fail.

export interface StoreUnderTest {
  store: Store;
  /** Closes the store and opens it again on the same data. */
  reopen(): Promise<Store>;
  destroy(): Promise<void>;
}

export type Check = (test: StoreUnderTest) => Promise<void>;

export function storeConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`the store (${name})`, () => {
    for (const [sentence, check] of Object.entries(storeChecks)) it(sentence, () => withStore(open, check));
  });
}

export async function withStore(open: () => Promise<StoreUnderTest>, check: Check): Promise<void> {
  const test = await open();
  try {
    await check(test);
  } finally {
    await test.destroy();
  }
}

const keys = (rows: readonly Row[]): RowKey[] => rows as readonly RowKey[] as RowKey[];
const sorted = (rows: readonly Row[]): Row[] => [...rows].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
const collect = async (rows: AsyncIterable<Row>): Promise<Row[]> => {
  const all: Row[] = [];
  for await (const row of rows) all.push(row);
  return all;
};
const seqOf = (change: Change): number => change.event?.seq ?? change.message!.seq;
const ids = (accounts: readonly AccountRow[]): string[] => accounts.map((account) => account.userId);

/** One row of every table, in two values that differ in everything but the key. */
const oneOfEach = (isSecond: boolean): Row[] => {
  const n = isSecond ? 7 : 3;
  return [
    {
      table: 'account',
      userId: 'ada',
      displayName: `Ada ${n}`,
      email: `${n}@example.org`,
      passwordHash: isSecond ? '$argon2id$…' : null,
      credentialVersion: n,
      createdTime: n,
      sessions: isSecond ? [{ sessionId: 's', tokenHash: 'h', createdTime: n, userAgent: 'a "browser"' }] : [],
    },
    { table: 'session', tokenHash: 'h', sessionId: 's', userId: 'ada', createdTime: n, ended: isSecond },
    { table: 'installation', adminLinkHash: `${n}`, admins: isSecond ? ['ada', 'bob'] : [] },
    { table: 'conversation', conversation: 'g:garden', kind: 'group', title: `Title ${n}`, open: isSecond, memberCount: n, createdTime: n },
    {
      table: 'member',
      conversation: 'g:garden',
      userId: 'ada',
      role: isSecond ? 'admin' : 'member',
      joinedSeq: n,
      joinedCount: n,
      left: isSecond ? null : { seq: 9, count: 8, messageSeq: 7, time: 6, title: 'Then' },
    },
    { table: 'own', conversation: 'g:garden', userId: 'ada', seq: n, count: n },
    { table: 'head', conversation: 'g:garden', seq: n, count: n, messageSeq: n, time: n },
    {
      table: 'message',
      conversation: 'g:garden',
      seq: 4,
      kind: isSecond ? 'action' : 'message',
      author: 'ada',
      text: `text ${n}`,
      time: n,
      version: n,
      editedTime: isSecond ? n : null,
      deleted: false,
      count: n,
    },
    isSecond
      ? { table: 'event', conversation: 'g:garden', seq: 5, kind: 'updated', by: 'bob', time: n, count: n, title: 'Title', open: false }
      : { table: 'event', conversation: 'g:garden', seq: 5, kind: 'edit', by: 'ada', time: n, count: n, messageSeq: 4, version: 2, user: 'x', role: 'owner' },
    { ...decisionOf('one'), seq: n, messageSeq: n, version: n, time: n, code: isSecond ? null : 'not_a_member' },
  ];
};

export const storeChecks: Record<string, Check> = {
  'starts before the first record': async ({ store }) => {
    equal(await store.position(0), origin);
    equal(await store.position(5), origin);
    equal(await collect(store.scan()), []);
  },

  'gives back a row of every table by its key, and nothing for a key it does not have': async ({ store }) => {
    const rows = oneOfEach(false);
    await new World([store]).commit(rows);
    equal(sorted(await store.rows(keys(rows))), sorted(rows));
    for (const row of rows) equal(await store.rows([row]), [row]);
    equal(await store.rows([]), []);
    equal(
      await store.rows([
        { table: 'account', userId: 'ad' },
        { table: 'session', tokenHash: 'H' },
        { table: 'conversation', conversation: 'g:gard' },
        { table: 'head', conversation: 'd:ada:bob' },
        { table: 'member', conversation: 'g:garden', userId: 'bob' },
        { table: 'own', conversation: 'g:garden', userId: 'bob' },
        { table: 'message', conversation: 'g:garden', seq: 5 },
        { table: 'event', conversation: 'g:garden', seq: 4 },
        { table: 'decision', key: 'f'.repeat(40) },
      ]),
      [],
    );
  },

  'replaces a row whole at a later position': async ({ store }) => {
    const world = new World([store]);
    for (const isSecond of [false, true, false]) {
      const rows = oneOfEach(isSecond);
      await world.commit(rows);
      equal(sorted(await store.rows(keys(rows))), sorted(rows));
      equal(sorted(await collect(store.scan())), sorted(rows));
    }
  },

  'gives one row per table when only a part of what hangs together exists': async ({ store }) => {
    const rows = oneOfEach(true).filter((row) => row.table === 'head' || row.table === 'own');
    await new World([store]).commit(rows);
    equal(sorted(await store.rows(keys(oneOfEach(true)))), sorted(rows));
    equal(sorted(await collect(store.scan())), sorted(rows));
    equal(await store.inbox('ada', 5), []);
    equal(await store.memberships('ada', 5), []);
    equal(await store.members('g:garden', 5), []);
  },

  'changes nothing when the same or an older position is applied again, whoever does it': async ({ store }) => {
    const world = new World([store]);
    await world.commit(oneOfEach(false));
    const first = world.at;
    await world.commit(oneOfEach(true));
    for (const follows of [first.lastId, '', 'a stranger']) {
      await store.apply(0, oneOfEach(false), world.at, follows);
      await store.apply(0, oneOfEach(false), first, follows);
    }
    equal(await store.position(0), world.at);
    equal(sorted(await collect(store.scan())), sorted(oneOfEach(true)));
  },

  'refuses rows that extend another record than its last, and changes nothing': async ({ store }) => {
    const world = new World([store]);
    const next = { position: 9, lastId: 'x', lastCommand: 9, generation: 'g' };
    await rejects(store.apply(0, oneOfEach(false), next, 'not there'));
    equal(await store.position(0), origin);
    equal(await collect(store.scan()), []);
    await world.commit(oneOfEach(false));
    await rejects(store.apply(0, oneOfEach(true), next, ''));
    await rejects(store.apply(0, oneOfEach(true), next, 'not there'));
    equal(await store.position(0), world.at);
    equal(sorted(await collect(store.scan())), sorted(oneOfEach(false)));
    await store.apply(0, oneOfEach(true), next, world.at.lastId);
    equal(await store.position(0), next);
    equal(sorted(await collect(store.scan())), sorted(oneOfEach(true)));
  },

  'moves the position with no rows at all': async ({ store }) => {
    const world = new World([store]);
    await world.commit([]);
    equal(await store.position(0), world.at);
  },

  'keeps a position for each partition': async ({ store }) => {
    const [a, b] = [new World([store], 0), new World([store], 3)];
    await a.commit(a.account('ada'));
    await a.commit(a.account('alan'));
    await b.commit(b.account('bob'));
    equal(await store.position(0), a.at);
    equal(await store.position(3), b.at);
    equal(await store.position(1), origin);
    equal(ids(await store.users('', 9)), ['ada', 'alan', 'bob']);
  },

  'never shows a head whose rows it does not show': async ({ store }) => {
    const world = new World([store]);
    const conversation = world.direct('ada', 'bob');
    for (let round = 0; round < 5; round++) {
      let isDone = false;
      const applied = world
        .commit(world.send(conversation, 'ada', 'one'), world.send(conversation, 'bob', 'two'), world.edit(conversation, 1, `${round}`))
        .then(() => (isDone = true));
      do {
        const [head] = await store.rows([{ table: 'head', conversation }]);
        const seq = head?.table === 'head' ? head.seq : 0;
        equal(
          (await store.changes(conversation, 0, seq, 100)).map(seqOf),
          Array.from({ length: seq }, (_, index) => index + 1),
        );
      } while (!isDone);
      await applied;
    }
  },

  'keeps texts to the letter, short and long': async ({ store }) => {
    const world = new World([store]);
    const texts = ['x', ' ', '"\\\'\n\t\u0001\u2028', 'ünï 🎈 👩‍👩‍👧', 'é'.repeat(4096), 'x'.repeat(8192), '%_?', '{"a":1}'];
    await world.commit(...texts.map((text) => world.send('d:ada:bob', 'ada', text)));
    equal(
      (await store.messages('d:ada:bob', 1, 99, 99, 'first')).map((message) => message.text),
      texts,
    );
  },

  'keeps numbers as large as a number may be': async ({ store }) => {
    const big = Number.MAX_SAFE_INTEGER;
    const rows: Row[] = [
      { table: 'head', conversation: 'd:a:b', seq: big, count: big, messageSeq: big, time: big },
      {
        table: 'message',
        conversation: 'd:a:b',
        seq: big,
        kind: 'message',
        author: 'a',
        text: 'x',
        time: big,
        version: 1,
        editedTime: null,
        deleted: false,
        count: big,
      },
      { table: 'event', conversation: 'd:a:b', seq: big - 1, kind: 'delete', by: 'a', time: big, count: big, messageSeq: big, version: big },
      { ...decisionOf('big'), seq: big, time: big },
    ];
    await new World([store]).commit(rows);
    equal(sorted(await store.rows(keys(rows))), sorted(rows));
    equal((await store.changes('d:a:b', big - 2, big, 5)).map(seqOf), [big - 1, big]);
  },

  'tells decisions apart by the whole key': async ({ store }) => {
    const last = ['0', '1', 'f'].map((digit) => ({ ...decisionOf('k'), key: `0007aaaa${'5'.repeat(31)}${digit}`, seq: digit.charCodeAt(0) }));
    const first = ['0', 'f'].map((digit) => ({ ...decisionOf('k'), key: `${digit}${'5'.repeat(39)}`, seq: digit.charCodeAt(0) }));
    await new World([store]).commit([...last, ...first]);
    for (const row of [...last, ...first]) equal(await store.rows([row]), [row]);
  },

  // ── a conversation ──

  'pages through messages from either side, oldest first, and leaves other events out': async ({ store }) => {
    const world = new World([store]);
    await world.commit(world.group('garden', 'ada'), ...[2, 3, 4].map((seq) => world.send('g:garden', 'ada', `m${seq}`)), world.join('garden', 'bob'));
    await world.commit(...[6, 7].map((seq) => world.send('g:garden', 'bob', `m${seq}`)), world.send('g:other', 'bob', 'elsewhere'));
    const page = async (...range: [number, number, number, 'first' | 'last']) => (await store.messages('g:garden', ...range)).map((message) => message.seq);
    equal(await page(1, 99, 99, 'first'), [2, 3, 4, 6, 7]);
    equal(await page(1, 99, 99, 'last'), [2, 3, 4, 6, 7]);
    equal(await page(1, 99, 2, 'first'), [2, 3]);
    equal(await page(1, 99, 2, 'last'), [6, 7]);
    equal(await page(3, 6, 9, 'first'), [3, 4, 6]);
    equal(await page(3, 6, 2, 'last'), [4, 6]);
    equal(await page(5, 5, 9, 'last'), []);
    equal(await page(6, 3, 9, 'first'), []);
    equal(await page(8, 99, 9, 'last'), []);
    equal(await store.messages('g:nowhere', 1, 99, 9, 'last'), []);
    equal(await store.messages('g:garden', 4, 4, 1, 'first'), [world.get<MessageRow>('message/g:garden/4')]);
  },

  'lists every event in order and without a gap, an edit or delete with its message as it is now': async ({ store }) => {
    const world = new World([store]);
    await world.commit(world.group('garden', 'ada'), world.send('g:garden', 'ada', 'first'), world.send('g:garden', 'ada', 'second'));
    await world.commit(world.edit('g:garden', 2, 'better'), world.join('garden', 'bob'));
    await world.commit(world.edit('g:garden', 2, 'best'), world.erase('g:garden', 3));
    const changes = await store.changes('g:garden', 0, 99, 99);
    equal(changes.map(seqOf), [1, 2, 3, 4, 5, 6, 7]);
    equal(
      changes.map((change) => change.event?.kind ?? 'message'),
      ['created', 'message', 'message', 'edit', 'joined', 'edit', 'delete'],
    );
    equal(
      changes.map((change) => change.message?.text),
      [undefined, 'best', '', 'best', undefined, 'best', ''],
    );
    equal(changes[3], { event: world.get('event/g:garden/4'), message: world.get('message/g:garden/2') });
    equal(changes[4], { event: world.get('event/g:garden/5') });
    equal(changes[6]!.message, { ...world.get<MessageRow>('message/g:garden/3')!, text: '', deleted: true });
    const page = async (...range: [number, number, number]) => (await store.changes('g:garden', ...range)).map(seqOf);
    equal(await page(0, 99, 3), [1, 2, 3]);
    equal(await page(3, 5, 99), [4, 5]);
    equal(await page(3, 3, 99), []);
    equal(await page(7, 99, 99), []);
    equal(await store.changes('g:nowhere', 0, 9, 9), []);
  },

  'stops a list of changes before a gap': async ({ store }) => {
    const world = new World([store]);
    await world.commit(...[1, 2, 3, 4].map((seq) => world.send('d:ada:bob', 'ada', `m${seq}`).filter((row) => row.table !== 'message' || row.seq !== 3)));
    equal((await store.changes('d:ada:bob', 0, 4, 9)).map(seqOf), [1, 2]);
    equal((await store.changes('d:ada:bob', 2, 4, 9)).map(seqOf), []);
    equal((await store.changes('d:ada:bob', 3, 4, 9)).map(seqOf), [4]);
  },

  'shows the text of a deleted or replaced message nowhere': async ({ store, reopen }) => {
    const world = new World([store]);
    const long = 'SECRET'.repeat(1000);
    await world.commit(world.send('d:ada:bob', 'ada', 'SECRET one'), world.send('d:ada:bob', 'bob', long), world.send('d:ada:bob', 'bob', 'SECRET'));
    await world.commit(world.edit('d:ada:bob', 1, 'a longer text that keeps no secret, however long it may be'));
    await world.commit(world.erase('d:ada:bob', 2), world.edit('d:ada:bob', 3, 'SECRET again'));
    await world.commit(world.erase('d:ada:bob', 3));
    await world.commit(world.send('d:ada:bob', 'ada', 'SECRET at once'), world.erase('d:ada:bob', 8));
    const look = async (reader: Store): Promise<void> => {
      const read = [
        await collect(reader.scan()),
        await reader.rows(keys(world.rows())),
        await reader.messages('d:ada:bob', 1, 99, 99, 'first'),
        await reader.changes('d:ada:bob', 0, 99, 99),
        await reader.inbox('ada', 9),
        await reader.inboxEntry('bob', 'd:ada:bob'),
      ];
      ok(!JSON.stringify(read).includes('SECRET'));
      match(JSON.stringify(read), /keeps no secret/);
      equal(sorted(await collect(reader.scan())), sorted(world.rows()));
    };
    await look(store);
    await look(await reopen());
  },

  // ── lists ──

  'shows the inbox by last activity, ties by conversation, in pages that stay put while others write': async ({ store }) => {
    const world = new World([store]);
    for (const [index, peer] of ['bob', 'cas', 'dan', 'eve', 'fay'].entries()) {
      await world.commit(world.send(world.direct('ada', peer), peer, `from ${peer}`, [500, 300, 500, 400, 100][index]!));
    }
    const peers = async (...args: [number, { time: number; conversation: string }?]) =>
      (await store.inbox('ada', ...args)).map((entry) => entry.member.conversation.slice(6));
    equal(await peers(9), ['bob', 'dan', 'eve', 'cas', 'fay']);
    equal(await peers(2), ['bob', 'dan']);
    const [, dan] = await store.inbox('ada', 2);
    await world.commit(world.send('d:ada:fay', 'ada', 'now on top', 900), world.send('d:ada:zoe', 'zoe', 'new', 901));
    equal(await peers(1, { time: dan!.head.time, conversation: 'd:ada:dan' }), ['eve']);
    equal(await peers(9, { time: 400, conversation: 'd:ada:eve' }), ['cas']);
    equal(await peers(9, { time: 500, conversation: 'd:ada:bob' }), ['dan', 'eve', 'cas']);
    equal(await peers(9, { time: 300, conversation: 'd:ada:cas' }), []);
    equal(await store.inbox('nobody', 9), []);
  },

  'shows with an inbox entry the conversation, its head, the newest message, the mark and one’s own newest': async ({ store }) => {
    const world = new World([store]);
    await world.commit(world.send('d:ada:bob', 'ada', 'one'), world.send('d:ada:bob', 'bob', 'two'), world.group('garden', 'ada'));
    await store.mark('d:ada:bob', 'bob', { seq: 1, count: 1 });
    await world.commit(world.edit('d:ada:bob', 1, 'uno'));
    const expected = {
      member: world.get('member/d:ada:bob/ada'),
      conversation: world.get('conversation/d:ada:bob'),
      head: world.head('d:ada:bob'),
      lastMessage: world.get('message/d:ada:bob/2'),
      mark: { seq: 0, count: 0 },
      own: world.get('own/d:ada:bob/ada'),
    };
    equal(await store.inboxEntry('ada', 'd:ada:bob'), expected);
    equal(
      (await store.inbox('ada', 9)).find((entry) => entry.member.conversation === 'd:ada:bob'),
      expected,
    );
    equal((await store.inboxEntry('bob', 'd:ada:bob'))?.mark, { seq: 1, count: 1 });
    const group = await store.inboxEntry('ada', 'g:garden');
    equal([group?.lastMessage, group?.own, group?.head.seq], [null, null, 1]);
    equal(await store.inboxEntry('cas', 'd:ada:bob'), undefined);
    equal(await store.inboxEntry('ada', 'd:ada:cas'), undefined);
  },

  'shows a conversation somebody left as it was at the leaving, until they are back': async ({ store }) => {
    const world = new World([store]);
    await world.commit(world.group('garden', 'ada', { title: 'Then' }), world.join('garden', 'bob'), world.send('g:garden', 'ada', 'while there'));
    world.now += 1000;
    await world.commit(world.leave('garden', 'bob'));
    const leftTime = world.now;
    world.now += 1000;
    await world.commit(world.send('g:garden', 'ada', 'afterwards'), world.update('garden', { title: 'Now' }), world.send('d:bob:cas', 'cas', 'hello'));
    const left = { table: 'head', conversation: 'g:garden', seq: 4, count: 1, messageSeq: 3, time: leftTime };
    for (const entry of [await store.inboxEntry('bob', 'g:garden'), (await store.inbox('bob', 9))[1]]) {
      equal(entry?.head, left);
      equal(entry?.conversation.title, 'Then');
      equal(entry?.lastMessage?.text, 'while there');
      equal(entry?.member, world.get('member/g:garden/bob'));
    }
    equal(
      (await store.inbox('bob', 9)).map((entry) => entry.head.conversation),
      ['d:bob:cas', 'g:garden'],
    );
    const [first, second] = await store.inbox('bob', 9);
    equal(await store.inbox('bob', 9, { time: first!.head.time, conversation: first!.head.conversation }), [second]);
    equal(await store.inbox('bob', 9, { time: leftTime, conversation: 'g:garden' }), []);
    equal((await store.memberships('bob', 9)).find(({ member }) => member.conversation === 'g:garden')?.seq, 4);
    equal((await store.inboxEntry('ada', 'g:garden'))?.conversation.title, 'Now');
    await world.commit(world.join('garden', 'bob'));
    const back = await store.inboxEntry('bob', 'g:garden');
    equal([back?.head, back?.conversation.title, back?.lastMessage?.text], [world.head('g:garden'), 'Now', 'afterwards']);
  },

  'lists memberships newest joined first, ended ones too, a renewed one as new': async ({ store }) => {
    const world = new World([store]);
    for (const name of ['one', 'two', 'three']) await world.commit(world.group(name, 'ada'));
    for (const name of ['two', 'one', 'three']) await world.commit(world.join(name, 'bob'));
    await world.commit(world.leave('two', 'bob'));
    const names = async (limit: number) => (await store.memberships('bob', limit)).map(({ member }) => member.conversation);
    equal(await names(9), ['g:three', 'g:one', 'g:two']);
    equal(await names(2), ['g:three', 'g:one']);
    await world.commit(world.join('two', 'bob'));
    equal(await names(9), ['g:two', 'g:three', 'g:one']);
    equal(await store.memberships('bob', 1), [{ member: world.get('member/g:two/bob'), seq: world.head('g:two').seq }]);
    await world.commit(world.send('g:one', 'ada', 'no reason to move'));
    equal(await names(9), ['g:two', 'g:three', 'g:one']);
    equal(await store.memberships('zoe', 9), []);
  },

  'looks in the inbox at the newest memberships only': async ({ store }) => {
    const world = new World([store]);
    await world.commit(...['old1', 'old2'].map((peer) => world.send(world.direct('ada', peer), peer, 'x', 9_000_000_000_000)));
    await world.commit(...Array.from({ length: inboxMax - 1 }, (_, index) => world.send(world.direct('ada', `p${index}`), 'ada', 'x')));
    const entries = await store.inbox('ada', 1000);
    equal(entries.length, inboxMax);
    equal(entries.filter((entry) => entry.member.conversation.includes('old')).length, 1);
    equal((await store.memberships('ada', 1000)).length, inboxMax);
  },

  'lists current members by user id, after a cursor': async ({ store }) => {
    const world = new World([store]);
    await world.commit(world.group('garden', 'mia'), ...['bob', 'ada', 'b.ob', 'b-b', 'zoe', 'eve'].map((user) => world.join('garden', user)));
    await world.commit(world.leave('garden', 'eve'), world.group('other', 'xia'));
    const names = async (...args: [number, string?]) => (await store.members('g:garden', ...args)).map((member) => member.userId);
    equal(await names(9), ['ada', 'b-b', 'b.ob', 'bob', 'mia', 'zoe']);
    equal(await names(2), ['ada', 'b-b']);
    await world.commit(world.join('garden', 'abe'));
    equal(await names(2, 'b-b'), ['b.ob', 'bob']);
    equal(await names(9, 'bo'), ['bob', 'mia', 'zoe']);
    equal(await names(9, 'zoe'), []);
    await world.commit(world.join('garden', 'eve'));
    equal(await names(1, 'bob'), ['eve']);
    equal(await store.members('g:garden', 1), [world.get('member/g:garden/abe')]);
    equal(await store.members('g:nowhere', 9), []);
  },

  'lists users by id with exactly those that begin with a prefix': async ({ store }) => {
    const world = new World([store]);
    const all = ['a', 'a-', 'a-z', 'a.', 'a0', 'a_', 'aa', 'az', 'azz', 'b', 'z', 'zz', '0', '9z'].sort();
    await world.commit(...all.map((userId) => world.account(userId)), world.group('a-group', 'a', { open: true }));
    for (const prefix of ['', 'a', 'a-', 'a.', 'az', 'azz', 'azzz', 'z', '0', '9', 'b', 'c', '_', '%']) {
      equal(
        ids(await store.users(prefix, 99)),
        all.filter((userId) => userId.startsWith(prefix)),
      );
      const paged: string[] = [];
      for (let page = await store.users(prefix, 2); page.length > 0; page = await store.users(prefix, 2, paged.at(-1))) paged.push(...ids(page));
      equal(
        paged,
        all.filter((userId) => userId.startsWith(prefix)),
      );
    }
    equal(ids(await store.users('a', 3)), ['a', 'a-', 'a-z']);
    await world.commit(world.account('a--'), world.account('a-a'));
    equal(ids(await store.users('a', 2, 'a-z')), ['a.', 'a0']);
    equal(ids(await store.users('a', 9, '9')), ids(await store.users('a', 9)));
    equal(ids(await store.users('a', 9, 'b')), []);
    equal(await store.users('b', 1), [world.get('account/b')]);
  },

  'lists open groups by name, and none that is closed': async ({ store }) => {
    const world = new World([store]);
    const open = ['tea', 'tea-2', 'tea.3', 'team', 'tez', 'x'];
    await world.commit(...open.map((name) => world.group(name, 'ada', { open: true })), world.group('tea-secret', 'ada'), world.send('d:ada:tea', 'ada', 'x'));
    const names = async (...args: [string, number, string?]) => (await store.openGroups(...args)).map((group) => group.conversation.slice(2));
    equal(await names('', 9), open);
    equal(await names('tea', 9), ['tea', 'tea-2', 'tea.3', 'team']);
    equal(await names('tea', 2, 'g:tea'), ['tea-2', 'tea.3']);
    equal(await names('tea-', 9), ['tea-2']);
    equal(await names('tea', 9, 'g:team'), []);
    equal(await names('q', 9), []);
    await world.commit(world.update('tea-2', { open: false }), world.update('tea-secret', { open: true }), world.update('x', { title: 'Ex' }));
    equal(await names('tea', 9), ['tea', 'tea-secret', 'tea.3', 'team']);
    equal(await store.openGroups('x', 9), [world.get('conversation/g:x')]);
  },

  // ── marks ──

  'moves a read mark forward and never back, whatever comes first': async ({ store, reopen }) => {
    const world = new World([store]);
    await world.commit(...[1, 2, 3].map((seq) => world.send('d:ada:bob', 'ada', `m${seq}`)));
    const mark = async (reader = store) => (await reader.inboxEntry('bob', 'd:ada:bob'))?.mark;
    await store.mark('d:ada:bob', 'bob', { seq: 2, count: 2 });
    equal(await mark(), { seq: 2, count: 2 });
    await store.mark('d:ada:bob', 'bob', { seq: 1, count: 1 });
    equal(await mark(), { seq: 2, count: 2 });
    await Promise.all([3, 1, 2].map((seq) => store.mark('d:ada:bob', 'bob', { seq, count: seq })));
    equal(await mark(), { seq: 3, count: 3 });
    equal((await store.inboxEntry('ada', 'd:ada:bob'))?.mark, { seq: 0, count: 0 });
    await world.commit(world.send('d:ada:bob', 'ada', 'm4'));
    equal(await mark(), { seq: 3, count: 3 });
    equal(await store.position(0), world.at);
    equal(sorted(await collect(store.scan())), sorted(world.rows()));
    equal(await mark(await reopen()), { seq: 3, count: 3 });
  },

  // ── everything ──

  'keeps everything when it is closed and opened again': async ({ store, reopen }) => {
    const world = new World([store]);
    await world.commit(world.account('ada'), world.group('garden', 'ada', { open: true }), world.send('g:garden', 'ada', 'one'), oneOfEach(true).slice(1, 3));
    await world.commit(world.edit('g:garden', 2, 'two'), world.join('garden', 'bob'));
    const again = await reopen();
    equal(await again.position(0), world.at);
    equal(sorted(await collect(again.scan())), sorted([...world.rows(), ...oneOfEach(true).slice(1, 3)]));
    const next = new World([again]);
    next.at = world.at;
    await next.commit(next.account('bob'));
    equal(ids(await again.users('', 9)), ['ada', 'bob']);
  },

  'scans every row of every table once': async ({ store }) => {
    const world = new World([store]);
    await world.commit(...Array.from({ length: 300 }, (_, index) => world.send(`d:ada:u${index % 7}`, 'ada', `m${index}`)));
    await world.commit(world.erase('d:ada:u0', 1), world.edit('d:ada:u1', 1, 'e'), world.account('ada'), world.group('garden', 'ada'));
    equal(sorted(await collect(store.scan())), sorted(world.rows()));
  },

  'scans while others write': async ({ store }) => {
    const world = new World([store]);
    await world.commit(...Array.from({ length: 50 }, (_, index) => world.send('d:ada:bob', 'ada', `m${index}`)));
    const before = world.rows().map(keyOf);
    const seen = new Set<string>();
    for await (const row of store.scan()) {
      seen.add(keyOf(row));
      if (seen.size % 20 === 0) await world.commit(world.send('d:ada:bob', 'bob', 'meanwhile'));
    }
    ok(before.every((key) => seen.has(key)));
    equal(await store.position(0), world.at);
  },

  'lets a scan be given up': async ({ store }) => {
    const world = new World([store]);
    await world.commit(...Array.from({ length: 50 }, (_, index) => world.account(`u${index}`)));
    for await (const row of store.scan()) {
      equal(row.table, 'account');
      break;
    }
    await world.commit(world.account('later'));
    equal(ids(await store.users('later', 9)), ['later']);
  },

  'answers like the plainest store there is, whatever happens': async (test) => {
    let { store } = test;
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        // Runs share the engine: each has its own names and partition.
        const tag = `r${run++}`;
        const model = new ModelStore();
        const both = { apply: (...args: Parameters<Store['apply']>) => Promise.all([model.apply(...args), store.apply(...args)]) } as unknown as Store;
        const world = new World([both], run);
        for (const { kind, who, where, which } of steps) {
          world.now += which % 3;
          if (kind === 'reopen') store = await test.reopen();
          else if (kind === 'mark') {
            for (const one of [model, store]) await one.mark(conversationOf(tag, where), `${tag}u${who}`, { seq: which, count: which });
          } else await world.commit(stepRows(world, tag, kind, who, where, which));
        }
        await compare(model, store, tag);
      }),
      { numRuns: 60 },
    );
  },
};

// ── the random test ──

const step = fc.record({
  kind: fc.constantFrom('send', 'send', 'send', 'edit', 'erase', 'join', 'leave', 'update', 'account', 'mark', 'reopen'),
  who: fc.nat(2),
  where: fc.nat(2),
  which: fc.nat(6),
});

/** One direct conversation and two groups. */
const conversationOf = (tag: string, where: number): string => (where === 0 ? `d:${tag}u0:${tag}u1` : `g:${tag}g${where}`);

function stepRows(world: World, tag: string, kind: string, who: number, where: number, which: number): Row[] {
  const conversation = conversationOf(tag, where);
  const user = `${tag}u${who}`;
  if (kind === 'account') return world.account(user, { displayName: `name ${which}` });
  if (where > 0 && world.head(conversation).seq === 0) return world.group(conversation.slice(2), user, { open: which % 2 === 0 });
  const message = world.get<MessageRow>(`message/${conversation}/${which}`);
  const member = world.get<Row & { left: unknown }>(`member/${conversation}/${user}`);
  if (kind === 'edit' && message?.deleted === false) return world.edit(conversation, which, `edited ${'x'.repeat(which * which)}`);
  if (kind === 'erase' && message?.deleted === false) return world.erase(conversation, which);
  if (where > 0 && kind === 'join' && (member === undefined || member.left !== null)) return world.join(conversation.slice(2), user);
  if (where > 0 && kind === 'leave' && member?.left === null) return world.leave(conversation.slice(2), user);
  if (where > 0 && kind === 'update') return world.update(conversation.slice(2), { title: `title ${which}`, open: which % 2 === 0 });
  return world.send(conversation, where === 0 ? `${tag}u${who % 2}` : user, `text ${which}`);
}

/** Every read of both, with small limits so that edges are the usual case. */
async function compare(model: Store, store: Store, tag: string): Promise<void> {
  const same = async (read: (store: Store) => Promise<unknown>): Promise<void> => equal(await read(store), await read(model));
  for (const user of [0, 1, 2].map((who) => `${tag}u${who}`)) {
    await same((one) => one.inbox(user, 9));
    const [first] = await model.inbox(user, 1);
    if (first !== undefined) await same((one) => one.inbox(user, 1, { time: first.head.time, conversation: first.head.conversation }));
    await same((one) => one.memberships(user, 2));
    for (const where of [0, 1, 2]) await same((one) => one.inboxEntry(user, conversationOf(tag, where)));
  }
  for (const conversation of [0, 1, 2].map((where) => conversationOf(tag, where))) {
    await same((one) => one.members(conversation, 2));
    await same((one) => one.members(conversation, 9, `${tag}u0`));
    await same((one) => one.changes(conversation, 1, 99, 3));
    await same((one) => one.changes(conversation, 0, 99, 99));
    await same((one) => one.messages(conversation, 2, 5, 2, 'first'));
    await same((one) => one.messages(conversation, 1, 99, 3, 'last'));
  }
  await same((one) => one.users(`${tag}u`, 9));
  await same((one) => one.openGroups(`${tag}g`, 9));
  const mine = await collect(model.scan());
  equal(sorted(await store.rows(keys(mine))), sorted(mine));
}
