import type { Database } from 'better-sqlite3';
import type { Change, InboxEntry, Mark, PositionRow, Store } from '../port.ts';
import type { AccountRow, ConversationRow, MemberRow, MessageRow, Row, RowKey } from '../rows.ts';
import { makeDirectory, openReading, openWriting, truncateLog } from './connection.ts';
import { Lists } from './lists.ts';
import { takeDirectory } from './lock.ts';
import { Reader } from './read.ts';
import { scan } from './scan.ts';
import { type MarkOrder, Writer } from './write.ts';

// The store in one SQLite file. One writer holds the data directory and is the only connection that writes; any number of readers, on other threads, see what
// it committed. `apply` is one transaction with a durable commit, so rows, head and position row appear together or not at all. After any
// failure the connection is dropped, and the next call opens a new one: a disk that was full or absent needs no restart.

export interface SqliteOptions {
  /** The data directory; the writer makes it. */
  directory: string;
  /** The writer has every method; on a reader `apply` and `mark` reject. */
  mode: 'writer' | 'reader';
  /** How long text that was deleted or replaced may stay in the write-ahead log, ms, when nothing is in the way. Default 30 s, to be done within 60 s. */
  truncateAfterMs?: number;
  /** When a reader was in the way: how long until the next try, ms. */
  truncateRetryMs?: number;
}

/** An open connection and the statements prepared on it. */
interface Connection {
  database: Database;
  reader: Reader;
  lists: Lists;
  writer: Writer | undefined;
}

interface WaitingMark extends MarkOrder {
  resolve: () => void;
  reject: (error: unknown) => void;
}

export class SqliteStore implements Store {
  readonly #options: Required<SqliteOptions>;
  readonly #lock: { release(): void } | undefined;
  #connection: Connection | undefined;
  #isClosed = false;
  #marks: WaitingMark[] = [];
  /** The next truncation of the write-ahead log, while text waits to leave it. */
  #truncation: NodeJS.Timeout | undefined;

  private constructor(options: Required<SqliteOptions>, lock: { release(): void } | undefined) {
    this.#options = options;
    this.#lock = lock;
  }

  /** Opens the store of a data directory. Rejects with `DirectoryInUse` when another writer has it, and with a sentence when a newer program has written it. */
  static async open(options: SqliteOptions): Promise<SqliteStore> {
    const all = { truncateAfterMs: 30_000, truncateRetryMs: 1000, ...options };
    if (options.mode === 'writer') makeDirectory(options.directory);
    const lock = options.mode === 'writer' ? takeDirectory(options.directory) : undefined;
    const store = new SqliteStore(all, lock);
    try {
      store.#open();
      return store;
    } catch (error) {
      lock?.release();
      throw error;
    }
  }

  async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
    const hasErased = this.#with((connection) => writerOf(connection).apply(partition, rows, at, follows));
    if (hasErased) this.#truncateIn(this.#options.truncateAfterMs);
  }

  async position(partition: number): Promise<PositionRow> {
    return this.#with(({ reader }) => reader.position(partition));
  }

  async rows(keys: readonly RowKey[]): Promise<Row[]> {
    return this.#with(({ reader }) => reader.rows(keys));
  }

  async inbox(userId: string, limit: number, after?: { time: number; conversation: string }): Promise<InboxEntry[]> {
    return this.#with(({ lists }) => lists.inbox(userId, limit, after));
  }

  async inboxEntry(userId: string, conversation: string): Promise<InboxEntry | undefined> {
    return this.#with(({ lists }) => lists.inboxEntry(userId, conversation));
  }

  async memberships(userId: string, limit: number): Promise<{ member: MemberRow; seq: number }[]> {
    return this.#with(({ lists }) => lists.memberships(userId, limit));
  }

  async members(conversation: string, limit: number, after?: string): Promise<MemberRow[]> {
    return this.#with(({ lists }) => lists.members(conversation, limit, after));
  }

  async messages(conversation: string, from: number, to: number, limit: number, side: 'first' | 'last'): Promise<MessageRow[]> {
    return this.#with(({ reader }) => reader.messages(conversation, from, to, limit, side));
  }

  async changes(conversation: string, after: number, to: number, limit: number): Promise<Change[]> {
    return this.#with(({ reader }) => reader.changes(conversation, after, to, limit));
  }

  async users(prefix: string, limit: number, after?: string): Promise<AccountRow[]> {
    return this.#with(({ lists }) => lists.users(prefix, limit, after));
  }

  async openGroups(prefix: string, limit: number, after?: string): Promise<ConversationRow[]> {
    return this.#with(({ lists }) => lists.openGroups(prefix, limit, after));
  }

  /** Marks that come together share one commit: each alone would hold up the sends behind it for a whole sync of the disk. */
  async mark(conversation: string, userId: string, mark: Mark): Promise<void> {
    this.#assertOpen();
    if (this.#options.mode === 'reader') throw new Error(readOnly);
    await new Promise<void>((resolve, reject) => {
      if (this.#marks.push({ conversation, userId, mark, resolve, reject }) === 1) setImmediate(() => this.#writeMarks());
    });
  }

  scan(): AsyncIterable<Row> {
    this.#assertOpen();
    return scan(openReading(this.#options.directory));
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#writeMarks();
    try {
      // Also when a failure has dropped the connection: the text is in the log all the same.
      if (this.#truncation !== undefined) this.#with(({ database }) => truncateLog(database));
    } catch {
      // The disk still does not work. The next start empties the log.
    } finally {
      this.#isClosed = true;
      clearTimeout(this.#truncation);
      this.#truncation = undefined;
      this.#drop();
      this.#lock?.release();
    }
  }

  #writeMarks(): void {
    const marks = this.#marks;
    if (marks.length === 0) return;
    this.#marks = [];
    try {
      this.#with((connection) => writerOf(connection).mark(marks));
      for (const { resolve } of marks) resolve();
    } catch (error) {
      for (const { reject } of marks) reject(error);
    }
  }

  #truncateIn(delayMs: number): void {
    if (this.#truncation !== undefined || this.#isClosed) return;
    this.#truncation = setTimeout(() => this.#truncate(), delayMs).unref();
  }

  #truncate(): void {
    this.#truncation = undefined;
    let isDone = false;
    try {
      isDone = this.#with(({ database }) => truncateLog(database));
    } catch {
      // Whoever writes next will meet what is wrong and say so; the text still has to leave.
    }
    if (!isDone) this.#truncateIn(this.#options.truncateRetryMs);
  }

  /** Does the work on the open connection, opening one if need be; drops it when the work fails. */
  #with<T>(work: (connection: Connection) => T): T {
    this.#assertOpen();
    const connection = this.#connection ?? this.#open();
    try {
      if (this.#options.mode === 'reader') this.#snapshotOfCallback(connection);
      return work(connection);
    } catch (error) {
      this.#drop();
      throw error;
    }
  }

  // A reader's reads in one callback of the loop, with everything that follows from it without waiting, see one snapshot: beginning one costs more than reading
  // a row does. It ends before the next callback, which may be the word of the writer that something was committed.
  #snapshotOfCallback({ reader }: Connection): void {
    if (reader.beginSnapshot()) process.nextTick(() => this.#endSnapshot(reader));
  }

  #endSnapshot(reader: Reader): void {
    if (this.#connection?.reader !== reader) return; // It was dropped, and its snapshot with it.
    try {
      reader.endSnapshot();
    } catch {
      this.#drop();
    }
  }

  #open(): Connection {
    const { directory, mode } = this.#options;
    const database = mode === 'writer' ? openWriting(directory) : openReading(directory);
    try {
      this.#connection = { database, reader: new Reader(database), lists: new Lists(database), writer: mode === 'writer' ? new Writer(database) : undefined };
      // What a process that died left in the log may be a text that was deleted since.
      if (mode === 'writer') this.#truncateIn(0);
      return this.#connection;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      connection?.database.close();
    } catch {
      // It is given up because it failed; that closing it fails too is no news.
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('The store is closed.');
  }
}

const readOnly = 'This connection to the store only reads.';

function writerOf({ writer }: Connection): Writer {
  if (writer === undefined) throw new Error(readOnly);
  return writer;
}
