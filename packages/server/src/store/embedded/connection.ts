import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { assertNotNewer, migrate } from './migrations.ts';

// Opens the one database file of a data directory, `parlance.db`, with what durability, speed and erasing need of SQLite.

const fileName = 'parlance.db';

/** Makes the data directory, readable by its owner only, if it is not there. */
export const makeDirectory = (directory: string): void => void mkdirSync(directory, { recursive: true, mode: 0o700 });

/** Makes the file, readable by its owner only, unless it exists. An existing one must not be opened here: closing it would drop the locks that SQLite holds in this process. */
export function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The connection that writes. There must be one only: the caller holds the directory. */
export function openWriting(directory: string): Database {
  const file = join(directory, fileName);
  createPrivate(file); // SQLite gives the files beside it (-wal, -shm) the same mode.
  return opened(new Sqlite(file, { timeout: 1000 }), (database) => {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('wal_autocheckpoint = 16384');
    database.pragma('secure_delete = ON');
    // What a statement may have to undo holds old texts: never in a temporary file.
    database.pragma('temp_store = MEMORY');
    database.pragma('cache_size = -65536');
    migrate(database, file);
  });
}

/** A connection that reads what is committed, on the same files. */
export function openReading(directory: string): Database {
  const file = join(directory, fileName);
  return opened(new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 1000 }), (database) => {
    database.pragma('temp_store = MEMORY');
    database.pragma('cache_size = -65536');
    assertNotNewer(database, file);
  });
}

/** Empties the write-ahead log into the database file and cuts it to nothing. False when a reader or writer was in the way: try again later. */
export function truncateLog(database: Database): boolean {
  const timeout = database.pragma('busy_timeout', { simple: true }) as number;
  database.pragma('busy_timeout = 0');
  try {
    const [answer] = database.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    return answer?.busy === 0;
  } finally {
    database.pragma(`busy_timeout = ${timeout}`);
  }
}

function opened(database: Database, prepare: (database: Database) => void): Database {
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
