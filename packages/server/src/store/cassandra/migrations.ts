import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type Client, errors, type QueryOptions, types } from 'cassandra-driver';

// Brings the tables up to this program's version, by the numbered CQL files of the folder schema/. A file that was released is never changed; each of its
// statements may be repeated (IF NOT EXISTS), because a node may die half way through.
//
// One node at a time: two that change a schema at once can make Cassandra lose a table. The guard is one row that is written with lightweight transactions,
// the only ones there are. Whoever holds it writes its name in again before every statement, to last for `holdS`; a holder that died is
// forgotten after that. A holder that was paused longer than that may meet its successor: then both make the same tables, which IF NOT EXISTS forgives.

const holdS = 60;

/** How statements that change the schema are sent: to one node only, however long it takes. */
export const definition: QueryOptions = { prepare: false, isIdempotent: false, readTimeout: 60_000 };

/** The step of every file, in order, and its statements. */
export interface Step {
  version: number;
  statements: string[];
}

/** Brings the tables of the keyspace up to the newest step. Rejects with a sentence when they are newer than that, or when another node does not get done. */
export async function migrate(client: Client, keyspace: string, all: readonly Step[] = readSteps()): Promise<void> {
  const guard = new Guard(client);
  if ((await guard.read()) === undefined) {
    await client.execute(guardTable(keyspace), [], definition);
    await everywhere(client, "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = 'migration'", keyspace);
  }
  const newest = all.at(-1)!.version;
  const deadline = performance.now() + waitMs;
  for (;;) {
    const { version, holder } = (await guard.read()) ?? nothing;
    if (version === newest) return;
    if (version > newest) throw new Error(tooNew(keyspace, version, newest));
    if (holder === null && (await guard.take())) await runAll(client, guard, all);
    else if (performance.now() > deadline)
      throw new Error(`Another node has been changing the tables of ${keyspace} for five minutes. See what it waits for, and start again.`);
    else await pause(pollMs + pollMs * Math.random());
  }
}

const waitMs = 5 * 60_000;
const pollMs = 200;

/**
 * Waits until every node that answers knows of something. A definition given twice returns at once from a node that has it already, while others do not yet; and whoever
 * they are asked by is told that it does not exist. `query` finds it in the node's own list, with the keyspace as its only value.
 */
export async function everywhere(client: Client, query: string, keyspace: string): Promise<void> {
  const deadline = performance.now() + agreementMs;
  for (const host of client.hosts.values()) {
    for (let isKnown = false; !isKnown; ) {
      // Who does not answer is no reason to wait: it learns of it when it is back.
      isKnown = await client.execute(query, [keyspace], { host, consistency: types.consistencies.localOne, isIdempotent: false }).then(
        ({ rows }) => rows.length > 0,
        () => true,
      );
      if (!isKnown && performance.now() > deadline)
        throw new Error(`The Cassandra node ${host.address} has not heard of the keyspace ${keyspace} for a minute. See what is wrong with it.`);
      if (!isKnown) await pause(pollMs);
    }
  }
}

const agreementMs = 60_000;

const tooNew = (keyspace: string, version: number, newest: number): string =>
  `The keyspace ${keyspace} was written by a newer Parlance (its tables have version ${version}; this program knows them up to ${newest}). Start the newer program, or use another keyspace.`;
const overtaken = 'Another node took over changing the tables, because this one was too slow at it. Start again.';

async function runAll(client: Client, guard: Guard, all: readonly Step[]): Promise<void> {
  try {
    const { version: done } = (await guard.read()) ?? nothing;
    for (const { version, statements } of all) {
      if (version <= done) continue;
      for (const statement of statements) {
        if (!(await guard.keep())) throw new Error(overtaken);
        await client.execute(statement, [], definition);
      }
      if (!(await guard.done(version))) throw new Error(overtaken);
    }
  } finally {
    await guard.leave().catch(() => false); // Then it is forgotten a little later.
  }
}

// ── the guard ──

/** Two nodes may make this table at the same time, before there is a guard: with the same id it is the same table. */
function guardTable(keyspace: string): string {
  const hex = createHash('sha256').update(`parlance/${keyspace}/migration`).digest('hex');
  // The digits that make it a UUID of version 8, one whose other bits mean nothing.
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  return `CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, version int, holder text) WITH ID = ${id}`;
}

interface GuardRow {
  /** The newest step that was done. */
  version: number;
  /** Who is at it now. */
  holder: string | null;
}

const nothing: GuardRow = { version: 0, holder: null };

class Guard {
  readonly #client: Client;
  readonly #me = randomUUID();

  constructor(client: Client) {
    this.#client = client;
  }

  /** What a quorum says; undefined when there is no such table. What is done with it must still be right if it has changed since: only `take` and so on decide. */
  async read(): Promise<GuardRow | undefined> {
    try {
      const { rows } = await this.#client.execute("SELECT version, holder FROM migration WHERE name = 'schema'", [], { prepare: false });
      return { version: (rows[0]?.version as number | null | undefined) ?? 0, holder: (rows[0]?.holder as string | null | undefined) ?? null };
    } catch (error) {
      if (error instanceof errors.ResponseError && error.code === types.responseErrorCodes.invalid) return undefined;
      throw error;
    }
  }

  take = (): Promise<boolean> => this.#set(this.#holding(holdS), 'holder = null', ({ holder }) => holder === this.#me);
  keep = (): Promise<boolean> => this.#set(this.#holding(holdS), this.#isMine, ({ holder }) => holder === this.#me);
  leave = (): Promise<boolean> => this.#set(this.#holding(1), this.#isMine, ({ holder }) => holder !== this.#me);
  done = (step: number): Promise<boolean> => this.#set(`SET version = ${step}`, this.#isMine, ({ version }) => version === step);

  get #isMine(): string {
    return `holder = '${this.#me}'`;
  }

  #holding(seconds: number): string {
    return `USING TTL ${seconds} SET holder = '${this.#me}'`;
  }

  /** Whether it is set now. Where several nodes try, a transaction may end with an unknown outcome: then the row itself says, read after it in the same order. */
  async #set(change: string, condition: string, isSet: (row: GuardRow) => boolean): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        const result = await this.#client.execute(`UPDATE migration ${change} WHERE name = 'schema' IF ${condition}`, [], {
          prepare: false,
          isIdempotent: false,
        });
        if (result.wasApplied() || tries === 1) return result.wasApplied();
      } catch (error) {
        if (tries === triesMax) throw error;
      }
      const { rows } = await this.#client.execute("SELECT version, holder FROM migration WHERE name = 'schema'", [], {
        prepare: false,
        consistency: types.consistencies.serial,
      });
      if (isSet({ ...nothing, ...(rows[0] as Partial<GuardRow> | undefined) })) return true;
      await pause(pollMs + pollMs * Math.random());
    }
  }
}

const triesMax = 5;

// ── the files ──

/** The steps that this program knows. */
export function readSteps(): Step[] {
  const folder = folderOf();
  return readdirSync(folder)
    .filter((name) => /^\d+-.*\.cql$/.test(name))
    .sort()
    .map((name) => ({ version: Number.parseInt(name, 10), statements: statementsOf(readFileSync(new URL(name, folder), 'utf8')) }));
}

/** The compiler copies no CQL: what runs in dist/ reads the files in src/. */
function folderOf(): URL {
  const beside = new URL('schema/', import.meta.url);
  return existsSync(beside) ? beside : new URL('../../../src/store/cassandra/schema/', import.meta.url);
}

const statementsOf = (text: string): string[] =>
  text
    .replaceAll(/--.*$/gm, '')
    .split(';')
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '');
