import type { Change, Message } from '@parlance/sdk';
import { expect, it } from 'vitest';
import { historyMax, noHistory, trimNewest, trimOldest, withChanges, withCurrent, withNewer, withOlder } from './history.ts';

const message = (seq: number, more: Partial<Message> = {}): Message => ({
  msg_id: String(seq),
  seq,
  kind: 'message',
  author: 'bob',
  text: `text ${seq}`,
  version: 1,
  time: '2026-05-14T10:00:00.000Z',
  ...more,
});
const range = (from: number, to: number): Message[] => Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
const seqs = (messages: readonly Message[]) => messages.map(({ seq }) => seq);

it('reads backwards from the tail, each message once', () => {
  const first = withOlder(noHistory, range(4, 6), [], true);
  const second = withOlder(first, range(1, 4), [], false);
  expect([seqs(second.messages), second.hasOlder, second.joins]).toEqual([[1, 2, 3, 4, 5, 6], false, true]);
});

it('a window in the middle joins the tail when it reaches it, and overlaps nothing', () => {
  const window = { ...noHistory, messages: range(10, 12), hasOlder: true, joins: false };
  const near = withNewer(window, range(13, 15), [], false, 20);
  expect([seqs(near.messages), near.joins]).toEqual([[10, 11, 12, 13, 14, 15], false]);
  const joined = withNewer(near, range(15, 22), [], false, 20);
  expect([seqs(joined.messages), joined.joins]).toEqual([[10, 11, 12, 13, 14, 15, 16, 17, 18, 19], true]);
});

it('lets go what is far away, and says that it can be read again', () => {
  const long = { ...noHistory, messages: range(1, historyMax + 5), hasOlder: false };
  expect([trimNewest(long).messages.length, trimNewest(long).joins]).toEqual([historyMax, false]);
  expect([trimOldest(long).messages[0]!.seq, trimOldest(long).hasOlder, trimOldest(long).joins]).toEqual([6, true, true]);
});

it('brings edits and deletes in, never back to an older version, and nothing back from the dead', () => {
  const change = (kind: 'edit' | 'delete', msg_id: string, version: number): Change => ({
    conversation: 'd:a:b',
    seq: 99,
    kind,
    time: '2026-05-14T11:00:00.000Z',
    by: 'bob',
    msg_id,
    version,
    ...(kind === 'edit' && { message: message(Number(msg_id), { text: `edit ${version}`, version }) }),
  });
  const history = { ...noHistory, messages: range(1, 2) };
  const edited = withChanges(history, [change('edit', '1', 3), change('edit', '1', 2)]);
  expect(edited.messages[0]!.text).toBe('edit 3');
  const gone = withChanges(edited, [change('delete', '1', 4), change('edit', '1', 5)]);
  expect([gone.messages[0]!.deleted, gone.messages[0]!.text]).toEqual([true, undefined]);
  expect(withChanges(history, [change('edit', '77', 2)])).toBe(history);
});

it('takes what was read again for what it is now, unless it is older than what is held', () => {
  const history = { ...noHistory, messages: [message(1), message(2, { version: 3, text: 'held' }), message(3, { deleted: true }), message(4)] };
  const page = [message(1, { version: 2, text: 'now' }), message(2, { version: 2 }), message(3), message(4, { deleted: true }), message(5)];
  const { messages } = withCurrent(history, page);
  expect(messages.map(({ text, version, deleted = false }) => [text, version, deleted])).toEqual([
    ['now', 2, false],
    ['held', 3, false],
    ['text 3', 1, true],
    [undefined, 1, true],
  ]);
  expect(withCurrent(history, [message(1), message(9)])).toBe(history);
});
