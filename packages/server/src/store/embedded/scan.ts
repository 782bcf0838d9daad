import type { Database } from 'better-sqlite3';
import type { Row } from '../rows.ts';
import * as shape from './shape.ts';

/** Rows read before others get their turn on this thread. */
const rowsAtOnce = 200;

/**
 * Every row, as all of them were at one moment: on a connection of its own, which it closes, in one read transaction. Writers go on meanwhile; only the
 * write-ahead log cannot be cut before it has ended.
 */
export async function* scan(database: Database): AsyncIterable<Row> {
  try {
    database.exec('BEGIN');
    let count = 0;
    for (const { sql, make } of tables) {
      for (const columns of database.prepare(sql).raw().iterate() as IterableIterator<shape.Columns>) {
        yield make(columns);
        if (++count % rowsAtOnce === 0) await new Promise((resume) => setImmediate(resume));
      }
    }
  } finally {
    database.close();
  }
}

/** In a conversation's rows its id comes first. */
const ofConversation =
  <T>(make: (id: string, columns: shape.Columns) => T) =>
  (columns: shape.Columns): T =>
    make(columns[0] as string, columns.slice(1));
const within = (table: string, columns: string): string =>
  `SELECT id, ${shape.of(table, columns)} FROM ${table} JOIN conversation ON conversation.no = ${table}.conversation`;

const tables: readonly { sql: string; make: (columns: shape.Columns) => Row }[] = [
  { sql: `SELECT ${shape.installationColumns} FROM installation`, make: shape.installation },
  { sql: `SELECT ${shape.accountColumns} FROM account`, make: shape.account },
  { sql: `SELECT ${shape.sessionColumns} FROM session`, make: shape.session },
  { sql: `SELECT id, ${shape.conversationColumns} FROM conversation WHERE kind IS NOT NULL`, make: ofConversation(shape.conversation) },
  { sql: within('head', shape.headColumns), make: ofConversation(shape.head) },
  { sql: `${within('member', shape.memberColumns)} WHERE role IS NOT NULL`, make: ofConversation(shape.member) },
  {
    sql: `SELECT id, user_id, own.seq, own.count FROM own JOIN member ON member.no = own.member JOIN conversation ON conversation.no = member.conversation`,
    make: ([id, userId, ...columns]) => shape.own(id as string, userId as string, columns),
  },
  // Without CROSS the planner may take the conversations first and jump about in a large table.
  {
    sql: `SELECT id, ${shape.of('message', shape.messageColumns)} FROM message CROSS JOIN conversation ON conversation.no = message.conversation WHERE superseded = 0`,
    make: ofConversation(shape.message),
  },
  { sql: within('event', shape.eventColumns), make: ofConversation(shape.event) },
  { sql: `SELECT ${shape.decisionColumns} FROM decision`, make: shape.decision },
];
