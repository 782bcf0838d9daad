import type { Database, Statement } from 'better-sqlite3';
import { type Change, origin, type PositionRow } from '../port.ts';
import type { EventRow, MessageRow, Row, RowKey } from '../rows.ts';
import * as shape from './shape.ts';

// Reading by key and along a conversation. The statements are prepared once for each connection.
//
// Where there is an ORDER BY or LIMIT, a bare `?` in an equality or as the limit makes SQLite plan the statement anew whenever another value is bound (as built
// here, with STAT4): measured, 10 µs for each read. `+?` is the same value, and not planned for.

const place = '(SELECT no FROM conversation WHERE id = +?)';

export class Reader {
  readonly #database: Database;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #position: Statement;
  readonly #account: Statement;
  readonly #session: Statement;
  readonly #installation: Statement;
  readonly #conversation: Statement;
  readonly #head: Statement;
  readonly #member: Statement;
  readonly #own: Statement;
  readonly #message: Statement;
  readonly #event: Statement;
  readonly #decision: Statement;
  readonly #oldest: Statement;
  readonly #newest: Statement;
  readonly #events: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#begin = database.prepare('BEGIN');
    this.#commit = database.prepare('COMMIT');
    this.#position = database.prepare('SELECT * FROM position WHERE partition = ?');
    this.#account = database.prepare(`SELECT ${shape.accountColumns} FROM account WHERE user_id = ?`).raw();
    this.#session = database.prepare(`SELECT ${shape.sessionColumns} FROM session WHERE token_hash = ?`).raw();
    this.#installation = database.prepare(`SELECT ${shape.installationColumns} FROM installation`).raw();
    this.#conversation = database.prepare(`SELECT ${shape.conversationColumns} FROM conversation WHERE id = ? AND kind IS NOT NULL`).raw();
    this.#head = database.prepare(`SELECT ${shape.headColumns} FROM head WHERE conversation = ${place}`).raw();
    this.#member = database.prepare(`SELECT ${shape.memberColumns} FROM member WHERE conversation = ${place} AND user_id = ? AND role IS NOT NULL`).raw();
    this.#own = database.prepare(`SELECT seq, count FROM own WHERE member = (SELECT no FROM member WHERE conversation = ${place} AND user_id = ?)`).raw();
    this.#message = database.prepare(`SELECT ${shape.messageColumns} FROM message WHERE conversation = ${place} AND seq = ? AND superseded = 0`).raw();
    this.#event = database.prepare(`SELECT ${shape.eventColumns} FROM event WHERE conversation = ${place} AND seq = ?`).raw();
    this.#decision = database.prepare(`SELECT ${shape.decisionColumns} FROM decision WHERE key = ?`).raw();
    const range = `SELECT ${shape.messageColumns} FROM message WHERE conversation = ${place} AND seq BETWEEN ? AND ? AND superseded = 0`;
    this.#oldest = database.prepare(`${range} ORDER BY seq LIMIT +?`).raw();
    this.#newest = database.prepare(`${range} ORDER BY seq DESC LIMIT +?`).raw();
    this.#events = database
      .prepare(`SELECT ${shape.eventColumns} FROM event WHERE conversation = ${place} AND seq BETWEEN ? AND ? ORDER BY seq LIMIT +?`)
      .raw();
  }

  position(partition: number): PositionRow {
    return positionOf(this.#position.get(partition));
  }

  rows(keys: readonly RowKey[]): Row[] {
    const rows: Row[] = [];
    for (const key of keys) {
      const row = this.#row(key);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  messages(conversation: string, from: number, to: number, limit: number, side: 'first' | 'last'): MessageRow[] {
    const found = (side === 'first' ? this.#oldest : this.#newest).all(conversation, from, to, limit) as shape.Columns[];
    const messages = found.map((columns) => shape.message(conversation, columns));
    return side === 'first' ? messages : messages.reverse();
  }

  /** Both lanes and the messages that edits are about come from one snapshot. */
  changes(conversation: string, after: number, to: number, limit: number): Change[] {
    return this.#inSnapshot(() => {
      const last = Math.min(to, after + limit);
      const messages = this.messages(conversation, after + 1, last, limit, 'first');
      const events = (this.#events.all(conversation, after + 1, last, limit) as shape.Columns[]).map((columns) => shape.event(conversation, columns));
      return this.#merge(messages, events, after);
    });
  }

  /** Begins a snapshot for the reads that follow, unless there is one; true when it began. To be ended with `endSnapshot`. */
  beginSnapshot(): boolean {
    if (this.#database.inTransaction) return false;
    this.#begin.run();
    return true;
  }

  endSnapshot(): void {
    this.#commit.run();
  }

  #inSnapshot<T>(work: () => T): T {
    const isOwn = this.beginSnapshot();
    try {
      return work();
    } finally {
      if (isOwn) this.endSnapshot();
    }
  }

  #merge(messages: MessageRow[], events: EventRow[], after: number): Change[] {
    const changes: Change[] = [];
    for (let seq = after + 1, m = 0, e = 0; ; seq++) {
      if (messages[m]?.seq === seq) changes.push({ message: messages[m++]! });
      else if (events[e]?.seq === seq) changes.push(this.#withMessage(events[e++]!));
      else return changes;
    }
  }

  #withMessage(event: EventRow): Change {
    if (event.messageSeq === undefined) return { event };
    const columns = this.#message.get(event.conversation, event.messageSeq) as shape.Columns | undefined;
    return columns === undefined ? { event } : { event, message: shape.message(event.conversation, columns) };
  }

  #row(key: RowKey): Row | undefined {
    switch (key.table) {
      case 'account':
        return shaped(this.#account.get(key.userId), shape.account);
      case 'session':
        return shaped(this.#session.get(key.tokenHash), shape.session);
      case 'installation':
        return shaped(this.#installation.get(), shape.installation);
      case 'conversation':
        return shaped(this.#conversation.get(key.conversation), (columns) => shape.conversation(key.conversation, columns));
      case 'head':
        return shaped(this.#head.get(key.conversation), (columns) => shape.head(key.conversation, columns));
      case 'member':
        return shaped(this.#member.get(key.conversation, key.userId), (columns) => shape.member(key.conversation, columns));
      case 'own':
        return shaped(this.#own.get(key.conversation, key.userId), (columns) => shape.own(key.conversation, key.userId, columns));
      case 'message':
        return shaped(this.#message.get(key.conversation, key.seq), (columns) => shape.message(key.conversation, columns));
      case 'event':
        return shaped(this.#event.get(key.conversation, key.seq), (columns) => shape.event(key.conversation, columns));
      case 'decision':
        return shaped(this.#decision.get(Buffer.from(key.key, 'hex')), shape.decision);
    }
  }
}

const shaped = <T>(columns: unknown, make: (columns: shape.Columns) => T): T | undefined =>
  columns === undefined ? undefined : make(columns as shape.Columns);

/** The position row as SQLite gives it; `origin` when there is none. */
export function positionOf(found: unknown): PositionRow {
  if (found === undefined) return { ...origin };
  const row = found as { position: number; last_id: string; last_command: number; generation: string };
  return { position: row.position, lastId: row.last_id, lastCommand: row.last_command, generation: row.generation };
}
