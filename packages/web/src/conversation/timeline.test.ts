import type { Change, MessageView } from '@parlance/sdk';
import { expect, it } from 'vitest';
import { type Row, storedKeys, timelineOf } from './timeline.ts';

const now = new Date('2026-05-14T12:00:00');
const message = (seq: number, author: string, time: string, more: Partial<MessageView> = {}): MessageView => ({
  msg_id: String(seq),
  seq,
  kind: 'message',
  author,
  text: `text ${seq}`,
  version: 1,
  time: new Date(`2026-05-${time}`).toISOString(),
  state: 'stored',
  ...more,
});
const pending = (client_id: string, text: string): MessageView => ({
  msg_id: null,
  seq: null,
  kind: 'message',
  author: 'me',
  text,
  version: 1,
  time: null,
  client_id,
  state: 'sending',
});
const notice = (seq: number, time: string): Change => ({
  conversation: 'g:x',
  seq,
  kind: 'joined',
  by: 'bob',
  user: 'bob',
  time: new Date(`2026-05-${time}`).toISOString(),
});
const base = { notices: [], isWhole: true, unreadAfter: null, me: 'me', now, keys: new Map<number, string>() };
const say = (row: Row): string => {
  if (row.type === 'message') return `${row.startsRun ? '┌' : '│'}${row.message.seq ?? row.message.client_id}${row.endsRun ? '┘' : ''}`;
  return row.type === 'notice' ? `notice ${row.change.seq}` : row.type === 'day' ? `day ${row.day.getDate()}` : row.type;
};

it('puts messages of one author that follow closely into a run, under the days they were written on', () => {
  const rows = timelineOf({
    ...base,
    messages: [
      message(1, 'bob', '13T10:00:00'),
      message(2, 'bob', '13T10:04:00'),
      message(3, 'bob', '13T10:10:00'),
      message(4, 'me', '13T10:10:10'),
      message(5, 'me', '14T09:00:00'),
    ],
  });
  expect(rows.map(say)).toEqual(['beginning', 'day 13', '┌1', '│2┘', '┌3┘', '┌4┘', 'day 14', '┌5┘']);
});

it('ends a run where something else happened, and says where the conversation begins', () => {
  const rows = timelineOf({
    ...base,
    messages: [message(2, 'bob', '14T10:00:00'), message(4, 'bob', '14T10:00:10')],
    notices: [notice(1, '14T09:59:00'), notice(3, '14T10:00:05'), notice(5, '14T11:00:00')],
  });
  expect(rows.map(say)).toEqual(['beginning', 'day 14', 'notice 1', '┌2┘', 'notice 3', '┌4┘', 'notice 5']);
});

it('leaves out what happened before the oldest message that is held', () => {
  const rows = timelineOf({ ...base, isWhole: false, messages: [message(5, 'bob', '14T10:00:00')], notices: [notice(1, '14T09:00:00')] });
  expect(rows.map(say)).toEqual(['day 14', '┌5┘']);
});

it('draws the same rows whether or not older ones are in front of them', () => {
  const messages = [
    message(1, 'bob', '13T10:00:00'),
    message(2, 'bob', '13T10:01:00'),
    message(4, 'bob', '13T10:02:00'),
    message(5, 'me', '14T10:00:00'),
    message(6, 'me', '14T10:01:00'),
    message(7, 'bob', '14T10:01:30'),
    message(8, 'bob', '14T10:01:40'),
  ];
  const input = { ...base, unreadAfter: 6, notices: [notice(3, '13T10:01:10')] };
  const whole = timelineOf({ ...input, messages }).map((row) => `${row.key} ${say(row)}`);
  for (let held = 2; held < messages.length; held++) {
    const rows = timelineOf({ ...input, isWhole: false, messages: messages.slice(-held) }).map((row) => `${row.key} ${say(row)}`);
    expect(whole.slice(-rows.length)).toEqual(rows);
    expect(rows.join()).toContain(`seq ${messages.at(1 - held)!.seq}`);
  }
});

it('draws one unread line, above the first message of somebody else that was not read', () => {
  const messages = [message(1, 'bob', '14T10:00:00'), message(2, 'me', '14T10:00:01'), message(3, 'bob', '14T10:00:02'), message(4, 'bob', '14T10:00:03')];
  expect(timelineOf({ ...base, messages, unreadAfter: 1 }).map(say)).toEqual(['beginning', 'day 14', '┌1┘', '┌2┘', 'unread', '┌3', '│4┘']);
  expect(timelineOf({ ...base, messages, unreadAfter: 4 }).map(say)).not.toContain('unread');
});

it('gives every row a key of its own, and an own message the same one before and after it is stored', () => {
  const before = [message(1, 'bob', '14T10:00:00'), pending('a', 'same'), pending('b', 'same'), pending('c', 'other')];
  const after = [
    message(1, 'bob', '14T10:00:00'),
    message(2, 'bob', '14T10:00:01', { text: 'same' }),
    message(3, 'me', '14T10:00:02', { text: 'same' }),
    message(4, 'me', '14T10:00:03', { text: 'same' }),
    pending('c', 'other'),
  ];
  const keys = new Map(storedKeys(before, after, 'me'));
  expect([...keys]).toEqual([
    [3, 'own a'],
    [4, 'own b'],
  ]);
  const rows = timelineOf({ ...base, messages: after, keys });
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
});

it('dates a message on its way by its client_id', () => {
  const id = `${new Date('2026-05-13T08:00:00')
    .getTime()
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7000-8000-000000000000`;
  expect(timelineOf({ ...base, messages: [pending(id, 'late')] }).map(say)[1]).toBe('day 13');
  expect(timelineOf({ ...base, messages: [pending('x', 'now')] }).map(say)[1]).toBe('day 14');
});
