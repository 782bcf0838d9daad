import type { Row, RowKey } from '../rows.ts';
import { concurrently } from './concurrently.ts';
import type { Connection } from './connection.ts';
import { decisionSliceOf, directoryShardOf, memberShardOf } from './places.ts';
import * as shape from './shape.ts';

// Rows by key, those of one partition in one query.

/** Keys in one query: the replicas look each up. */
const keysMax = 100;

/** Keys of tables that are looked up in one step; a head and an own message are in buckets that have to be found first. */
export type PlainKey =
  | Exclude<RowKey, { table: 'conversation' | 'head' } | { table: 'member' | 'own' }>
  | { table: 'conversation'; conversation: string }
  | { table: 'member'; conversation: string; userId: string };

type Value = string | number | Buffer;

/** Where a key is: the query, the values of its partition, and the one within that, if a partition holds several. */
interface Place {
  query: string;
  partition: Value[];
  item?: Value;
}

const accounts = `SELECT ${shape.accountColumns} FROM account WHERE shard = ? AND user_id IN ?`;
const sessions = `SELECT ${shape.sessionColumns} FROM session WHERE token_hash = ?`;
const installations = `SELECT ${shape.installationColumns} FROM installation WHERE no = 1`;
const conversations = `SELECT ${shape.conversationColumns} FROM conversation WHERE conversation = ?`;
const members = `SELECT ${shape.memberColumns} FROM member WHERE conversation = ? AND shard = ? AND user_id IN ?`;
const lanes = `SELECT ${shape.laneColumns} FROM timeline WHERE conversation = ? AND bucket = ? AND lane = ? AND seq IN ?`;
const decisions = `SELECT ${shape.decisionColumns} FROM decision WHERE slice = ? AND key IN ?`;

function placeOf(key: PlainKey, bucketOf: (seq: number) => number): Place {
  switch (key.table) {
    case 'account':
      return { query: accounts, partition: [directoryShardOf(key.userId)], item: key.userId };
    case 'session':
      return { query: sessions, partition: [key.tokenHash] };
    case 'installation':
      return { query: installations, partition: [] };
    case 'conversation':
      return { query: conversations, partition: [key.conversation] };
    case 'member':
      return { query: members, partition: [key.conversation, memberShardOf(key.conversation, key.userId)], item: key.userId };
    case 'message':
      return { query: lanes, partition: [key.conversation, bucketOf(key.seq), shape.messageLane], item: key.seq };
    case 'event':
      return { query: lanes, partition: [key.conversation, bucketOf(key.seq), shape.eventLane], item: key.seq };
    case 'decision':
      return { query: decisions, partition: [decisionSliceOf(key.key)], item: Buffer.from(key.key, 'hex') };
  }
}

/** A row of what a query for such a key answers; undefined where something stands that is not the row itself. */
function rowOf(table: PlainKey['table'], columns: shape.Columns): Row | undefined {
  switch (table) {
    case 'account':
      return shape.account(columns);
    case 'session':
      return shape.session(columns);
    case 'installation':
      return shape.installation(columns);
    case 'conversation':
      return columns.kind === null ? undefined : shape.conversation(columns);
    case 'member':
      return columns.role === null ? undefined : shape.member(columns);
    case 'message':
    case 'event':
      return shape.lane(columns);
    case 'decision':
      return shape.decision(columns);
  }
}

/** The rows of these keys that exist, in any order. */
export async function lookUp(connection: Connection, keys: readonly PlainKey[], bucketOf: (seq: number) => number): Promise<Row[]> {
  const queries: { table: PlainKey['table']; query: string; values: unknown[] }[] = [];
  const open = new Map<string, Value[]>();
  for (const key of keys) {
    const { query, partition, item } = placeOf(key, bucketOf);
    const group = `${key.table}\0${partition.join('\0')}`;
    const items = open.get(group);
    if (items !== undefined && items.length < keysMax) {
      if (item !== undefined) items.push(item);
      continue;
    }
    const first = item === undefined ? [] : [item];
    open.set(group, first);
    queries.push({ table: key.table, query, values: item === undefined ? partition : [...partition, first] });
  }
  const found = await concurrently(queries, async ({ table, query, values }) =>
    (await connection.all(query, values)).flatMap((columns) => rowOf(table, columns) ?? []),
  );
  return found.flat();
}
