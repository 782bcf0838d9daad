import type { Database } from 'better-sqlite3';

// The tables, as numbered steps. A step that was released is never changed; the number of the last one done stands in the file (`user_version`).
//
// Conversations, and people in conversations, have small integers (`no`) under which the other tables keep what is theirs: `conversation` and
// `member` rows may therefore exist for their number alone, and `kind` and `role` are null until the row itself is written.
//
// Texts of messages must never be moved by SQLite: `secure_delete` overwrites what is freed, but not the copies that splitting or merging
// B-tree pages leaves in their unused space (measured: of 20,000 messages written in conversation order and then erased, 66 could still be read in
// the file). So `message` is a rowid table that is only ever appended to, which moves no row, and no row changes its size: deleting overwrites the text with as
// many other bytes, and an edit does the same, marks the row superseded (both flags take no room in SQLite's format, whatever their value) and
// appends a new one. What lies in conversation order is only the index.
const steps: readonly string[] = [
  `
  CREATE TABLE position (partition INTEGER PRIMARY KEY, position INTEGER NOT NULL, last_id TEXT NOT NULL, last_command INTEGER NOT NULL, generation TEXT NOT NULL) STRICT;
  CREATE TABLE installation (no INTEGER PRIMARY KEY, admin_link_hash TEXT NOT NULL, admins TEXT NOT NULL) STRICT;
  CREATE TABLE account (no INTEGER PRIMARY KEY, user_id TEXT NOT NULL UNIQUE, display_name TEXT NOT NULL, email TEXT NOT NULL, password_hash TEXT,
    credential_version INTEGER NOT NULL, created_time INTEGER NOT NULL, sessions TEXT NOT NULL) STRICT;
  CREATE TABLE session (no INTEGER PRIMARY KEY, token_hash TEXT NOT NULL UNIQUE, session_id TEXT NOT NULL, user_id TEXT NOT NULL,
    created_time INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;

  CREATE TABLE conversation (no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT, title TEXT, open INTEGER, member_count INTEGER, created_time INTEGER) STRICT;
  CREATE INDEX open_group ON conversation (id) WHERE open = 1 AND kind = 'group';
  CREATE TABLE head (conversation INTEGER PRIMARY KEY, seq INTEGER NOT NULL, count INTEGER NOT NULL, message_seq INTEGER NOT NULL, time INTEGER NOT NULL) STRICT;

  CREATE TABLE member (no INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, user_id TEXT NOT NULL, role TEXT, joined_seq INTEGER, joined_count INTEGER,
    joined_position INTEGER, left_seq INTEGER, left_count INTEGER, left_message_seq INTEGER, left_time INTEGER, left_title TEXT,
    UNIQUE (conversation, user_id)) STRICT;
  CREATE INDEX membership ON member (user_id, joined_position) WHERE role IS NOT NULL;
  -- Not columns of member: one of the two is written with every message, and this small row by its integer is the cheapest write there is.
  CREATE TABLE own (member INTEGER PRIMARY KEY, seq INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;
  CREATE TABLE mark (member INTEGER PRIMARY KEY, seq INTEGER NOT NULL, count INTEGER NOT NULL) STRICT;

  CREATE TABLE message (no INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, seq INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, time INTEGER NOT NULL,
    count INTEGER NOT NULL, is_action INTEGER NOT NULL, version INTEGER NOT NULL, edited_time INTEGER, deleted INTEGER NOT NULL, superseded INTEGER NOT NULL) STRICT;
  CREATE UNIQUE INDEX message_place ON message (conversation, seq) WHERE superseded = 0;
  CREATE TABLE event (no INTEGER PRIMARY KEY, conversation INTEGER NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL, by TEXT NOT NULL, time INTEGER NOT NULL,
    count INTEGER NOT NULL, message_seq INTEGER, version INTEGER, user TEXT, role TEXT, title TEXT, open INTEGER, UNIQUE (conversation, seq)) STRICT;

  CREATE TABLE decision (key BLOB PRIMARY KEY, fingerprint BLOB NOT NULL, seq INTEGER NOT NULL, message_seq INTEGER NOT NULL, version INTEGER NOT NULL,
    time INTEGER NOT NULL, code TEXT) STRICT, WITHOUT ROWID;
  `,
];

/** The version of the tables that this program reads and writes. */
export const schemaVersion = steps.length;

/** Brings the tables up to this program's version, each step in a transaction of its own. Throws when they are newer. */
export function migrate(database: Database, file: string): void {
  assertNotNewer(database, file);
  for (let version = versionOf(database); version < schemaVersion; version++) {
    database.transaction(() => {
      database.exec(steps[version]!);
      database.pragma(`user_version = ${version + 1}`);
    })();
  }
}

/** Throws, with a sentence for the operator, when a newer program has written the file. */
export function assertNotNewer(database: Database, file: string): void {
  const version = versionOf(database);
  if (version <= schemaVersion) return;
  throw new Error(
    `The data in ${file} was written by a newer Parlance (its tables have version ${version}; this program knows them up to ${schemaVersion}). Start the newer program, or use another data directory.`,
  );
}

const versionOf = (database: Database): number => database.pragma('user_version', { simple: true }) as number;
