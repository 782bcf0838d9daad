import type { CallName } from '@parlance/schema/calls';
import { expect, test } from 'vitest';
import { inputOf, type Parts } from './input.ts';

const none: Parts = { path: {}, query: '', body: undefined, idempotencyKey: undefined, now: 0 };
const inConversation = { conversation: '@ann' };
const message = { conversation: '@ann', msg_id: '1' };

test.each<[CallName, Partial<Parts>, object]>([
  ['list_messages', { path: inConversation, query: 'limit=5&before=9' }, { conversation: '@ann', limit: 5, before: '9' }],
  ['list_users', { query: 'prefix=a%2Eb+' }, { prefix: 'a.b ' }],
  ['list_changes', { path: inConversation, query: 'after=0' }, { conversation: '@ann', after: 0 }],
  ['list_users', { query: '', body: { ignored: true } }, {}],
  ['delete_message', { path: message, query: 'client_id=a&version=2' }, { ...message, client_id: 'a', version: 2 }],
  ['delete_message', { path: message, body: { client_id: 'a', version: 2 } }, { ...message, client_id: 'a', version: 2 }],
  ['delete_message', { path: message, query: 'version=2', body: { client_id: 'a', version: 2 } }, { ...message, client_id: 'a', version: 2 }],
  ['send_message', { path: inConversation, body: { text: 'x' }, idempotencyKey: 'key' }, { conversation: '@ann', text: 'x', client_id: 'key' }],
  ['send_message', { path: inConversation, body: { text: 'x' }, idempotencyKey: '"key"' }, { conversation: '@ann', text: 'x', client_id: 'key' }],
  [
    'send_message',
    { path: inConversation, body: { text: 'x', client_id: 'key' }, idempotencyKey: 'key' },
    { conversation: '@ann', text: 'x', client_id: 'key' },
  ],
  ['update_me', { body: { display_name: 'x' }, idempotencyKey: 'means nothing here' }, { display_name: 'x' }],
  // Not the form of its type: left as it is, for the schema to refuse by name.
  ['list_users', { query: 'limit=05' }, { limit: '05' }],
  ['list_users', { query: 'limit=1e3' }, { limit: '1e3' }],
  ['list_users', { query: 'limit=' }, { limit: '' }],
])('%s with %j has the input %j', (name, parts, expected) => {
  expect({ ...inputOf(name, { ...none, ...parts }) }).toEqual(expected);
});

test('a write without a client_id gets one', () => {
  expect(inputOf('send_message', { ...none, path: inConversation, body: { text: 'x' } })).toMatchObject({ client_id: expect.stringMatching(/^0{8}-0{4}-7/) });
});

test.each<[CallName, Partial<Parts>, object]>([
  ['list_users', { query: 'limit=1&limit=2' }, { code: 'invalid_request', field: 'limit' }],
  ['list_users', { query: 'prefix=%zz' }, { code: 'invalid_request' }],
  ['list_users', { query: 'prefix=%ff' }, { code: 'invalid_request' }],
  ['list_messages', { path: inConversation, query: 'conversation=@bob' }, { code: 'invalid_request', field: 'conversation' }],
  ['send_message', { path: inConversation, body: { conversation: '@bob', text: 'x' } }, { code: 'invalid_request', field: 'conversation' }],
  ['send_message', { path: inConversation, query: 'text=x', body: {} }, { code: 'invalid_request', field: 'text' }],
  ['send_message', { path: inConversation, body: [] }, { code: 'invalid_request' }],
  ['send_message', { path: inConversation, body: null }, { code: 'invalid_request' }],
  ['send_message', { path: inConversation, body: 'x' }, { code: 'invalid_request' }],
  ['send_message', { path: inConversation, body: { client_id: 'a' }, idempotencyKey: 'b' }, { code: 'idempotency_mismatch' }],
  ['send_message', { path: inConversation, body: {}, idempotencyKey: 'a b' }, { code: 'invalid_request', field: 'client_id' }],
  ['send_message', { path: inConversation, body: {}, idempotencyKey: '' }, { code: 'invalid_request', field: 'client_id' }],
  ['delete_message', { path: message, query: 'version=2', body: { version: 3 } }, { code: 'invalid_request', field: 'version' }],
  ['delete_message', { path: message, query: '__proto__=1', body: {} }, { code: 'invalid_request', field: '__proto__' }],
])('%s with %j is refused', (name, parts, expected) => {
  expect(inputOf(name, { ...none, ...parts })).toMatchObject(expected);
});

test('a query field called __proto__ or constructor is a field like any other', () => {
  expect(inputOf('list_users', { ...none, query: '__proto__=1' })).toMatchObject({ code: 'invalid_request', field: '__proto__' });
  expect(Object.getOwnPropertyNames(inputOf('list_users', { ...none, query: 'constructor=1' }))).toEqual(['constructor']);
});
