import type { Change, Message } from '@parlance/schema/types';
import { expect, test } from 'vitest';
import { beginPage, type ConversationState, endPage, foldEvent, foldOlderPage, foldRead, foldSummary, holdPage, unknownConversation } from './conversation.ts';

const time = '2026-01-01T00:00:00.000Z';
const message = (seq: number, more: Partial<Message> = {}): Message => ({
  msg_id: `${seq}`,
  seq,
  kind: 'message',
  author: 'bob',
  text: `${seq}`,
  version: 1,
  time,
  ...more,
});
const base = (seq: number, by = 'bob') => ({ conversation: 'g:x', seq, time, by });
const sent = (seq: number, by = 'bob'): Change => ({ ...base(seq, by), kind: 'message', msg_id: `${seq}`, version: 1, message: message(seq, { author: by }) });
const edited = (seq: number, about: number, version: number): Change => ({
  ...base(seq),
  kind: 'edit',
  msg_id: `${about}`,
  version,
  message: message(about, { version, text: `v${version}` }),
});
const deleted = (seq: number, about: number): Change => ({ ...base(seq), kind: 'delete', msg_id: `${about}`, version: 1 });

const empty = unknownConversation('g:x', 'ada');
const held = holdPage(empty, 0, [], false);
const fold = (changes: Change[], from: ConversationState = held, messagesMax = 100) =>
  changes.reduce((state, change) => foldEvent(state, change, 'ada', messagesMax).state, from);
const texts = (state: ConversationState) => state.messages.map(({ text, deleted: isDeleted }) => (isDeleted ? 'deleted' : text));

test('a duplicate is dropped, and what follows a gap is not shown but remembered as the head', () => {
  const state = fold([sent(1), sent(2), sent(2), sent(1)]);
  expect(texts(state)).toEqual(['1', '2']);
  expect(foldEvent(state, sent(2), 'ada', 100)).toEqual({ state, fold: 'duplicate' });
  const gap = foldEvent(state, sent(5), 'ada', 100);
  expect(gap.fold).toBe('gap');
  expect(gap.state).toEqual({ ...state, head: 5 });
});

test('an older edit is ignored, and a deleted message stays deleted', () => {
  expect(texts(fold([sent(1), edited(2, 1, 3), edited(3, 1, 2)]))).toEqual(['v3']);
  const state = fold([sent(1), deleted(2, 1), edited(3, 1, 9)]);
  expect(texts(state)).toEqual(['deleted']);
  expect(state.messages[0]).not.toHaveProperty('text');
});

test('a page read after its seq takes the events since then again without harm', () => {
  const page = [message(1, { version: 2, text: 'v2' }), message(2), message(4)];
  const state = holdPage(empty, 2, page, false);
  expect(texts(state)).toEqual(['v2', '2']);
  expect(texts(fold([edited(3, 1, 2), sent(4)], state))).toEqual(['v2', '2', '4']);
});

test('a page older than what is held does not take its place', () => {
  const state = fold([sent(1), sent(2)]);
  expect(holdPage(state, 1, [message(1)], false)).toBe(state);
});

test('only the newest messages are kept, and the older ones can be loaded again', () => {
  const state = fold([sent(1), sent(2), sent(3), sent(4)], held, 2);
  expect(texts(state)).toEqual(['3', '4']);
  expect(state.from).toBe(3);
  expect(texts(foldOlderPage(beginPage(state), 3, [message(1), message(2)], false))).toEqual(['1', '2', '3', '4']);
});

test('an older page that no longer joins what is held is dropped', () => {
  const state = beginPage(holdPage(empty, 4, [message(3), message(4)], true));
  const trimmed = fold([sent(5), sent(6)], state, 2);
  expect(endPage(foldOlderPage(trimmed, 3, [message(2)], true))).toMatchObject({ from: 5, pages: 0 });
});

test('a change of a message not held is kept while a page is under way, and no longer', () => {
  const state = beginPage(holdPage(empty, 2, [message(2)], true));
  const changed = fold([edited(3, 1, 2)], state);
  const joined = endPage(foldOlderPage(changed, 2, [message(1)], false));
  expect(texts(joined)).toEqual(['v2', '2']);
  expect(joined.changedElsewhere).toEqual([]);
  expect(fold([edited(3, 1, 2)], holdPage(empty, 2, [message(2)], true)).changedElsewhere).toEqual([]);
});

test('unread are the messages of others after the mark; writing is reading; a mark never goes back', () => {
  const unread = fold([sent(1), sent(2), edited(3, 1, 2)]);
  expect(unread.unreadCount).toBe(2);
  expect(fold([sent(4, 'ada')], unread)).toMatchObject({ unreadCount: 0, readSeq: 4 });
  expect(foldRead(unread, 1, 99)).toMatchObject({ unreadCount: 1, readSeq: 1 });
  const read = foldRead(unread, 2, 0);
  expect(foldRead(read, 1, 1)).toBe(read);
});

test('what the inbox has counted is not counted again when the events come', () => {
  const summary = {
    conversation: 'g:x',
    kind: 'group' as const,
    title: 'X',
    role: null,
    left: false,
    seq: 3,
    last_message: null,
    last_activity: null,
    read_seq: 0,
    unread_count: 3,
  };
  expect(fold([sent(1), sent(2), sent(3), sent(4)], foldSummary(held, summary)).unreadCount).toBe(4);
});

test('membership is told beside the messages, and one’s own leaving marks the conversation', () => {
  const removed: Change = { ...base(2), kind: 'removed', user: 'ada' };
  const state = fold([sent(1), removed]);
  expect(state).toMatchObject({ hasLeft: true, notices: [removed] });
  expect(fold([{ ...base(3), kind: 'added', user: 'ada', role: 'member' }], state).hasLeft).toBe(false);
});
