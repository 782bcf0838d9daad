import type { types } from 'cassandra-driver';
import { concurrently } from './concurrently.ts';
import type { Connection, Statement } from './connection.ts';

/** Estimated bytes in one mutation. Cassandra takes up to half a commit log segment, 16 MiB unless set lower, but holds each whole in memory several times. */
const bytesMax = 262_144;
/** What a row takes beside its longer texts. */
const rowBytes = 200;

/**
 * Rows to be written together: those of one partition become one mutation, whatever tables they are of, unless it would grow too large. Every statement of the
 * store that writes is made by `insert` and goes through here, so none is without a timestamp.
 */
export class Mutations {
  readonly #timestamp: types.Long;
  readonly #full: Statement[][] = [];
  readonly #open = new Map<string, { statements: Statement[]; bytes: number }>();

  constructor(timestamp: types.Long) {
    this.#timestamp = timestamp;
  }

  /** `partition`: the same text for rows with the same partition key, and for no others. */
  add(partition: string, query: string, values: unknown[], textLength = 0): void {
    const statement = { query, values: [...values, this.#timestamp] };
    const bytes = rowBytes + 3 * textLength;
    const group = this.#open.get(partition);
    if (group === undefined) this.#open.set(partition, { statements: [statement], bytes });
    else if (group.bytes + bytes <= bytesMax) {
      group.statements.push(statement);
      group.bytes += bytes;
    } else {
      this.#full.push(group.statements);
      this.#open.set(partition, { statements: [statement], bytes });
    }
  }

  /** Resolves when a quorum has acknowledged every one. */
  async write(connection: Connection): Promise<void> {
    await concurrently([...this.#full, ...[...this.#open.values()].map(({ statements }) => statements)], (statements) => connection.write(statements));
  }
}

/** The statement that writes these columns of a row; the timestamp is its last value. */
export const insert = (table: string, columns: string): string =>
  `INSERT INTO ${table} (${columns}) VALUES (${columns.replaceAll(/\w+/g, '?')}) USING TIMESTAMP ?`;
