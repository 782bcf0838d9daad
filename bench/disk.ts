import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';

// The raw limits of the disk: appends that are synced one by one, and SQLite's writer alone, committing as many rows at once as the server does.

const text = 'x'.repeat(100);

/** 100-byte appends a second, each followed by fdatasync. */
export function appendsPerSecond(measureMs: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'parlance-bench-'));
  const file = openSync(join(folder, 'log'), 'a');
  const began = performance.now();
  let count = 0;
  while (performance.now() - began < measureMs) {
    writeSync(file, text);
    fdatasyncSync(file);
    count += 1;
  }
  const seconds = (performance.now() - began) / 1000;
  closeSync(file);
  rmSync(folder, { recursive: true });
  return count / seconds;
}

/** Rows a second that SQLite alone makes durable, `batch` in each transaction: a message and a decision each, as the server writes them. */
export function rowsPerSecond(batch: number, measureMs: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'parlance-bench-'));
  const database = new Database(join(folder, 'raw.sqlite'));
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.pragma('wal_autocheckpoint = 16384');
  database.exec('CREATE TABLE message (conversation INTEGER, seq INTEGER, author INTEGER, time INTEGER, text TEXT, UNIQUE (conversation, seq))');
  database.exec('CREATE TABLE decision (key BLOB UNIQUE, fingerprint BLOB, seq INTEGER, time INTEGER)');
  const message = database.prepare('INSERT INTO message VALUES (?, ?, ?, ?, ?)');
  const decision = database.prepare('INSERT INTO decision VALUES (?, ?, ?, ?)');
  const key = Buffer.alloc(20);
  const fingerprint = Buffer.alloc(16);
  let count = 0;
  const write = database.transaction(() => {
    for (let index = 0; index < batch; index++) {
      count += 1;
      key.writeUInt32BE(count, 8);
      message.run(count % 250, count, 1, count, text);
      decision.run(key, fingerprint, count, count);
    }
  });
  const began = performance.now();
  while (performance.now() - began < measureMs) write.immediate();
  const seconds = (performance.now() - began) / 1000;
  database.close();
  rmSync(folder, { recursive: true });
  return count / seconds;
}
