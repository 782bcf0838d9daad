import type { Database, Statement } from 'better-sqlite3';
import type { Mark, PositionRow } from '../port.ts';
import type { AccountRow, ConversationRow, DecisionRow, EventRow, InstallationRow, MemberRow, MessageRow, Row, SessionRow } from '../rows.ts';
import { Bulk } from './bulk.ts';
import { Numbers } from './numbers.ts';
import { positionOf } from './read.ts';

// The statements that write, prepared once, on the one connection that writes. Throws what SQLite throws; the connection and this with it must then be
// dropped, since the numbers remembered here may have been rolled back.

/** A read mark that waits to be written. */
export interface MarkOrder {
  conversation: string;
  userId: string;
  mark: Mark;
}

export class Writer {
  readonly #database: Database;
  readonly #numbers: Numbers;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #rollback: Statement;
  readonly #readPosition: Statement;
  readonly #position: Statement;
  readonly #messages: Bulk;
  readonly #decisions: Bulk;
  readonly #heads: Bulk;
  readonly #owns: Bulk;
  readonly #message: Statement;
  readonly #currentMessage: Statement;
  readonly #erase: Statement;
  readonly #supersede: Statement;
  readonly #event: Statement;
  readonly #conversation: Statement;
  readonly #member: Statement;
  readonly #account: Statement;
  readonly #session: Statement;
  readonly #installation: Statement;
  readonly #mark: Statement;
  readonly #keys = Array.from({ length: 16 }, () => Buffer.alloc(20));
  readonly #fingerprints = Array.from({ length: 16 }, () => Buffer.alloc(16));

  constructor(database: Database) {
    this.#database = database;
    this.#numbers = new Numbers(database);
    this.#begin = database.prepare('BEGIN IMMEDIATE');
    this.#commit = database.prepare('COMMIT');
    this.#rollback = database.prepare('ROLLBACK');
    this.#readPosition = database.prepare('SELECT * FROM position WHERE partition = ?');
    this.#position = database.prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?, ?)');
    const message = 'INTO message (conversation, seq, author, text, time, count, is_action, version, edited_time, deleted, superseded)';
    this.#messages = new Bulk(database, `INSERT OR IGNORE ${message}`, '(?, ?, ?, ?, ?, ?, ?, 1, NULL, 0, 0)');
    this.#message = database.prepare(`INSERT ${message} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`);
    this.#currentMessage = database.prepare(
      'SELECT no, octet_length(text) AS bytes, author, time, count, is_action, version, edited_time FROM message WHERE conversation = ? AND seq = ? AND superseded = 0',
    );
    this.#erase = database.prepare('UPDATE message SET text = ?, deleted = 1 WHERE no = ?');
    this.#supersede = database.prepare('UPDATE message SET text = ?, superseded = 1 WHERE no = ?');
    this.#decisions = new Bulk(database, 'INSERT OR REPLACE INTO decision', '(?, ?, ?, ?, ?, ?, ?)');
    this.#heads = new Bulk(database, 'INSERT OR REPLACE INTO head', '(?, ?, ?, ?, ?)');
    this.#owns = new Bulk(database, 'INSERT OR REPLACE INTO own', '(?, ?, ?)');
    this.#event = database.prepare(
      'INSERT OR REPLACE INTO event (conversation, seq, kind, by, time, count, message_seq, version, user, role, title, open) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
    this.#conversation = database.prepare('UPDATE conversation SET kind = ?, title = ?, open = ?, member_count = ?, created_time = ? WHERE no = ?');
    this.#member = database.prepare(`
      UPDATE member SET role = ?, joined_position = CASE WHEN joined_seq IS ? THEN joined_position ELSE ? END, joined_seq = ?, joined_count = ?,
        left_seq = ?, left_count = ?, left_message_seq = ?, left_time = ?, left_title = ?
      WHERE no = ?`);
    this.#account = database.prepare(`
      INSERT INTO account (user_id, display_name, email, password_hash, credential_version, created_time, sessions) VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (user_id) DO UPDATE SET display_name = excluded.display_name, email = excluded.email, password_hash = excluded.password_hash,
        credential_version = excluded.credential_version, created_time = excluded.created_time, sessions = excluded.sessions`);
    this.#session = database.prepare(`
      INSERT INTO session (token_hash, session_id, user_id, created_time, ended) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (token_hash) DO UPDATE SET session_id = excluded.session_id, user_id = excluded.user_id, created_time = excluded.created_time, ended = excluded.ended`);
    this.#installation = database.prepare('INSERT OR REPLACE INTO installation VALUES (1, ?, ?)');
    this.#mark = database.prepare(
      'INSERT INTO mark VALUES (?, ?, ?) ON CONFLICT (member) DO UPDATE SET seq = excluded.seq, count = excluded.count WHERE excluded.seq > seq',
    );
  }

  /** `Store.apply` in one durable transaction. Returns whether it took text away: then the write-ahead log still holds it. */
  apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): boolean {
    return this.#transaction(() => {
      const row = positionOf(this.#readPosition.get(partition));
      if (row.position >= at.position) return false;
      if (row.lastId !== follows) {
        throw new Error(`The store is at record '${row.lastId}' of partition ${partition}, not at '${follows}': another writer was here.`);
      }
      const hasErased = this.#write(rows, at.position);
      this.#position.run(partition, at.position, at.lastId, at.lastCommand, at.generation);
      return hasErased;
    });
  }

  /** Moves read marks forward, all of them in one durable transaction. */
  mark(orders: Iterable<MarkOrder>): void {
    this.#transaction(() => {
      for (const { conversation, userId, mark } of orders) {
        this.#mark.run(this.#numbers.member(this.#numbers.conversation(conversation), userId), mark.seq, mark.count);
      }
    });
  }

  #transaction<T>(work: () => T): T {
    this.#begin.run();
    try {
      const answer = work();
      this.#commit.run();
      return answer;
    } catch (error) {
      if (this.#database.inTransaction) this.#rollback.run(); // Some errors have rolled back already.
      throw error;
    }
  }

  #write(rows: readonly Row[], position: number): boolean {
    let hasErased = false;
    let decisions = 0;
    const plain: MessageRow[] = [];
    for (const row of rows) {
      switch (row.table) {
        case 'message':
          if (row.version === 1 && !row.deleted && row.editedTime === null) {
            plain.push(row);
            this.#messages.add(this.#numbers.conversation(row.conversation), row.seq, row.author, row.text, row.time, row.count, row.kind === 'action' ? 1 : 0);
          } else {
            this.#writeMessage(row);
            hasErased = true;
          }
          break;
        case 'decision':
          this.#addDecision(row, decisions++);
          break;
        case 'head':
          this.#heads.add(this.#numbers.conversation(row.conversation), row.seq, row.count, row.messageSeq, row.time);
          break;
        case 'own':
          this.#owns.add(this.#numbers.member(this.#numbers.conversation(row.conversation), row.userId), row.seq, row.count);
          break;
        default:
          this.#writeRare(row, position);
      }
    }
    // Those that were there already were left as they are: a new value for one of them goes the careful way.
    if (this.#messages.flush() < plain.length) {
      for (const row of plain) this.#writeMessage(row);
      hasErased = true;
    }
    this.#decisions.flush();
    this.#heads.flush();
    this.#owns.flush();
    return hasErased;
  }

  /** The two buffers of a decision are used again after sixteen: by then the `Bulk` has written it. */
  #addDecision(row: DecisionRow, index: number): void {
    const key = this.#keys[index % this.#keys.length]!;
    const fingerprint = this.#fingerprints[index % this.#fingerprints.length]!;
    if (row.key.length !== 40 || key.write(row.key, 'hex') !== 20) throw new Error('the key of a decision has 40 hexadecimal digits');
    if (row.fingerprint.length !== 32 || fingerprint.write(row.fingerprint, 'hex') !== 16) throw new Error('a fingerprint has 32 hexadecimal digits');
    this.#decisions.add(key, fingerprint, row.seq, row.messageSeq, row.version, row.time, row.code);
  }

  // No row of `message` may change its size or go away, or SQLite moves texts and leaves copies (see migrations.ts).
  #writeMessage(row: MessageRow): void {
    const conversation = this.#numbers.conversation(row.conversation);
    const isAction = row.kind === 'action' ? 1 : 0;
    const current = this.#currentMessage.get(conversation, row.seq) as CurrentMessage | undefined;
    if (current !== undefined) {
      const isSame =
        current.version === row.version &&
        current.edited_time === row.editedTime &&
        current.author === row.author &&
        current.time === row.time &&
        current.count === row.count &&
        current.is_action === isAction;
      const filler = ' '.repeat(current.bytes);
      if (row.deleted && isSame) {
        this.#erase.run(filler, current.no);
        return;
      }
      this.#supersede.run(filler, current.no);
    }
    this.#message.run(
      conversation,
      row.seq,
      row.author,
      row.deleted ? '' : row.text,
      row.time,
      row.count,
      isAction,
      row.version,
      row.editedTime,
      row.deleted ? 1 : 0,
    );
  }

  #writeRare(row: AccountRow | SessionRow | InstallationRow | ConversationRow | MemberRow | EventRow, position: number): void {
    switch (row.table) {
      case 'event':
        this.#event.run(
          this.#numbers.conversation(row.conversation),
          row.seq,
          row.kind,
          row.by,
          row.time,
          row.count,
          row.messageSeq ?? null,
          row.version ?? null,
          row.user ?? null,
          row.role ?? null,
          row.title ?? null,
          row.open === undefined ? null : Number(row.open),
        );
        return;
      case 'conversation':
        this.#conversation.run(row.kind, row.title, Number(row.open), row.memberCount, row.createdTime, this.#numbers.conversation(row.conversation));
        return;
      case 'member': {
        const { left } = row;
        this.#member.run(
          row.role,
          row.joinedSeq,
          position,
          row.joinedSeq,
          row.joinedCount,
          left?.seq ?? null,
          left?.count ?? null,
          left?.messageSeq ?? null,
          left?.time ?? null,
          left?.title ?? null,
          this.#numbers.member(this.#numbers.conversation(row.conversation), row.userId),
        );
        return;
      }
      case 'account':
        this.#account.run(row.userId, row.displayName, row.email, row.passwordHash, row.credentialVersion, row.createdTime, JSON.stringify(row.sessions));
        return;
      case 'session':
        this.#session.run(row.tokenHash, row.sessionId, row.userId, row.createdTime, Number(row.ended));
        return;
      case 'installation':
        this.#installation.run(row.adminLinkHash, JSON.stringify(row.admins));
    }
  }
}

interface CurrentMessage {
  no: number;
  bytes: number;
  author: string;
  time: number;
  count: number;
  is_action: number;
  version: number;
  edited_time: number | null;
}
