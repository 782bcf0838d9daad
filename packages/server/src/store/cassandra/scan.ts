import { types } from 'cassandra-driver';
import type { Row } from '../rows.ts';
import { concurrently } from './concurrently.ts';
import type { Connection } from './connection.ts';
import { foundHead, type Heads } from './heads.ts';
import type { Reader } from './read.ts';
import * as shape from './shape.ts';

// Every row of every table, by ranges of tokens, a page of each range at a time: the memory it takes does not grow with the data, and no query runs long. It is no snapshot:
// each row is as it was when its page was read, so rows of one conversation may be some records apart while others write. `verify` wants a
// store that nobody writes to meanwhile.
//
// Heads and own messages stand in the bucket where they were last, and a bucket that was left keeps what stood there. Those that went beyond the first bucket
// are named by a conversation or a member row, and are looked up; what the scan meets of them in buckets is passed over.

const ranges = 4;
const rowsAtOnce = 500;
const bounds = Array.from({ length: ranges + 1 }, (_, index) =>
  index === ranges ? types.Long.MAX_VALUE : types.Long.MIN_VALUE.add(types.Long.MAX_UNSIGNED_VALUE.shiftRightUnsigned(2).multiply(index)),
);

export async function* scan(connection: Connection, heads: Heads, reader: Reader): AsyncIterable<Row> {
  const pages = (select: string, key: string): AsyncIterable<shape.Columns[]> => pagesOf(connection, select, key);
  for await (const page of pages(`SELECT ${shape.installationColumns} FROM installation`, 'no')) yield* page.map(shape.installation);
  for await (const page of pages(`SELECT ${shape.accountColumns} FROM account`, 'shard')) yield* page.map(shape.account);
  for await (const page of pages(`SELECT ${shape.sessionColumns} FROM session`, 'token_hash')) yield* page.map(shape.session);

  const far = new Set<string>();
  for await (const page of pages(`SELECT ${shape.conversationColumns}, bucket FROM conversation`, 'conversation')) {
    yield* page.filter(({ kind }) => kind !== null).map(shape.conversation);
    const ids = page.filter(({ bucket }) => bucket !== null).map(({ conversation }) => conversation as string);
    for (const id of ids) far.add(id);
    yield* (await heads.settled(ids)).values();
  }
  for await (const page of pages(`SELECT DISTINCT conversation, bucket, ${shape.headColumns} FROM timeline`, 'conversation, bucket')) {
    const near = page.flatMap((columns) => foundHead(columns) ?? []).filter(({ bucket, head }) => bucket === 0 && !far.has(head.conversation));
    const newest = await concurrently(near, (found) => heads.beyond(found.head.conversation, found));
    yield* (await heads.settle(newest.filter((found) => found !== undefined))).values();
  }

  const moved = new Set<string>();
  for await (const page of pages(`SELECT ${shape.memberColumns}, own_bucket FROM member`, 'conversation, shard')) {
    yield* page.filter(({ role }) => role !== null).map(shape.member);
    const pointed = page.filter((columns) => columns.own_bucket !== null).map((c) => ({ conversation: c.conversation as string, userId: c.user_id as string }));
    for (const { conversation, userId } of pointed) moved.add(`${conversation}/${userId}`);
    yield* (await concurrently(pointed, ({ conversation, userId }) => reader.own(conversation, userId))).filter((own) => own !== undefined);
  }
  for await (const page of pages(`SELECT ${shape.ownColumns} FROM own`, 'conversation, bucket')) {
    yield* page
      .filter(({ bucket }) => shape.number(bucket) === 0)
      .map(shape.own)
      .filter(({ conversation, userId }) => !moved.has(`${conversation}/${userId}`));
  }

  for await (const page of pages(`SELECT ${shape.laneColumns} FROM timeline`, 'conversation, bucket')) {
    // A bucket that has a head but no row yet is a row without a place.
    yield* page.filter(({ lane }) => lane !== null).map(shape.lane);
  }
  for await (const page of pages(`SELECT ${shape.decisionColumns} FROM decision`, 'slice')) yield* page.map(shape.decision);
}

/** The rows of a table: with every step the next page of each range that has one. `key`: the columns of its partition key. */
async function* pagesOf(connection: Connection, select: string, key: string): AsyncIterable<shape.Columns[]> {
  const query = `${select} WHERE token(${key}) > ? AND token(${key}) <= ?`;
  let open = Array.from({ length: ranges }, (_, index): { values: types.Long[]; next?: string } => ({ values: [bounds[index]!, bounds[index + 1]!] }));
  while (open.length > 0) {
    const pages = await concurrently(open, ({ values, next }) => connection.page(query, values, rowsAtOnce, next));
    open = open.flatMap(({ values }, index) => {
      const { next } = pages[index]!;
      return next === undefined ? [] : [{ values, next }];
    });
    yield pages.flatMap(({ rows }) => rows);
  }
}
