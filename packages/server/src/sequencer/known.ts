import { keyOf, type Row, type Table } from '../store/rows.ts';

// What a sequencer knows without asking the store, in two layers.
//
//   undelivered   rows of its own decisions that have not come back in the events yet; dropped whole when the base was lost
//   known         rows of records read back as valid, pinned until applied and until no read of facts begun before that is in use;
//                 afterwards a cache (of heads, roles, members, accounts) that only valid records change
//
// A row that a read brings is kept only where nothing newer is known.

/** Rows worth keeping after they are applied: those the next command of the same place will ask for. */
const cached: ReadonlySet<Table> = new Set<Table>(['head', 'conversation', 'member', 'account', 'installation']);
/** Rows that no decider asks for. */
const never: ReadonlySet<Table> = new Set<Table>(['event', 'own', 'session']);

interface Entry {
  row: Row;
  pins: number;
}

export class Known {
  readonly #entries = new Map<string, Entry>();
  #undelivered = new Map<string, Row>();
  readonly #max: number;

  /** At most `max` rows stay cached; pinned ones do not count against it. */
  constructor(max: number) {
    this.#max = max;
  }

  get(key: string): Row | undefined {
    return this.#undelivered.get(key) ?? this.#entries.get(key)?.row;
  }

  has(key: string): boolean {
    return this.#undelivered.has(key) || this.#entries.has(key);
  }

  /** Rows of a decision of one's own, not yet read back. */
  expect(rows: Map<string, Row>): void {
    for (const [key, row] of rows) if (!never.has(row.table)) this.#undelivered.set(key, row);
  }

  /** The base of the undelivered decisions is lost, and they with it. */
  drop(): void {
    this.#undelivered = new Map();
  }

  /** A record was read back as valid: its rows are the truth now, and pinned until `unpin`. `expected`: what `expect` was told for it, if it is one's own. */
  deliver(rows: Map<string, Row>, expected: Map<string, Row> | undefined): void {
    for (const [key, row] of rows) {
      if (never.has(row.table)) continue;
      const entry = this.#entries.get(key);
      this.#entries.delete(key); // Set anew, it is the youngest.
      this.#entries.set(key, { row, pins: (entry?.pins ?? 0) + 1 });
      if (expected !== undefined && this.#undelivered.get(key) === expected.get(key)) this.#undelivered.delete(key);
    }
  }

  /** The rows are applied, and no older read is in use. */
  unpin(rows: Map<string, Row>): void {
    for (const [key, row] of rows) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      entry.pins -= 1;
      if (entry.pins === 0 && !cached.has(row.table)) this.#entries.delete(key);
    }
    this.#trim();
  }

  /** Rows that a read of the store brought. */
  fill(rows: readonly Row[]): void {
    for (const row of rows) {
      const key = keyOf(row);
      if (cached.has(row.table) && !this.#entries.has(key)) this.#entries.set(key, { row, pins: 0 });
    }
  }

  #trim(): void {
    if (this.#entries.size <= this.#max) return;
    for (const [key, entry] of this.#entries) {
      if (this.#entries.size <= this.#max) return;
      if (entry.pins === 0) this.#entries.delete(key);
    }
  }
}
