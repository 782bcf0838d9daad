import type { Change, InboxEntry, Mark, PositionRow, Store } from '../../packages/server/src/store/port.ts';
import { origin } from '../../packages/server/src/store/port.ts';
import type { AccountRow, ConversationRow, EventRow, HeadRow, MemberRow, MessageRow, OwnRow, Row, RowKey } from '../../packages/server/src/store/rows.ts';
import { keyOf } from '../../packages/server/src/store/rows.ts';
import { type Process, Violation, type World } from './world.ts';

// A store of three replicas as Cassandra is one: every row of an apply lands apart and late on each replica, a write counts when two have it,
// a read asks two and repairs what it read, and the newest timestamp wins. The timestamp of a row is its position in the journal.
//
// What it promises beyond that is the port's: heads are written after their rows are acknowledged, the position row after everything.

interface Cell {
  at: number;
  value: unknown;
  text: string;
}

type Cells = [Cell | undefined, Cell | undefined, Cell | undefined];

const replicas = [0, 1, 2] as const;
const positionKey = (partition: number): string => `position/${partition}`;
const markKey = (conversation: string, userId: string): string => `mark/${conversation}/${userId}`;

/** The three replicas: what is there whoever lives. */
export class Replicas {
  readonly cells = new Map<string, Cells>();
  /** Keys of member rows, by user and by conversation. */
  readonly members = new Map<string, Set<string>>();
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  put(replica: 0 | 1 | 2, key: string, cell: Cell): void {
    let cells = this.cells.get(key);
    if (cells === undefined) {
      cells = [undefined, undefined, undefined];
      this.cells.set(key, cells);
      const [table, conversation, userId] = key.split('/');
      if (table === 'member') for (const name of [conversation!, userId!]) this.members.set(name, (this.members.get(name) ?? new Set()).add(key));
    }
    const known = cells[replica];
    if (known !== undefined && known.at === cell.at && known.text !== cell.text) {
      throw new Violation(`P2 ${key} at ${cell.at} has two values: ${known.text} and ${cell.text}`);
    }
    if (known === undefined || known.at < cell.at) cells[replica] = cell;
  }

  /** A quorum read with blocking read repair: two replicas are asked, and both have the newer value before the reader does. */
  read(key: string): unknown {
    const cells = this.cells.get(key);
    if (cells === undefined) return undefined;
    const left = this.#world.random.below(3);
    let newest: Cell | undefined;
    for (const replica of replicas) {
      const cell = cells[replica];
      if (replica !== left && cell !== undefined && (newest === undefined || cell.at > newest.at)) newest = cell;
    }
    for (const replica of replicas) if (replica !== left) cells[replica] = newest;
    return newest?.value;
  }

  /** Whether every quorum read answers a value at least as new as that of the position. */
  has(key: string, at: number): boolean {
    const cells = this.cells.get(key);
    return cells !== undefined && replicas.filter((replica) => (cells[replica]?.at ?? Number.NEGATIVE_INFINITY) >= at).length >= 2;
  }

  position(partition: number): PositionRow {
    return (this.read(positionKey(partition)) as PositionRow | undefined) ?? origin;
  }

  /** Writes at once to all three: what was there before the simulation began. */
  seed(row: Row): void {
    for (const replica of replicas) this.put(replica, keyOf(row), cellOf(row, -1));
  }
}

const cellOf = (value: unknown, at: number): Cell => ({ at, value, text: JSON.stringify(value) });

export class StoreFailed extends Error {}

/** The store as one process reaches it. */
export class SimulatedStore implements Store {
  readonly #world: World;
  readonly #replicas: Replicas;
  readonly #process: Process;
  /** Whether apply looks at the position row before it writes, as an engine with transactions does. Without it the timestamps alone must do. */
  readonly #isGuarded: boolean;

  constructor(world: World, stored: Replicas, process: Process, isGuarded: boolean) {
    this.#world = world;
    this.#replicas = stored;
    this.#process = process;
    this.#isGuarded = isGuarded;
  }

  async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
    if (this.#isGuarded) {
      const row = await this.#ask(() => this.#replicas.position(partition));
      if (row.position >= at.position) return;
      if (row.lastId !== follows) throw new Error(`another writer was here: ${row.lastId} instead of ${follows}`);
    }
    const time = at.position;
    // An ended membership is a head too: what was the newest then, for who left.
    const isHead = (row: Row) => row.table === 'head' || (row.table === 'member' && row.left !== null);
    const entries = (some: readonly Row[]) => some.map((row): [string, unknown] => [keyOf(row), row]);
    const others = entries(rows.filter((row) => !isHead(row)));
    const heads = entries(rows.filter(isHead));
    await this.#write(others, time);
    await this.#write(heads, time);
    await this.#write([[positionKey(partition), at]], time);
    this.#world.say(() => `${this.#process.name} applied ${partition}/${at.position}`);
  }

  position(partition: number): Promise<PositionRow> {
    return this.#ask(() => this.#replicas.position(partition));
  }

  async rows(keys: readonly RowKey[]): Promise<Row[]> {
    const parts = keys.length > 1 && this.#world.random.chance(0.3) ? [keys.slice(0, 1), keys.slice(1)] : [keys];
    const found = await Promise.all(parts.map((part) => this.#ask(() => part.map((key) => this.#row<Row>(keyOf(key))))));
    return found.flat().filter((row) => row !== undefined);
  }

  async inboxEntry(userId: string, conversation: string): Promise<InboxEntry | undefined> {
    // The head before the membership: who is a member then may see all there was before.
    const newest = await this.#ask(() => this.#row<HeadRow>(`head/${conversation}`));
    const member = await this.#ask(() => this.#row<MemberRow>(`member/${conversation}/${userId}`));
    if (member === undefined) return undefined;
    const { left } = member;
    if (newest === undefined && left === null) return undefined; // Being written for the first time: not there yet.
    const head =
      left === null ? newest! : { table: 'head' as const, conversation, seq: left.seq, count: left.count, messageSeq: left.messageSeq, time: left.time };
    return this.#ask(() => ({
      member,
      conversation: this.#row<ConversationRow>(`conversation/${conversation}`)!,
      head,
      lastMessage: head.messageSeq === 0 ? null : this.#row<MessageRow>(`message/${conversation}/${head.messageSeq}`)!,
      mark: this.#row<Mark>(markKey(conversation, userId)) ?? { seq: 0, count: 0 },
      own: this.#row<OwnRow>(`own/${conversation}/${userId}`) ?? null,
    }));
  }

  async inbox(): Promise<InboxEntry[]> {
    throw new Error('nobody lists an inbox in the simulation');
  }

  async memberships(userId: string): Promise<{ member: MemberRow; seq: number }[]> {
    const members = await this.#ask(() =>
      [...(this.#replicas.members.get(userId) ?? [])].map((key) => this.#row<MemberRow>(key)).filter((row) => row !== undefined),
    );
    return this.#ask(() =>
      members.map((member) => ({ member, seq: member.left?.seq ?? this.#row<HeadRow>(`head/${member.conversation}`)?.seq ?? 0 })).filter(({ seq }) => seq > 0),
    );
  }

  async members(conversation: string): Promise<MemberRow[]> {
    const all = await this.#ask(() => [...(this.#replicas.members.get(conversation) ?? [])].map((key) => this.#row<MemberRow>(key)));
    return all.filter((row) => row !== undefined && row.left === null) as MemberRow[];
  }

  async messages(conversation: string, from: number, to: number, limit: number, side: 'first' | 'last'): Promise<MessageRow[]> {
    return this.#ask(() => {
      const found: MessageRow[] = [];
      const step = side === 'first' ? 1 : -1;
      for (let seq = side === 'first' ? from : to; seq >= from && seq <= to && found.length < limit; seq += step) {
        const row = this.#row<MessageRow>(`message/${conversation}/${seq}`);
        if (row !== undefined) found.push(row);
      }
      return side === 'first' ? found : found.reverse();
    });
  }

  // Nothing beyond the head is shown: an edit may be readable there before the message it changed, and the reader would never ask for that again.
  async changes(conversation: string, after: number, to: number, limit: number): Promise<Change[]> {
    const head = await this.#ask(() => this.#row<HeadRow>(`head/${conversation}`)?.seq ?? 0);
    return this.#ask(() => {
      const found: Change[] = [];
      for (let seq = after + 1; seq <= Math.min(to, head) && found.length < limit; seq++) {
        const message = this.#row<MessageRow>(`message/${conversation}/${seq}`);
        const event = message === undefined ? this.#row<EventRow>(`event/${conversation}/${seq}`) : undefined;
        if (message !== undefined) found.push({ message });
        else if (event === undefined) throw new Violation(`P1 the head of ${conversation} is ${head}, and ${seq} cannot be read`);
        else if (event.messageSeq === undefined) found.push({ event });
        else {
          const about = this.#row<MessageRow>(`message/${conversation}/${event.messageSeq}`);
          if (about === undefined) throw new Violation(`P1 the head of ${conversation} is ${head}, and the message ${event.messageSeq} cannot be read`);
          found.push({ event, message: about });
        }
      }
      return found;
    });
  }

  async users(): Promise<AccountRow[]> {
    throw new Error('nobody lists users in the simulation');
  }

  async openGroups(): Promise<ConversationRow[]> {
    throw new Error('nobody lists groups in the simulation');
  }

  async mark(conversation: string, userId: string, mark: Mark): Promise<void> {
    await this.#write([[markKey(conversation, userId), mark]], mark.seq);
  }

  // biome-ignore lint/correctness/useYield: part of the port, and nobody verifies in the simulation
  async *scan(): AsyncIterable<Row> {
    throw new Error('nobody scans the simulated store');
  }

  async close(): Promise<void> {}

  #row<R>(key: string): R | undefined {
    return this.#replicas.read(key) as R | undefined;
  }

  /** A request to the store and its answer, each of which takes time; what is read is what there is in between. */
  #ask<T>(read: () => T): Promise<T> {
    const { random, faults } = this.#world;
    return this.#world.promise(this.#process, (resolve, reject) => {
      if (random.chance(faults.storeFails)) reject(new StoreFailed('the store did not answer'));
      else
        this.#world.after(this.#world.delay(), undefined, () => {
          try {
            resolve(read());
          } catch (error) {
            this.#world.fail(error);
          }
        });
    });
  }

  /** Writes rows in any order and split anyhow; resolves when two replicas have each, rejects when that is not certain. */
  async #write(rows: [key: string, value: unknown][], at: number): Promise<void> {
    if (rows.length === 0) return;
    const { random, faults } = this.#world;
    const groups: [string, Cell][][] = [[]];
    for (const [key, value] of rows) {
      if (groups.at(-1)!.length > 0 && random.chance(0.25)) groups.push([]);
      groups.at(-1)!.push([key, cellOf(value, at)]);
    }
    await Promise.all(groups.map((group) => this.#writeGroup(group)));
    if (random.chance(faults.crashAtStep)) this.#process.crash();
  }

  #writeGroup(group: [string, Cell][]): Promise<void> {
    const world = this.#world;
    const { random } = world;
    return world.promise(this.#process, (resolve, reject) => {
      let acknowledged = 0;
      let missed = 0;
      const attempt = (replica: 0 | 1 | 2) => {
        // A dead process has sent what it has sent; what it would have tried again it does not.
        world.after(world.delay(), undefined, () => {
          if (random.chance(world.faults.replicaMisses)) {
            missed += 1;
            if (missed === 2) reject(new StoreFailed('two replicas did not take the write'));
            return;
          }
          for (const [key, cell] of group) {
            try {
              this.#replicas.put(replica, key, cell);
            } catch (error) {
              world.fail(error);
            }
          }
          acknowledged += 1;
          if (acknowledged === 2) resolve();
        });
      };
      for (const replica of replicas) attempt(replica);
    });
  }
}
