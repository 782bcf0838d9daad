import type { Command } from '../journal/command.ts';
import { type PartitionLog, PositionGone } from '../journal/port.ts';
import type { DecidedRecord, EventRecord } from '../journal/record.ts';
import type { PositionRow, Store } from '../store/port.ts';
import { keyOf, type Row, type RowKey } from '../store/rows.ts';
import { decideBatch, factsOf, rowsOf } from './batch.ts';
import { Chain } from './chain.ts';
import { Known } from './known.ts';

// Decides the commands of one partition. Any number of sequencers may do so at once: only records that extend the chain count, and each reads
// everything back before it believes it. Four loops share one state and meet in no lock:
//
//   read      events ──▶ chain: valid? ──▶ to apply; a record that is not mine takes the place: drop what I decided on the lost base
//   decide    commands ──▶ facts (undelivered, known, store) ──▶ decide ──▶ append, up to `pendingMax` records ahead of what came back
//   apply     valid records, one after another ──▶ store
//   announce  ──▶ append "applied up to here"
//
// It starts at the store's position row and decides nothing before it has read and applied what others left (rule 6: that always ends
// in an applied). It ends by throwing; whoever runs it starts a new one, from the row.

export interface SequencerOptions {
  /** Commands in one record. */
  batchMax: number;
  /** Records appended and not yet read back. */
  pendingMax: number;
  /** Rows cached. */
  knownMax: number;
  /** Times an append is tried before the sequencer starts over. */
  appendTries: number;
  /** Passes before a further try, of which there were `tries`. */
  retryPause: (tries: number) => Promise<void>;
  clock: () => number;
  /** A random id of 64 bits, in hexadecimal. */
  newId: () => string;
  observer?: SequencerObserver;
}

/** Hears how the work goes, for the figures of /metrics. Called for every batch: it must be quick, and must not throw. */
export interface SequencerObserver {
  /** Whether this process decides the partition: it tries to, and has caught up. */
  deciding(partition: number, isDeciding: boolean): void;
  /** A record of one's own came back as valid: commands in it, and milliseconds since it was decided. */
  decided(partition: number, commands: number, elapsedMs: number): void;
  /** Somebody else's record took the place of one's own. */
  lostRace(partition: number): void;
  /** A record was applied to the store in so many milliseconds. */
  applied(partition: number, elapsedMs: number): void;
}

interface Pending {
  record: DecidedRecord;
  rows: Map<string, Row>;
  since: number;
}
interface ToApply {
  rows: Map<string, Row>;
  at: PositionRow;
  follows: string;
}

/** Runs until the signal aborts (resolves, the batch in hand finished) or something fails (rejects: start over). */
export async function sequence(log: PartitionLog, store: Store, options: SequencerOptions, signal: AbortSignal): Promise<void> {
  const row = beginning(log, await store.position(log.partition));
  const end = await log.eventsEnd();
  if (row.position >= end) {
    throw new Error(
      `The journal of partition ${log.partition} ends before position ${row.position}, which the store has: it was lost or cut. Nothing is decided until an operator makes it anew and raises the base.`,
    );
  }
  await new Sequencer(log, store, options, row, end).run(signal);
}

/** The position row to begin with: the store's, or, where an operator has raised the base over it, the beginning of the journal made anew. */
function beginning({ generation, base }: PartitionLog, row: PositionRow): PositionRow {
  if (row.generation === generation) return row;
  if (row.position < base && row.lastCommand < base) return { ...row, position: base - 1, lastCommand: base - 1, generation };
  throw new Error(
    `The store was written from another journal (generation ${row.generation}) than the present one (${generation}). Nothing is decided until an operator raises the base above ${Math.max(row.position, row.lastCommand)}.`,
  );
}

class Sequencer {
  readonly #log: PartitionLog;
  readonly #store: Store;
  readonly #options: SequencerOptions;
  readonly #chain: Chain;
  readonly #known: Known;
  /** Events there were at the start: to be read before anything is decided. */
  readonly #end: number;
  /** Own records appended and not yet read back, in order. */
  #pending: Pending[] = [];
  #toApply: ToApply[] = [];
  /** The next command to decide. */
  #next: number;
  /** Rises whenever the base of a decision in progress is lost. */
  #base = 0;
  #reading = false;
  /** Applied while facts were being read: unpinned when the read has been used. */
  #retired: Map<string, Row>[] = [];
  #appliedUpto: number;
  #announcedUpto = Number.NEGATIVE_INFINITY;
  #wake: (() => void)[] = [];
  #failure: unknown;
  #isEnded = false;
  #isStopping = false;

  constructor(log: PartitionLog, store: Store, options: SequencerOptions, row: PositionRow, end: number) {
    this.#log = log;
    this.#store = store;
    this.#options = options;
    this.#chain = new Chain(row);
    this.#known = new Known(options.knownMax);
    this.#end = end;
    this.#next = row.lastCommand + 1;
    this.#appliedUpto = row.position;
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = () => {
      this.#isStopping = true;
      this.#changed();
    };
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
    for (const loop of [this.#read(), this.#decide(), this.#apply(), this.#announce()]) loop.catch((error) => this.#fail(error));
    await this.#until(() => this.#isStopping && this.#isSettled());
    signal.removeEventListener('abort', stop);
    this.#options.observer?.deciding(this.#log.partition, false);
    this.#isEnded = true;
    this.#changed();
    if (this.#failure !== undefined) throw this.#failure;
  }

  // ── read ──

  async #read(): Promise<void> {
    while (!this.#isEnded) {
      const records = await this.#log.events(this.#chain.position + 1);
      if (this.#isEnded) return;
      for (const { position, record } of records) this.#take(position, record);
      this.#changed();
    }
  }

  #take(position: number, record: EventRecord): void {
    const follows = this.#chain.lastId;
    const kind = this.#chain.step(position, record);
    if (record.type === 'applied') return;
    const own = this.#pending[0]?.record.id === record.id;
    if (kind === 'decided') {
      const pending = own ? this.#pending.shift() : undefined;
      const rows = pending?.record === record ? pending.rows : rowsOf(record);
      if (pending === undefined) this.#loseBase();
      else this.#options.observer?.decided(this.#log.partition, pending.record.outcomes.length, performance.now() - pending.since);
      this.#known.deliver(rows, pending?.rows);
      this.#toApply.push({ rows, at: this.#chain.row(), follows });
    } else if (this.#pending.some((pending) => pending.record.id === record.id)) {
      // My own record did not extend the chain: whatever it followed was lost on the way.
      this.#loseBase();
    }
  }

  /** Somebody else's record took the place (or mine was lost): what I decided since extends nothing. Read on and decide again. */
  #loseBase(): void {
    if (this.#pending.length > 0) this.#options.observer?.lostRace(this.#log.partition);
    this.#pending = [];
    this.#known.drop();
    this.#next = this.#chain.lastCommand + 1;
    this.#base += 1;
  }

  // ── decide ──

  async #decide(): Promise<void> {
    await this.#until(() => this.#isCaughtUp() || this.#isStopping);
    if (!this.#isStopping && !this.#isEnded) this.#options.observer?.deciding(this.#log.partition, true);
    while (!this.#isStopping && !this.#isEnded) {
      await this.#until(() => this.#pending.length < this.#options.pendingMax || this.#isStopping);
      if (this.#isStopping) return;
      const base = this.#base;
      const from = this.#next;
      // A lost base also ends the wait: what was decided on it is to be decided again, though no further command may ever come.
      let isRead = false;
      const lost = this.#until(() => base !== this.#base || isRead).then(() => undefined);
      const entries = await Promise.race([this.#log.commands(from, this.#options.batchMax), lost]);
      isRead = true;
      if (this.#isStopping || this.#isEnded) return;
      if (entries === undefined || base !== this.#base) continue;
      await this.#decideBatch(
        entries.map((entry) => entry.command),
        entries.at(-1)!.position,
        base,
      );
    }
  }

  #isCaughtUp(): boolean {
    return this.#chain.position >= this.#end - 1 && this.#toApply.length === 0;
  }

  /** Nothing of mine is under way: what I decided has come back, is applied and announced. */
  #isSettled(): boolean {
    return this.#pending.length === 0 && this.#toApply.length === 0 && this.#announcedUpto >= this.#appliedUpto;
  }

  async #decideBatch(commands: Command[], upto: number, base: number): Promise<void> {
    const missing = new Map<string, RowKey>();
    for (const command of commands) {
      for (const key of factsOf(command)) {
        const text = keyOf(key);
        if (!this.#known.has(text)) missing.set(text, key);
      }
    }
    const read = missing.size === 0 ? [] : await this.#readFacts([...missing.values()]);
    try {
      if (base !== this.#base || this.#isEnded) return;
      this.#known.fill(read);
      const loaded = new Map(read.map((row) => [keyOf(row), row]));
      const { outcomes, rows } = decideBatch(commands, (key) => this.#known.get(key) ?? loaded.get(key), this.#options.clock());
      const follows = this.#pending.at(-1)?.record.id ?? this.#chain.lastId;
      const record: DecidedRecord = { type: 'decided', id: this.#options.newId(), follows, upto, outcomes };
      this.#pending.push({ record, rows, since: performance.now() });
      this.#known.expect(rows);
      this.#next = upto + 1;
      this.#append(record, () => this.#pending.some((pending) => pending.record === record)).catch((error) => this.#fail(error));
    } finally {
      this.#endOfRead();
    }
  }

  async #readFacts(keys: RowKey[]): Promise<Row[]> {
    this.#reading = true;
    return await this.#store.rows(keys);
  }

  #endOfRead(): void {
    this.#reading = false;
    for (const rows of this.#retired) this.#known.unpin(rows);
    this.#retired = [];
  }

  /** Appends, and after a failure, whose outcome is unknown, the same record again: landing twice is harmless, the second does not extend the chain. */
  async #append(record: EventRecord, isWanted: () => boolean): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#log.append(record);
      } catch (error) {
        if (!isWanted() || this.#isEnded) return;
        if (tries >= this.#options.appendTries) throw new Error(`a record could not be appended in ${tries} tries`, { cause: error });
        await this.#options.retryPause(tries);
      }
    }
  }

  // ── apply ──

  async #apply(): Promise<void> {
    while (!this.#isEnded) {
      await this.#until(() => this.#toApply.length > 0);
      const next = this.#toApply[0];
      if (next === undefined || this.#isEnded) return;
      const since = performance.now();
      await this.#store.apply(this.#log.partition, [...next.rows.values()], next.at, next.follows);
      this.#options.observer?.applied(this.#log.partition, performance.now() - since);
      this.#toApply.shift();
      this.#appliedUpto = next.at.position;
      // A read of facts begun before this may have missed these rows: until it has been used, they stay.
      if (this.#reading) this.#retired.push(next.rows);
      else this.#known.unpin(next.rows);
      this.#changed();
    }
  }

  // ── announce ──

  async #announce(): Promise<void> {
    await this.#until(() => this.#isCaughtUp());
    while (!this.#isEnded) {
      await this.#until(() => this.#appliedUpto > this.#announcedUpto);
      if (this.#isEnded) return;
      const upto = this.#appliedUpto;
      await this.#append({ type: 'applied', upto }, () => true);
      this.#announcedUpto = upto;
      this.#changed();
    }
  }

  // ── waiting ──

  #changed(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resume of wake) resume();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!this.#isEnded && !condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #fail(error: unknown): void {
    if (this.#isEnded) return;
    if (this.#isStopping && (error as Error).name === 'AbortError') return; // The wait for commands ends so.
    this.#failure =
      error instanceof PositionGone && this.#chain.position + 1 < this.#end
        ? new Error(`The journal of partition ${this.#log.partition} no longer holds position ${this.#chain.position + 1}, which the store needs next.`, {
            cause: error,
          })
        : error;
    this.#isEnded = true;
    this.#changed();
  }
}
