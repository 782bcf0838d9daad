import type { Change, MessageView } from '@parlance/sdk';

// The rows that a conversation is drawn as: its messages in order, what else happened between them, a divider where a day begins, and the line above the first
// unread one. Messages of one author that follow one another closely are a run, of which only the first is headed. Pure.

export type Row =
  | { readonly type: 'beginning'; readonly key: string }
  | { readonly type: 'day'; readonly key: string; readonly day: Date }
  | { readonly type: 'unread'; readonly key: string }
  | { readonly type: 'notice'; readonly key: string; readonly change: Change }
  | {
      readonly type: 'message';
      readonly key: string;
      readonly message: MessageView;
      readonly time: Date;
      readonly startsRun: boolean;
      readonly endsRun: boolean;
    };

export type MessageRow = Extract<Row, { type: 'message' }>;

/** A longer pause than this ends a run. */
const runPauseMs = 5 * 60_000;

export interface TimelineInput {
  readonly messages: readonly MessageView[];
  readonly notices: readonly Change[];
  /** Everything before is there: the conversation begins above the first row. */
  readonly isWhole: boolean;
  /** Messages of others after this seq were unread when somebody came; null for no line. */
  readonly unreadAfter: number | null;
  readonly me: string;
  /** For messages on their way that do not say when they were written. */
  readonly now: Date;
  /** Keys of own messages from before they were stored, by seq: the row stays the same one. */
  readonly keys: ReadonlyMap<number, string>;
}

/**
 * Where others came before the first message, it has no row: it only says whether the second one begins a day or a run. So a row is the same whether or not older
 * ones are there in front of it, and what is read stays where it is when they come.
 */
export function timelineOf({ messages, notices, isWhole, unreadAfter, me, now, keys }: TimelineInput): Row[] {
  const rows: Row[] = [];
  if (isWhole) rows.push({ type: 'beginning', key: 'beginning' });
  const from = isWhole ? 0 : (messages[0]?.seq ?? Number.POSITIVE_INFINITY);
  let noticeIndex = notices.findIndex(({ seq }) => seq >= from);
  if (noticeIndex === -1) noticeIndex = notices.length;
  let day = 0;
  let isUnreadLineWanted = unreadAfter !== null;
  let run: MessageRow | undefined;
  const context = isWhole || messages.length < 2 ? undefined : messages[0];

  const isUnread = ({ seq, author }: MessageView): boolean => unreadAfter !== null && seq !== null && seq > unreadAfter && author !== me;

  const endRun = (): void => {
    const index = run === undefined ? -1 : rows.lastIndexOf(run);
    if (index !== -1) rows[index] = { ...run!, endsRun: true };
    run = undefined;
  };
  const startDay = (time: Date): void => {
    const start = startOfDay(time);
    if (start === day) return;
    endRun();
    day = start;
    rows.push({ type: 'day', key: `day ${start}`, day: time });
  };
  const noticesUpTo = (seq: number): void => {
    for (let notice = notices[noticeIndex]; notice !== undefined && notice.seq < seq; notice = notices[++noticeIndex]) {
      startDay(new Date(notice.time));
      endRun();
      rows.push({ type: 'notice', key: `notice ${notice.seq}`, change: notice });
    }
  };

  for (const message of messages) {
    const { seq } = message;
    if (message === context) {
      const time = message.time === null ? now : new Date(message.time);
      day = startOfDay(time);
      run = { type: 'message', key: '', message, time, startsRun: true, endsRun: false };
      if (isUnread(message)) isUnreadLineWanted = false;
      continue;
    }
    if (seq !== null) noticesUpTo(seq);
    else noticesUpTo(Number.POSITIVE_INFINITY);
    const time = message.time === null ? writtenAt(message.client_id, now) : new Date(message.time);
    startDay(time);
    if (isUnreadLineWanted && isUnread(message)) {
      isUnreadLineWanted = false;
      endRun();
      rows.push({ type: 'unread', key: 'unread' });
    }
    const isSameRun =
      run !== undefined && run.message.author === message.author && run.message.kind === message.kind && time.getTime() - run.time.getTime() < runPauseMs;
    if (!isSameRun) endRun();
    const row: MessageRow = { type: 'message', key: keyOf(message, keys), message, time, startsRun: !isSameRun, endsRun: false };
    rows.push(row);
    run = row;
  }
  noticesUpTo(Number.POSITIVE_INFINITY);
  endRun();
  return rows;
}

const startOfDay = (time: Date): number => new Date(time.getFullYear(), time.getMonth(), time.getDate()).getTime();

const keyOf = ({ seq, client_id }: MessageView, keys: ReadonlyMap<number, string>): string =>
  seq === null ? `own ${client_id}` : (keys.get(seq) ?? `seq ${seq}`);

/** A client_id of the SDK is a UUIDv7: its first 48 bits are the time in ms. */
function writtenAt(clientId: string | undefined, now: Date): Date {
  const time = clientId === undefined ? Number.NaN : Number.parseInt(clientId.slice(0, 8) + clientId.slice(9, 13), 16);
  return Number.isNaN(time) ? now : new Date(Math.min(time, now.getTime()));
}

/**
 * Which stored messages were just now on their way: their keys, for `keys` above. The SDK says it by taking the one away and bringing the other; of two with the
 * same text the first is the first, since a conversation's own messages are stored in the order written.
 */
export function storedKeys(before: readonly MessageView[], after: readonly MessageView[], me: string): [seq: number, key: string][] {
  const stillWaiting = new Set(after.filter(({ seq }) => seq === null).map(({ client_id }) => client_id));
  const gone = before.filter(({ seq, client_id }) => seq === null && !stillWaiting.has(client_id));
  if (gone.length === 0) return [];
  const known = new Set(before.map(({ seq }) => seq));
  const found: [number, string][] = [];
  let index = 0;
  for (const message of after) {
    const next = gone[index];
    if (next === undefined) break;
    if (message.seq === null || message.author !== me || known.has(message.seq) || message.text !== next.text) continue;
    found.push([message.seq, `own ${next.client_id}`]);
    index++;
  }
  return found;
}
