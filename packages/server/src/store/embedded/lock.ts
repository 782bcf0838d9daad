import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { createPrivate } from './connection.ts';

/** Another process, or another part of this one, already writes in the data directory. */
export class DirectoryInUse extends Error {
  constructor(directory: string, options?: ErrorOptions) {
    super(
      `The data directory ${directory} is in use by a running server. Talk to that server, or stop it first, or give this one another data directory.`,
      options,
    );
    this.name = 'DirectoryInUse';
  }
}

/**
 * Takes the data directory for this process until `release` is called or the process ends, in whatever way: what holds it is a lock of the operating
 * system on an empty database of its own, so the file that stays behind means nothing. A lock on the data itself would also lock out our readers.
 */
export function takeDirectory(directory: string): { release(): void } {
  const file = join(directory, 'lock');
  createPrivate(file);
  let database: Database | undefined;
  try {
    database = new Sqlite(file, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if ((error as { code?: string }).code?.startsWith('SQLITE_BUSY')) throw new DirectoryInUse(directory, { cause: error });
    throw new Error(`The lock file ${file} cannot be used: ${(error as Error).message}.`, { cause: error });
  }
  const held = database;
  return { release: () => void held.close() };
}
