import type { CallName } from '@parlance/schema/calls';
import { expect, test } from 'vitest';
import { Refusal } from '../node/refusal.ts';
import { validate, validateFrame } from './validate.ts';

const send = { conversation: '@ann', text: 'hello' };
const account = { user_id: 'ann', email: 'ann@example.org', password: 'correct horse' };
const item = { author: 'ann', client_id: '1', kind: 'message', text: 'x', time: '2004-07-05T10:00:00Z' };
const items = (change: object) => ({ conversation: '#team', items: [item, { ...item, ...change }] });
const parsed = (json: string): unknown => JSON.parse(json);

test.each<[CallName, unknown]>([
  ['send_message', send],
  ['send_message', { ...send, client_id: '!~' }],
  ['send_message', { ...send, text: '💬'.repeat(2048) }],
  ['send_message', { ...send, text: 'line\nline\ttab\u0007' }],
  ['send_message', { ...send, conversation: 'd:ann:bob' }],
  ['register', account],
  ['register', { ...account, password: 'ß'.repeat(1024), display_name: 'Ann Ö 💬' }],
  ['create_group', { name: 'Team', title: 'The team', open: true }],
  ['list_messages', { conversation: '#team', after: '0', limit: 200 }],
  ['import_messages', items({ time: '2004-07-05T10:00:00.123+02:00', kind: 'action' })],
])('%s takes %j', (name, input) => {
  expect(validate(name, input)).toBe(input);
});

test.each<[CallName, unknown, string | undefined]>([
  ['send_message', undefined, undefined],
  ['send_message', [], undefined],
  ['send_message', 'text', undefined],
  ['send_message', {}, 'conversation'],
  ['send_message', { conversation: '@ann' }, 'text'],
  ['send_message', { ...send, text: 1 }, 'text'],
  ['send_message', { ...send, text: null }, 'text'],
  ['send_message', { ...send, text: { toString: 'x' } }, 'text'],
  ['send_message', { ...send, text: '' }, 'text'],
  ['send_message', { ...send, text: 'a\0b' }, 'text'],
  ['send_message', { ...send, text: 'lone \ud83d' }, 'text'],
  ['send_message', { ...send, text: '\udcac' }, 'text'],
  ['send_message', { ...send, text: 'x'.repeat(8193) }, 'text'],
  ['send_message', { ...send, text: '💬'.repeat(2049) }, 'text'],
  ['send_message', { ...send, colour: 'red' }, 'colour'],
  ['send_message', { ...send, constructor: 'x' }, 'constructor'],
  ['send_message', parsed('{"conversation":"@ann","text":"x","__proto__":{"admin":true}}'), '__proto__'],
  ['send_message', { ...send, client_id: '' }, 'client_id'],
  ['send_message', { ...send, client_id: 'a b' }, 'client_id'],
  ['send_message', { ...send, client_id: 'é' }, 'client_id'],
  ['send_message', { ...send, client_id: 'x'.repeat(65) }, 'client_id'],
  ['send_message', { ...send, conversation: 'ann' }, 'conversation'],
  ['send_message', { ...send, conversation: '@ann\n' }, 'conversation'],
  ['send_message', { ...send, conversation: 'd:ann' }, 'conversation'],
  ['edit_message', { ...send, msg_id: '01' }, 'msg_id'],
  ['edit_message', { ...send, msg_id: '-1' }, 'msg_id'],
  ['edit_message', { ...send, msg_id: 1 }, 'msg_id'],
  ['edit_message', { ...send, msg_id: '1', version: 0 }, 'version'],
  ['edit_message', { ...send, msg_id: '1', version: 1.5 }, 'version'],
  ['edit_message', { ...send, msg_id: '1', version: '1' }, 'version'],
  ['register', { ...account, user_id: '.hidden' }, 'user_id'],
  ['register', { ...account, user_id: 'a'.repeat(33) }, 'user_id'],
  ['register', { ...account, user_id: 'ann/../bob' }, 'user_id'],
  ['register', { ...account, email: 'ann' }, 'email'],
  ['register', { ...account, email: 'a@b@c' }, 'email'],
  ['register', { ...account, email: 'a b@c' }, 'email'],
  ['register', { ...account, email: `${'a'.repeat(250)}@b.de` }, 'email'],
  ['register', { ...account, password: 'short' }, 'password'],
  ['register', { ...account, password: 'x'.repeat(1025) }, 'password'],
  ['register', { ...account, password: 'with a \0 in it' }, 'password'],
  ['register', { ...account, display_name: '   ' }, 'display_name'],
  ['register', { ...account, display_name: 'two\nlines' }, 'display_name'],
  ['register', { ...account, display_name: 'x'.repeat(65) }, 'display_name'],
  ['create_group', { name: 'team', open: 'true' }, 'open'],
  ['put_member', { name: 'team', user: 'ann', role: 'king' }, 'role'],
  ['list_users', { limit: 201 }, 'limit'],
  ['list_users', { limit: 0 }, 'limit'],
  ['list_users', { limit: 1e300 }, 'limit'],
  ['list_users', { cursor: 'a b' }, 'cursor'],
  ['list_users', { prefix: '%' }, 'prefix'],
  ['mark_read', { conversation: '@ann', seq: -1 }, 'seq'],
  ['mark_read', { conversation: '@ann', seq: 2 ** 53 }, 'seq'],
  ['import_messages', { conversation: '#team', items: [] }, 'items'],
  ['import_messages', items({ time: 'yesterday' }), 'items.1.time'],
  ['import_messages', items({ time: '2004-13-05T10:00:00Z' }), 'items.1.time'],
  ['import_messages', items({ time: '2004-07-05' }), 'items.1.time'],
  ['import_messages', items({ kind: 'notice' }), 'items.1.kind'],
  ['import_messages', items({ colour: 'red' }), 'items.1.colour'],
  ['import_messages', { conversation: '#team', items: Array(501).fill(item) }, 'items'],
])('%s refuses %j and names %s', (name, input, field) => {
  const refusal = validate(name, input);
  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ code: 'invalid_request', field, decided: false });
  if (field !== undefined) expect((refusal as Refusal).detail).toContain(`"${field}"`);
});

test('deep nesting is a wrong type like any other', () => {
  const nested = parsed(`{"conversation":"@ann","text":${'['.repeat(20_000)}${']'.repeat(20_000)}}`);
  expect(validate('send_message', nested)).toMatchObject({ code: 'invalid_request', field: 'text' });
});

test('a refusal never repeats what was given', () => {
  const refusal = validate('register', { ...account, password: 'hunter2', email: 'hunter2' }) as Refusal;
  expect(JSON.stringify(refusal)).not.toContain('hunter2');
});

test.each([
  [{ type: 'hello' }],
  [{ type: 'hello', token: 'x', resume: { 'd:ann:bob': 0, 'g:team': 12 } }],
  [{ type: 'ping' }],
  [{ type: 'resume', conversation: 'g:team', seq: 3 }],
  [{ type: 'send_message', client_id: '1', ...send }],
  [{ type: 'mark_read', client_id: '1', conversation: 'g:team', seq: 3 }],
])('the frame %j is one', (frame) => {
  expect(validateFrame(frame)).toBe(frame);
});

test.each([
  [null, 'type'],
  [[], 'type'],
  [{}, 'type'],
  [{ type: 'register' }, 'type'],
  [{ type: '__proto__' }, 'type'],
  [{ type: ['hello'] }, 'type'],
  [{ type: 'send_message', ...send }, 'client_id'],
  [{ type: 'send_message', client_id: '1', conversation: '@ann' }, 'text'],
  [{ type: 'hello', resume: { 'g:team': '12' } }, 'resume.g:team'],
  [{ type: 'hello', resume: Object.fromEntries(Array.from({ length: 2001 }, (_, index) => [`g:a${index}`, 1])) }, 'resume'],
  [{ type: 'ping', at: 1 }, 'at'],
])('the frame %j is refused and %s named', (frame, field) => {
  expect(validateFrame(frame)).toMatchObject({ code: 'invalid_request', field });
});
