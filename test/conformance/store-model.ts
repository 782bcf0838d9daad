import { inboxMax } from '@parlance/schema/limits';
import { type Change, type InboxEntry, type Mark, origin, type PositionRow, type Store } from '../../packages/server/src/store/port.ts';
import {
  type AccountRow,
  type ConversationRow,
  type EventRow,
  type HeadRow,
  keyOf,
  type MemberRow,
  type MessageRow,
  type OwnRow,
  type Row,
  type RowKey,
  type Table,
} from '../../packages/server/src/store/rows.ts';

// The Store port, as plainly as it can be said: what the random test compares an engine with, and what planted bugs are planted in.

type Of<T extends Table> = Extract<Row, { table: T }>;
const by =
  <T>(key: (item: T) => string) =>
  (a: T, b: T) =>
    key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0;

export class ModelStore implements Store {
  protected readonly byKey = new Map<string, Row>();
  protected readonly marks = new Map<string, Mark>();
  protected readonly positions = new Map<number, PositionRow>();
  /** At which position somebody joined: what “newest joined” means. */
  readonly #joined = new Map<string, number>();

  async apply(partition: number, rows: readonly Row[], at: PositionRow, follows: string): Promise<void> {
    const row = this.positions.get(partition) ?? origin;
    if (row.position >= at.position) return;
    if (row.lastId !== follows) throw new Error('another writer was here');
    for (const row of rows) this.put(row, at.position);
    this.positions.set(partition, { ...at });
  }

  protected put(row: Row, position: number): void {
    const key = keyOf(row);
    if (row.table === 'member' && this.find<MemberRow>(key)?.joinedSeq !== row.joinedSeq) this.#joined.set(key, position);
    this.byKey.set(key, structuredClone(row));
  }

  async position(partition: number): Promise<PositionRow> {
    return { ...(this.positions.get(partition) ?? origin) };
  }

  async rows(keys: readonly RowKey[]): Promise<Row[]> {
    return keys.flatMap((key) => this.byKey.get(keyOf(key)) ?? []);
  }

  async inbox(userId: string, limit: number, after?: { time: number; conversation: string }): Promise<InboxEntry[]> {
    return this.newest(userId, inboxMax)
      .flatMap((member) => this.entry(member) ?? [])
      .sort((a, b) => b.head.time - a.head.time || by((entry: InboxEntry) => entry.member.conversation)(a, b))
      .filter(({ head }) => after === undefined || head.time < after.time || (head.time === after.time && head.conversation > after.conversation))
      .slice(0, limit);
  }

  async inboxEntry(userId: string, conversation: string): Promise<InboxEntry | undefined> {
    const member = this.find<MemberRow>(`member/${conversation}/${userId}`);
    return member && this.entry(member);
  }

  async memberships(userId: string, limit: number): Promise<{ member: MemberRow; seq: number }[]> {
    return this.newest(userId, limit).map((member) => ({ member, seq: member.left?.seq ?? this.find<HeadRow>(`head/${member.conversation}`)?.seq ?? 0 }));
  }

  async members(conversation: string, limit: number, after = ''): Promise<MemberRow[]> {
    return this.all('member')
      .filter((member) => member.conversation === conversation && member.left === null && member.userId > after)
      .sort(by((member) => member.userId))
      .slice(0, limit);
  }

  async messages(conversation: string, from: number, to: number, limit: number, side: 'first' | 'last'): Promise<MessageRow[]> {
    const found = this.all('message')
      .filter((message) => message.conversation === conversation && message.seq >= from && message.seq <= to)
      .sort((a, b) => a.seq - b.seq);
    return side === 'first' ? found.slice(0, limit) : found.slice(-limit);
  }

  async changes(conversation: string, after: number, to: number, limit: number): Promise<Change[]> {
    const changes: Change[] = [];
    for (let seq = after + 1; seq <= to && changes.length < limit; seq++) {
      const message = this.find<MessageRow>(`message/${conversation}/${seq}`);
      const event = this.find<EventRow>(`event/${conversation}/${seq}`);
      if (message !== undefined) changes.push({ message });
      else if (event === undefined) break;
      else {
        const about = this.find<MessageRow>(`message/${conversation}/${event.messageSeq}`);
        changes.push(about === undefined ? { event } : { event, message: about });
      }
    }
    return changes;
  }

  async users(prefix: string, limit: number, after = ''): Promise<AccountRow[]> {
    return this.all('account')
      .filter(({ userId }) => userId.startsWith(prefix) && userId > after)
      .sort(by((account) => account.userId))
      .slice(0, limit);
  }

  async openGroups(prefix: string, limit: number, after = ''): Promise<ConversationRow[]> {
    return this.all('conversation')
      .filter(({ conversation, open }) => open && conversation.startsWith(`g:${prefix}`) && conversation > after)
      .sort(by((group) => group.conversation))
      .slice(0, limit);
  }

  async mark(conversation: string, userId: string, mark: Mark): Promise<void> {
    const key = `${conversation}/${userId}`;
    if (mark.seq > (this.marks.get(key)?.seq ?? 0)) this.marks.set(key, { ...mark });
  }

  async *scan(): AsyncIterable<Row> {
    yield* this.byKey.values();
  }

  async close(): Promise<void> {}

  protected find<T extends Row>(key: string): T | undefined {
    return this.byKey.get(key) as T | undefined;
  }

  protected all<T extends Table>(table: T): Of<T>[] {
    return [...this.byKey.values()].filter((row): row is Of<T> => row.table === table);
  }

  protected newest(userId: string, limit: number): MemberRow[] {
    return this.all('member')
      .filter((member) => member.userId === userId)
      .sort((a, b) => this.#joined.get(keyOf(b))! - this.#joined.get(keyOf(a))!)
      .slice(0, limit);
  }

  protected entry(member: MemberRow): InboxEntry | undefined {
    const { conversation, userId, left } = member;
    const row = this.find<ConversationRow>(`conversation/${conversation}`);
    if (row === undefined) return undefined;
    const now = this.find<HeadRow>(`head/${conversation}`) ?? { table: 'head', conversation, seq: 0, count: 0, messageSeq: 0, time: 0 };
    const head: HeadRow = left === null ? now : { table: 'head', conversation, seq: left.seq, count: left.count, messageSeq: left.messageSeq, time: left.time };
    return {
      member,
      conversation: left === null ? row : { ...row, title: left.title },
      head,
      lastMessage: this.find<MessageRow>(`message/${conversation}/${head.messageSeq}`) ?? null,
      mark: this.marks.get(`${conversation}/${userId}`) ?? { seq: 0, count: 0 },
      own: this.find<OwnRow>(`own/${conversation}/${userId}`) ?? null,
    };
  }
}
