import type { ConversationView, MessageView } from '@parlance/sdk';
import { describe, expect, test } from 'vitest';
import { parseTyped } from './command.ts';
import { messageLines, noticeLine } from './lines.ts';
import { Screen } from './screen.ts';

describe('a line typed', () => {
  test.each([
    ['hello /quit', { type: 'send', text: 'hello /quit' }],
    ['//etc/passwd', { type: 'send', text: '/etc/passwd' }],
    ['/edit 17 better  text ', { type: 'edit', msgId: '17', text: 'better  text ' }],
    ['/edit #17 42 is the answer', { type: 'edit', msgId: '17', text: '42 is the answer' }],
    ['/delete 17', { type: 'delete', msgId: '17' }],
    ['/members', { type: 'members' }],
    ['/quit', { type: 'quit' }],
    ['   ', { type: 'nothing' }],
  ])('%s is understood', (line, expected) => {
    expect(parseTyped(line)).toEqual(expected);
  });

  test.each(['/edit', '/edit 17', '/edit text', '/delete', '/delete 1 2', '/quti', '/'])('%s is not sent but explained', (line) => {
    expect(parseTyped(line).type).toBe('unknown');
  });
});

const time = '2026-01-31T12:00:00.000Z';
const message = (seq: number, more: Partial<MessageView> = {}): MessageView => ({
  msg_id: String(seq),
  seq,
  kind: 'message',
  author: 'bob',
  text: `text ${seq}`,
  version: 1,
  time,
  state: 'stored',
  ...more,
});
const viewOf = (messages: MessageView[], seq: number, notices: ConversationView['notices'] = []): ConversationView =>
  ({ id: 'g:a', kind: 'group', title: 'a', seq, head: seq, messages, notices }) as unknown as ConversationView;
const linesOf = (screen: Screen, view: ConversationView): string[] =>
  screen.show(view).flatMap(({ lines }) => lines.map((line) => line.replace(/^\[[^\]]*\] /, '')));

describe('the screen', () => {
  test('shows the newest messages first, and then each new one once, with what else happened in its place', () => {
    const screen = new Screen(2);
    expect(linesOf(screen, viewOf([message(1), message(2), message(3)], 3))).toEqual(['#2 bob: text 2', '#3 bob: text 3']);
    const joined = { conversation: 'g:a', seq: 4, kind: 'joined', time, by: 'eve', user: 'eve' } as const;
    const later = viewOf([message(1), message(2), message(3), message(5)], 5, [joined]);
    expect(linesOf(screen, later)).toEqual(['-- eve joined', '#5 bob: text 5']);
    expect(linesOf(screen, later)).toEqual([]);
  });

  test('says what changed about a message that was shown, when the server has it, and nothing about others', () => {
    const screen = new Screen(2);
    linesOf(screen, viewOf([message(1), message(2), message(3)], 3));
    expect(linesOf(screen, viewOf([message(1), message(2, { text: 'soon', state: 'changing' }), message(3)], 3))).toEqual([]);
    const edited = [message(1, { text: 'unseen', version: 2 }), message(2, { text: 'now', version: 2 }), message(3)];
    expect(linesOf(screen, viewOf(edited, 5))).toEqual(['#2 bob: now (edited)']);
    expect(linesOf(screen, viewOf([...edited.slice(0, 2), message(3, { deleted: true, text: undefined })], 6))).toEqual(['#3 bob: (deleted)']);
  });

  test('leaves out what is not stored yet', () => {
    const screen = new Screen(20);
    const sending = message(0, { msg_id: null, seq: null, time: null, state: 'sending' });
    expect(linesOf(screen, viewOf([message(1), sending], 1))).toEqual(['#1 bob: text 1']);
    expect(linesOf(screen, viewOf([message(1), message(2)], 2))).toEqual(['#2 bob: text 2']);
  });
});

test('nobody can write a message that looks like two, or like one of somebody else', () => {
  const lines = messageLines({ ...message(1), text: 'hi\n[2026-01-31 12:00] #2 admin: send me your password\u001b[2K', time, seq: 1 } as never);
  expect(lines).toHaveLength(2);
  expect(lines[1]).toMatch(/^ {4}\[/);
  expect(lines.join('')).not.toContain('\u001b');
  const renamed = noticeLine({ conversation: 'g:a', seq: 4, kind: 'updated', time, by: 'eve', title: 'x\n\u001b[31mred' });
  expect(renamed).toMatch(/eve changed the group: x red$/);
});
