import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { get } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type CallName, callNames, calls } from '@parlance/schema/calls';
import { problems } from '@parlance/schema/errors';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startServer } from '../main.ts';
import { password, startTestServerWith, type TestServer } from './http.fixture.ts';

const startTestServer = (environment?: Record<string, string>) => startTestServerWith(startServer, environment);

let server: TestServer;
let ann: string;
let bob: string;
let cem: string;

beforeAll(async () => {
  server = await startTestServer();
  ann = await server.person('ann');
  bob = await server.person('bob');
  cem = await server.person('cem');
  await server.call('GET', server.adminLink, { token: ann });
});

afterAll(() => server.stop());

const send = (token: string, conversation: string, text: string, more: object = {}) =>
  server.call('POST', `/v1/conversations/${encodeURIComponent(conversation)}/messages`, { token, body: { text, ...more } });

// ── accounts and sessions ──

test('registering folds the name, and a name is given once', async () => {
  const body = { user_id: 'Dan.1', email: 'dan@example.org', password };
  expect(await server.call('POST', '/v1/accounts', { body })).toMatchObject({ status: 201, body: { user_id: 'dan.1', display_name: 'dan.1' } });
  expect(await server.call('POST', '/v1/accounts', { body: { ...body, user_id: 'DAN.1' } })).toMatchObject({
    status: 409,
    body: { code: 'user_exists', decided: false },
  });
});

test('of two that register a name at once, one gets it', async () => {
  const body = { user_id: 'race', email: 'r@example.org', password };
  const answers = await Promise.all([1, 2].map(() => server.call('POST', '/v1/accounts', { body })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
});

test('a wrong password and an unknown user are answered alike', async () => {
  const wrong = await server.call('POST', '/v1/sessions', { body: { user_id: 'ann', password: 'wrong horse' } });
  const unknown = await server.call('POST', '/v1/sessions', { body: { user_id: 'nobody', password: 'wrong horse' } });
  expect(wrong.status).toBe(401);
  expect({ ...unknown.body, request_id: '' }).toEqual({ ...wrong.body, request_id: '' });
});

test('sessions are listed, ended one by one, and an ended one is refused at once', async () => {
  const [first, second] = [await server.person('eve'), await server.person('eve')];
  const { sessions } = (await server.call('GET', '/v1/sessions', { token: first })).body;
  expect(sessions.map((session: { current: boolean }) => session.current)).toEqual([true, false]);
  const path = `/v1/sessions/${sessions[1].session_id}`;
  expect((await server.call('DELETE', path, { token: first })).status).toBe(204);
  expect(await server.call('GET', '/v1/me', { token: second })).toMatchObject({ status: 401, body: { code: 'not_signed_in' } });
  expect(await server.call('DELETE', path, { token: first })).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
  expect((await server.call('DELETE', '/v1/sessions/current', { token: first })).status).toBe(204);
  expect((await server.call('GET', '/v1/me', { token: first })).status).toBe(401);
});

test('changing the password needs the old one and ends all other sessions', async () => {
  const [first, second] = [await server.person('fay'), await server.person('fay')];
  const change = (current_password: string) =>
    server.call('PUT', '/v1/me/password', { token: first, body: { current_password, new_password: 'battery staple' } });
  expect(await change('wrong horse')).toMatchObject({ status: 401, body: { code: 'wrong_credentials' } });
  expect((await change(password)).status).toBe(204);
  expect((await server.call('GET', '/v1/me', { token: first })).status).toBe(200);
  expect((await server.call('GET', '/v1/me', { token: second })).status).toBe(401);
  expect((await server.call('POST', '/v1/sessions', { body: { user_id: 'fay', password } })).status).toBe(401);
});

test('a profile is changed by its owner, and others see only what is in the directory', async () => {
  expect((await server.call('PATCH', '/v1/me', { token: cem, body: { display_name: 'Cem Ö' } })).body).toMatchObject({
    display_name: 'Cem Ö',
    email: 'cem@example.org',
    admin: false,
  });
  expect((await server.call('GET', '/v1/users/CEM', { token: ann })).body).toEqual({ user_id: 'cem', display_name: 'Cem Ö' });
  expect(await server.call('GET', '/v1/users/nobody', { token: ann })).toMatchObject({ status: 404, body: { code: 'user_not_found' } });
});

test('the directory is read by prefix and page', async () => {
  for (const name of ['pat.a', 'pat.b', 'pat.c']) await server.person(name);
  const first = (await server.call('GET', '/v1/users?prefix=PAT.&limit=2', { token: ann })).body;
  expect(first.users.map((user: { user_id: string }) => user.user_id)).toEqual(['pat.a', 'pat.b']);
  const second = (await server.call('GET', `/v1/users?prefix=pat.&limit=2&cursor=${first.next_cursor}`, { token: ann })).body;
  expect(second).toMatchObject({ users: [{ user_id: 'pat.c' }], next_cursor: null });
  expect(await server.call('GET', '/v1/users?cursor=%2F%2F', { token: ann })).toMatchObject({ status: 400, body: { field: 'cursor' } });
});

// ── messages ──

test('a message is sent, edited, deleted and read back in each form', async () => {
  const sent = await send(ann, '@bob', 'first', { client_id: 'm1' });
  expect(sent).toMatchObject({ status: 201, body: { conversation: 'd:ann:bob', seq: 1, msg_id: '1', version: 1, client_id: 'm1', decided: true } });
  const path = '/v1/conversations/@bob/messages/1';
  expect(await server.call('PATCH', path, { token: ann, body: { text: 'second', version: 1 } })).toMatchObject({
    status: 200,
    body: { seq: 2, msg_id: '1', version: 2 },
  });
  expect(await server.call('PATCH', path, { token: ann, body: { text: 'third', version: 1 } })).toMatchObject({
    status: 412,
    body: { code: 'version_mismatch', version: 2, decided: true },
  });
  expect(await server.call('PATCH', '/v1/conversations/@ann/messages/1', { token: bob, body: { text: 'mine' } })).toMatchObject({
    status: 403,
    body: { code: 'not_the_author' },
  });
  expect((await server.call('GET', '/v1/conversations/@ann/messages', { token: bob })).body.messages).toMatchObject([
    { text: 'second', version: 2, author: 'ann' },
  ]);
  expect(await server.call('DELETE', `${path}?version=2&client_id=m2`, { token: ann })).toMatchObject({
    status: 200,
    body: { seq: 3, version: 2, client_id: 'm2' },
  });
  const { messages } = (await server.call('GET', '/v1/conversations/d:ann:bob/messages', { token: bob })).body;
  expect(messages).toMatchObject([{ msg_id: '1', deleted: true }]);
  expect(messages[0]).not.toHaveProperty('text');
  expect(await server.call('DELETE', path, { token: ann, body: {} })).toMatchObject({ status: 410, body: { code: 'message_deleted', decided: true } });
  const { changes } = (await server.call('GET', '/v1/conversations/@bob/changes?after=0', { token: ann })).body;
  expect(changes.map((change: { seq: number; kind: string }) => [change.seq, change.kind])).toEqual([
    [1, 'message'],
    [2, 'edit'],
    [3, 'delete'],
  ]);
});

test('a repetition answers the first decision, and the same client_id with another body is refused', async () => {
  const first = await send(ann, '@cem', 'once', { client_id: 'same' });
  expect((await send(ann, '@cem', 'once', { client_id: 'same' })).body).toEqual(first.body);
  expect(await send(ann, '@cem', 'twice', { client_id: 'same' })).toMatchObject({
    status: 409,
    body: { code: 'client_id_reused', decided: false, client_id: 'same' },
  });
  const path = '/v1/conversations/@cem/messages';
  const byHeader = await server.call('POST', path, { token: ann, body: { text: 'once' }, headers: { 'idempotency-key': 'same' } });
  expect(byHeader.body).toEqual(first.body);
  const both = await server.call('POST', path, { token: ann, body: { text: 'once', client_id: 'same' }, headers: { 'idempotency-key': 'other' } });
  expect(both).toMatchObject({ status: 400, body: { code: 'idempotency_mismatch', decided: false } });
});

test('a decided refusal is repeated too, with the client_id the node made in it', async () => {
  const { body } = await server.call('DELETE', '/v1/conversations/@cem/messages/999', { token: ann });
  expect(body).toMatchObject({ code: 'message_not_found', decided: true, client_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  const again = await server.call('DELETE', `/v1/conversations/@cem/messages/999?client_id=${body.client_id}`, { token: ann });
  expect({ ...again.body, request_id: '' }).toEqual({ ...body, request_id: '' });
});

test('history is read before, after and around, in pages that meet without overlap', async () => {
  for (let index = 1; index <= 7; index++) await send(ann, '@ann', `note ${index}`);
  const page = async (query: string) => {
    const { body } = await server.call('GET', `/v1/conversations/@ann/messages?${query}`, { token: ann });
    return [body.messages.map((message: { seq: number }) => message.seq), body.next_cursor];
  };
  expect(await page('limit=3')).toEqual([[5, 6, 7], '5']);
  expect(await page('limit=3&before=5')).toEqual([[2, 3, 4], '2']);
  expect(await page('limit=3&before=2')).toEqual([[1], null]);
  expect(await page('limit=3&after=0')).toEqual([[1, 2, 3], '3']);
  expect(await page('limit=4&after=3')).toEqual([[4, 5, 6, 7], null]);
  expect(await page('limit=4&around=4')).toEqual([[3, 4, 5, 6], '3']);
  expect(await page('limit=1&around=4')).toEqual([[4], '4']);
  expect(await page('before=9007199254740993')).toEqual([[1, 2, 3, 4, 5, 6, 7], null]);
  const two = await server.call('GET', '/v1/conversations/@ann/messages?before=3&after=1', { token: ann });
  expect(two).toMatchObject({ status: 400, body: { code: 'invalid_request', field: 'after' } });
});

test('a direct conversation reads empty before its first message, with a user there is', async () => {
  const token = await server.person('gil');
  expect((await server.call('GET', '/v1/conversations/@ann', { token })).body).toMatchObject({
    kind: 'direct',
    user: 'ann',
    seq: 0,
    last_message: null,
    unread_count: 0,
  });
  expect((await server.call('GET', '/v1/conversations/@ann/messages', { token })).body).toEqual({ messages: [], next_cursor: null });
  expect((await server.call('GET', '/v1/conversations/@ann/changes', { token })).body).toEqual({ changes: [], next_cursor: null });
  expect((await server.call('PUT', '/v1/conversations/@ann/read', { token, body: { seq: 5 } })).body).toMatchObject({ read_seq: 0, unread_count: 0 });
  expect(await send(token, '@nobody', 'x')).toMatchObject({ status: 404, body: { code: 'user_not_found', decided: false } });
  expect(await server.call('GET', '/v1/conversations/@nobody/messages', { token })).toMatchObject({ status: 404, body: { code: 'user_not_found' } });
});

test('a conversation of two others is not there', async () => {
  expect(await send(cem, 'd:ann:bob', 'x')).toMatchObject({ status: 404, body: { code: 'conversation_not_found' } });
  expect(await server.call('GET', '/v1/conversations/d:ann:bob/messages', { token: cem })).toMatchObject({
    status: 404,
    body: { code: 'conversation_not_found' },
  });
});

test('unread counts fall with marks, which never go back, and with one’s own messages', async () => {
  const [hal, ida] = [await server.person('hal'), await server.person('ida')];
  for (const text of ['1', '2', '3']) await send(hal, '@ida', text);
  const inbox = async () => (await server.call('GET', '/v1/conversations', { token: ida })).body.conversations[0];
  expect(await inbox()).toMatchObject({ user: 'hal', unread_count: 3, read_seq: 0, last_message: { text: '3' } });
  const mark = async (seq: number) => (await server.call('PUT', '/v1/conversations/@hal/read', { token: ida, body: { seq } })).body;
  expect(await mark(2)).toEqual({ conversation: 'd:hal:ida', read_seq: 2, unread_count: 1 });
  expect(await mark(1)).toEqual({ conversation: 'd:hal:ida', read_seq: 2, unread_count: 1 });
  expect(await inbox()).toMatchObject({ unread_count: 1, read_seq: 2 });
  expect(await mark(99)).toEqual({ conversation: 'd:hal:ida', read_seq: 3, unread_count: 0 });
  await send(hal, '@ida', '4');
  await send(ida, '@hal', '5');
  expect(await inbox()).toMatchObject({ unread_count: 0, read_seq: 5 });
  expect(await mark(4)).toMatchObject({ read_seq: 5, unread_count: 0 });
});

test('the inbox is read in pages, the last active first', async () => {
  const token = await server.person('jan');
  for (const peer of ['@ann', '@bob', '@cem']) await send(token, peer, 'hello');
  const first = (await server.call('GET', '/v1/conversations?limit=2', { token })).body;
  const second = (await server.call('GET', `/v1/conversations?limit=2&cursor=${encodeURIComponent(first.next_cursor)}`, { token })).body;
  const users = [...first.conversations, ...second.conversations].map((conversation: { user: string }) => conversation.user);
  expect(users.sort()).toEqual(['ann', 'bob', 'cem']);
  expect(second.next_cursor).toBeNull();
  expect(first.conversations.find((one: { user: string }) => one.user === 'cem') ?? second.conversations[0]).toMatchObject({ kind: 'direct' });
});

// ── groups ──

test('an open group is found, joined, managed and left', async () => {
  const made = await server.call('POST', '/v1/groups', { token: ann, body: { name: 'Open.1', title: 'Open one', open: true } });
  expect(made).toMatchObject({ status: 201, body: { conversation: 'g:open.1', name: 'open.1', seq: 1, decided: true } });
  expect((await server.call('GET', '/v1/groups?prefix=open', { token: bob })).body.groups).toEqual([
    { conversation: 'g:open.1', name: 'open.1', title: 'Open one', open: true, member_count: 1 },
  ]);
  expect(await send(bob, '#open.1', 'x')).toMatchObject({ status: 403, body: { code: 'not_a_member', decided: true } });
  for (const path of ['/v1/conversations/%23open.1/messages', '/v1/conversations/g:open.1/changes', '/v1/groups/open.1/members']) {
    expect(await server.call('GET', path, { token: bob }), path).toMatchObject({ status: 403, body: { code: 'not_a_member', decided: false } });
  }
  expect((await server.call('GET', '/v1/conversations/%23open.1', { token: bob })).body).toMatchObject({
    member_count: 1,
    seq: 0,
    role: null,
    last_message: null,
  });
  const member = '/v1/groups/open.1/members/bob';
  expect((await server.call('PUT', member, { token: bob })).body).toMatchObject({ role: 'member', user: 'bob', seq: 2 });
  expect((await server.call('PUT', member, { token: bob, body: {} })).body).toMatchObject({ role: 'member', seq: null });
  expect((await server.call('PUT', member, { token: ann, body: { role: 'admin' } })).body).toMatchObject({ role: 'admin', seq: 3 });
  expect((await server.call('GET', '/v1/groups/open.1/members?limit=1', { token: bob })).body).toMatchObject({
    members: [{ user: 'ann', role: 'owner' }],
    next_cursor: 'ann',
  });
  expect((await server.call('PATCH', '/v1/groups/open.1', { token: bob, body: { title: 'New' } })).body).toMatchObject({ title: 'New', open: true, seq: 4 });
  expect((await server.call('PATCH', '/v1/groups/open.1', { token: bob, body: { title: 'New' } })).body).toMatchObject({ title: 'New', seq: null });
  expect(await server.call('DELETE', '/v1/groups/open.1/members/ann', { token: ann })).toMatchObject({
    status: 409,
    body: { code: 'last_owner', decided: true },
  });
  expect((await server.call('PUT', member, { token: ann, body: { role: 'owner' } })).body).toMatchObject({ role: 'owner' });
  expect((await server.call('DELETE', '/v1/groups/open.1/members/ann', { token: ann })).body).toMatchObject({ user: 'ann', role: null });
  expect((await server.call('DELETE', '/v1/groups/open.1/members/cem?client_id=gone', { token: bob })).body).toMatchObject({
    seq: null,
    role: null,
    client_id: 'gone',
  });
});

test('a closed group is, to others, exactly like one that does not exist, on every call', async () => {
  await server.call('POST', '/v1/groups', { token: ann, body: { name: 'secret1' } });
  const reads = [
    '/v1/groups/NAME',
    '/v1/groups/NAME/members',
    '/v1/conversations/%23NAME',
    '/v1/conversations/%23NAME/messages',
    '/v1/conversations/g:NAME/changes',
  ];
  const writes: [string, string, object | undefined][] = [
    ['POST', '/v1/conversations/%23NAME/messages', { text: 'x' }],
    ['PATCH', '/v1/conversations/%23NAME/messages/1', { text: 'x' }],
    ['DELETE', '/v1/conversations/%23NAME/messages/1', undefined],
    ['PUT', '/v1/conversations/%23NAME/read', { seq: 1 }],
    ['PATCH', '/v1/groups/NAME', { title: 'x' }],
    ['PUT', '/v1/groups/NAME/members/bob', undefined],
    ['PUT', '/v1/groups/NAME/members/nobody', undefined],
    ['DELETE', '/v1/groups/NAME/members/ann', undefined],
  ];
  const cells: [string, string, object | undefined][] = [...reads.map((path): [string, string, undefined] => ['GET', path, undefined]), ...writes];
  for (const [method, path, body] of cells) {
    const headers = { 'idempotency-key': 'probe' };
    const closed = await server.call(method, path.replace('NAME', 'secret1'), { token: bob, body, headers });
    const missing = await server.call(method, path.replace('NAME', 'secret2'), { token: bob, body, headers });
    expect(closed, `${method} ${path}`).toMatchObject({ status: 404, body: { code: 'conversation_not_found', decided: false } });
    expect({ ...closed.body, request_id: '' }).toEqual({ ...missing.body, request_id: '' });
  }
  expect((await server.call('GET', '/v1/groups?prefix=secret', { token: bob })).body.groups).toEqual([]);
});

test('a former member reads up to the end of the membership and nothing after; added again, everything', async () => {
  await server.call('POST', '/v1/groups', { token: ann, body: { name: 'former' } });
  await server.call('PUT', '/v1/groups/former/members/bob', { token: ann });
  await send(ann, '#former', 'seen');
  await server.call('DELETE', '/v1/groups/former/members/bob', { token: ann });
  await send(ann, '#former', 'unseen');
  const texts = async () =>
    (await server.call('GET', '/v1/conversations/%23former/messages', { token: bob })).body.messages.map((message: { text: string }) => message.text);
  expect(await texts()).toEqual(['seen']);
  const { changes } = (await server.call('GET', '/v1/conversations/%23former/changes', { token: bob })).body;
  expect(changes.at(-1)).toMatchObject({ kind: 'removed', user: 'bob', seq: 4 });
  expect((await server.call('GET', '/v1/conversations/%23former', { token: bob })).body).toMatchObject({
    left: true,
    role: null,
    seq: 4,
    last_message: { text: 'seen' },
  });
  expect((await server.call('PUT', '/v1/conversations/%23former/read', { token: bob, body: { seq: 9 } })).body.read_seq).toBe(4);
  expect(await send(bob, '#former', 'x')).toMatchObject({ status: 403, body: { code: 'not_a_member', decided: true } });
  await server.call('PUT', '/v1/groups/former/members/bob', { token: ann });
  expect(await texts()).toEqual(['seen', 'unseen']);
});

test('users and groups share their names', async () => {
  expect(await server.call('POST', '/v1/groups', { token: ann, body: { name: 'bob' } })).toMatchObject({
    status: 409,
    body: { code: 'name_taken', decided: true },
  });
  await server.call('POST', '/v1/groups', { token: ann, body: { name: 'taken' } });
  expect(await server.call('POST', '/v1/accounts', { body: { user_id: 'taken', email: 'a@b.c', password } })).toMatchObject({
    status: 409,
    body: { code: 'user_exists' },
  });
});

// ── administrators ──

test('the link makes one administrator, once', async () => {
  expect((await server.call('GET', '/v1/me', { token: ann })).body.admin).toBe(true);
  expect(await server.call('GET', server.adminLink, { token: bob })).toMatchObject({ status: 409, body: { code: 'admin_exists' } });
});

test('an import makes accounts, keeps times, and changes nothing when repeated', async () => {
  await server.call('POST', '/v1/groups', { token: ann, body: { name: 'history' } });
  const item = (index: number, change: object = {}) => ({
    author: 'Old.Hand',
    client_id: `i${index}`,
    kind: 'message',
    text: `line ${index}`,
    time: '2004-07-05T10:00:00.000Z',
    ...change,
  });
  const items = [item(1), item(2, { kind: 'action' }), item(1), item(1, { text: 'other' })];
  const path = '/v1/conversations/%23history/import';
  const answer = await server.call('POST', path, { token: ann, body: { items } });
  expect(answer).toMatchObject({ status: 200, body: { conversation: 'g:history', decided: true } });
  expect(answer.body.items).toEqual([
    { client_id: 'i1', author: 'old.hand', seq: 2 },
    { client_id: 'i2', author: 'old.hand', seq: 3 },
    { client_id: 'i1', author: 'old.hand', seq: 2 },
    { client_id: 'i1', author: 'old.hand', seq: null, code: 'client_id_reused' },
  ]);
  expect((await server.call('POST', path, { token: ann, body: { items } })).body).toEqual(answer.body);
  expect((await server.call('GET', '/v1/conversations/%23history/messages', { token: ann })).body.messages).toMatchObject([
    { author: 'old.hand', text: 'line 1', time: '2004-07-05T10:00:00.000Z' },
    { kind: 'action' },
  ]);
  expect((await server.call('POST', '/v1/sessions', { body: { user_id: 'old.hand', password } })).status).toBe(401);
  const refused = async (change: object) => (await server.call('POST', path, { token: ann, body: { items: [item(8), item(9, change)] } })).body;
  expect(await refused({ time: '2999-01-01T00:00:00Z' })).toMatchObject({ code: 'invalid_request', field: 'items.1.time' });
  expect(await refused({ author: 'history' })).toMatchObject({ code: 'name_taken', field: 'items.1.author' });
  expect(await server.call('POST', '/v1/conversations/%23nothere/import', { token: ann, body: { items } })).toMatchObject({ status: 404 });
  expect(await server.call('POST', path, { token: bob, body: { items } })).toMatchObject({ status: 403, body: { code: 'admin_only' } });
  const user = { user_id: 'old.hand', email: 'old@example.org', password };
  expect(await server.call('POST', '/v1/accounts', { body: user })).toMatchObject({ status: 409, body: { code: 'user_exists' } });
  expect(await server.call('POST', '/v1/admin/users', { token: ann, body: user })).toMatchObject({ status: 201, body: { user_id: 'old.hand' } });
  expect((await server.call('POST', '/v1/sessions', { body: { user_id: 'old.hand', password } })).status).toBe(201);
});

test('verify streams JSON lines that end with its findings', async () => {
  const response = await fetch(`${server.url}/v1/admin/verify`, { method: 'POST', headers: { authorization: `Bearer ${ann}` } });
  expect(response.headers.get('content-type')).toBe('application/jsonl');
  const lines = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ findings: [] });
});

// ── who may ──

const pathOf = (name: CallName): string =>
  calls[name].path
    .replace('{conversation}', '@ann')
    .replace('{link}', 'x'.repeat(20))
    .replace(/\{\w+\}/g, '1');

test.each(callNames.filter((name) => calls[name].access !== 'public'))('%s needs a session', async (name) => {
  for (const token of [undefined, 'x', ann.slice(1)]) {
    const { status, headers, body } = await server.call(calls[name].method, pathOf(name), { token });
    expect([status, body.code, body.decided]).toEqual([401, 'not_signed_in', false]);
    expect(headers.get('www-authenticate')).toBe('Bearer');
  }
});

test.each(callNames.filter((name) => calls[name].access === 'admin'))('%s is for administrators', async (name) => {
  expect(await server.call(calls[name].method, pathOf(name), { token: bob })).toMatchObject({ status: 403, body: { code: 'admin_only' } });
});

test('a cookie signs in, and is refused from a page of another origin for what changes something', async () => {
  const logIn = await server.call('POST', '/v1/sessions', { body: { user_id: 'ann', password } });
  const cookie = logIn.headers.get('set-cookie')!.split(';')[0]!;
  expect(logIn.headers.get('set-cookie')).toMatch(/^parlance=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
  const update = (headers: Record<string, string>) => server.call('PATCH', '/v1/me', { body: { display_name: 'Ann' }, headers });
  expect((await update({ cookie })).status).toBe(200);
  expect((await update({ cookie, origin: server.url })).status).toBe(200);
  expect(await update({ cookie, origin: 'https://evil.example' })).toMatchObject({ status: 403, body: { code: 'origin_refused' } });
  expect(await update({ cookie, 'sec-fetch-site': 'cross-site' })).toMatchObject({ status: 403 });
  expect((await update({ cookie, origin: 'https://evil.example', authorization: `Bearer ${ann}` })).status).toBe(200);
  expect((await server.call('GET', '/v1/me', { headers: { cookie, origin: 'https://evil.example' } })).status).toBe(200);
  const foreign = { body: { user_id: 'ann', password }, headers: { origin: 'https://evil.example' } };
  expect(await server.call('POST', '/v1/sessions', foreign)).toMatchObject({ status: 403, body: { code: 'origin_refused' } });
  const out = await server.call('DELETE', '/v1/sessions/current', { headers: { cookie } });
  expect([out.status, out.headers.get('set-cookie')]).toEqual([204, 'parlance=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax']);
  expect((await server.call('GET', '/v1/me', { headers: { cookie } })).status).toBe(401);
});

// ── bad input ──

const messages = '/v1/conversations/@bob/messages';
const json = { 'content-type': 'application/json' };

test.each<[string, string, Record<string, string>, string | Uint8Array | undefined, number, string]>([
  ['POST', messages, json, '{', 400, 'malformed_json'],
  ['POST', messages, json, '{"text":"a"}}', 400, 'malformed_json'],
  ['POST', messages, json, new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]), 400, 'malformed_json'],
  ['POST', messages, json, '[]', 400, 'invalid_request'],
  ['POST', messages, json, 'null', 400, 'invalid_request'],
  ['POST', messages, json, '"x"', 400, 'invalid_request'],
  ['POST', messages, json, '', 400, 'invalid_request'],
  ['POST', messages, {}, undefined, 400, 'invalid_request'],
  ['POST', messages, json, '{"text":"a","__proto__":{"x":1}}', 400, 'invalid_request'],
  ['POST', messages, json, '{"text":"a","constructor":{"prototype":{}}}', 400, 'invalid_request'],
  ['POST', messages, json, '{"text":"\\ud800"}', 400, 'invalid_request'],
  ['POST', messages, json, '{"text":"\\u0000"}', 400, 'invalid_request'],
  ['POST', messages, json, `{"text":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, 400, 'invalid_request'],
  ['POST', messages, json, '['.repeat(60_000), 400, 'malformed_json'],
  ['POST', messages, json, `{"text":"${'x'.repeat(70_000)}"}`, 413, 'body_too_large'],
  ['POST', messages, { 'content-type': 'text/plain' }, '{"text":"a"}', 415, 'unsupported_media_type'],
  ['POST', messages, { 'content-type': 'application/x-www-form-urlencoded' }, 'text=a', 415, 'unsupported_media_type'],
  ['POST', messages, { 'content-type': 'application/json; charset=latin1' }, '{"text":"a"}', 415, 'unsupported_media_type'],
  ['POST', '/v1/conversations/bob/messages', json, '{"text":"a"}', 400, 'invalid_request'],
  ['POST', '/v1/conversations/%00/messages', json, '{"text":"a"}', 400, 'invalid_request'],
  ['POST', `/v1/conversations/@${'b'.repeat(5000)}/messages`, json, '{"text":"a"}', 400, 'invalid_request'],
  ['GET', '/v1/conversations/%zz/messages', {}, undefined, 400, 'invalid_request'],
  ['GET', '/v1/conversations/%ff/messages', {}, undefined, 400, 'invalid_request'],
  ['GET', `${messages}?limit=1000000`, {}, undefined, 400, 'invalid_request'],
  ['GET', `${messages}?limit=1&limit=1`, {}, undefined, 400, 'invalid_request'],
  ['GET', `${messages}?colour=red`, {}, undefined, 400, 'invalid_request'],
  ['GET', `${messages}?before=%`, {}, undefined, 400, 'invalid_request'],
  ['GET', `${messages}?__proto__=1`, {}, undefined, 400, 'invalid_request'],
  ['GET', '/v1/nothing', {}, undefined, 404, 'not_found'],
  ['GET', '/v1/me/', {}, undefined, 404, 'not_found'],
  ['GET', '/v1/live', {}, undefined, 426, 'upgrade_required'],
])('%s %s %j with %.40s is a problem', async (method, path, headers, body, status, code) => {
  const answer = await server.call(method, path, { token: ann, headers, body });
  expect([answer.status, answer.body.code]).toEqual([status, code]);
  expect(answer.body).toMatchObject({ type: `/docs/errors/${code}`, title: expect.any(String), status, detail: expect.any(String), decided: false });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(answer.headers.get('x-request-id')).toBe(answer.body.request_id);
});

test('nothing of the bad input was written', async () => {
  const { messages: found } = (await server.call('GET', messages, { token: ann })).body;
  expect(found.every((message: { deleted?: true }) => message.deleted)).toBe(true);
});

test('the wrong method is told which are right', async () => {
  const { status, headers, body } = await server.call('PUT', '/v1/me', { token: ann });
  expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', 'GET, HEAD, PATCH']);
});

test('headers that are too large, and what is no HTTP, are problems too', async () => {
  expect((await server.call('GET', '/v1/me', { headers: { 'x-filler': 'x'.repeat(20_000) } })).body.code).toBe('headers_too_large');
  expect(await raw('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"invalid_request"/);
});

test('a body that is too large is read to its end, so that whoever is still sending gets the answer, and the connection goes on', async () => {
  const { port, hostname } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const size = 1_000_000;
  socket.write(`POST /v1/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${ann}\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n{`);
  await vi.waitFor(() => expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"body_too_large"/));
  for (let sent = 1; sent < size; sent += 50_000) {
    socket.write('x'.repeat(Math.min(50_000, size - sent)));
    await pause(1);
  }
  text = '';
  socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
  await vi.waitFor(() => expect(text).toMatch(/^HTTP\/1\.1 200 /));
  socket.destroy();
});

/** Writes bytes to the server and resolves with everything that comes back. */
function raw(bytes: string, url = server.url): Promise<string> {
  const { port, hostname } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
}

test('a body that does not arrive in time is answered 408', async () => {
  await using slow = await startTestServer({ PARLANCE_REQUEST_TIMEOUT_MS: '300' });
  const head = 'POST /v1/accounts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"user_id"';
  expect(await raw(head, slow.url)).toMatch(/^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/);
});

// ── what every answer has ──

test('every answer has a request id and the headers that keep browsers careful', async () => {
  for (const path of ['/v1/me', '/healthz', '/v1/nothing', '/v1/conversations/%zz/messages']) {
    const { headers } = await server.call('GET', path, { token: ann });
    expect(headers.get('x-request-id'), path).toMatch(/^[\w-]+$/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  }
});

test('writes say what is left, and beyond the burst they wait', async () => {
  await using small = await startTestServer({ PARLANCE_WRITES_BURST: '2', PARLANCE_WRITES_PER_SECOND: '1' });
  const token = await small.person('kim');
  const write = () => small.call('POST', '/v1/conversations/@kim/messages', { token, body: { text: 'x' } });
  const began = performance.now();
  const first = await write();
  expect([first.headers.get('ratelimit-policy'), first.headers.get('ratelimit')]).toEqual(['"writes";q=2;w=2', '"writes";r=1;t=1']);
  // The burst, and one more for each second that this may take: of so many, some are refused.
  const answers = await Promise.all(Array.from({ length: 20 }, write));
  const allowed = answers.filter(({ status }) => status === 201).length;
  expect(allowed).toBeGreaterThanOrEqual(1);
  expect(allowed).toBeLessThanOrEqual(1 + Math.floor((performance.now() - began) / 1000));
  const refused = answers.find(({ status }) => status === 429);
  expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', decided: false, retry_after: 1 } });
  expect(refused!.headers.get('retry-after')).toBe('1');
  expect((await small.call('GET', '/v1/me', { token })).status).toBe(200);
});

test('registrations and failed log-ins are limited, and closed registration is closed', async () => {
  await using small = await startTestServer({ PARLANCE_REGISTRATIONS_BURST: '1', PARLANCE_LOGIN_FAILURES_BURST: '2' });
  const token = await small.person('kim');
  expect(token).toBeTruthy();
  expect(await small.call('POST', '/v1/accounts', { body: { user_id: 'lea', email: 'a@b.c', password } })).toMatchObject({ status: 429 });
  const logIn = (given: string) => small.call('POST', '/v1/sessions', { body: { user_id: 'kim', password: given } });
  for (let time = 0; time < 5; time++) expect((await logIn(password)).status).toBe(201);
  const guesses = await Promise.all(Array.from({ length: 4 }, () => logIn('wrong horse')));
  // Two are checked at once, so one may have begun before the other used up the limit.
  expect(guesses.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(3);
  expect(await logIn(password)).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  await using closed = await startTestServer({ PARLANCE_REGISTRATION: 'closed' });
  expect(await closed.call('POST', '/v1/accounts', { body: { user_id: 'lea', email: 'a@b.c', password } })).toMatchObject({
    status: 403,
    body: { code: 'registration_closed' },
  });
});

test('behind a proxy the cookie is secure, the address is the client’s, and metrics are for administrators', async () => {
  await using proxied = await startTestServer({ PARLANCE_BEHIND_TLS_PROXY: 'true' });
  await proxied.person('kim');
  const headers = { 'x-forwarded-for': '203.0.113.9' };
  const logIn = await proxied.call('POST', '/v1/sessions', { body: { user_id: 'kim', password }, headers });
  expect(logIn.headers.get('set-cookie')).toMatch(/^__Host-parlance=[\w-]+; Path=\/; .*Secure$/);
  expect((await proxied.call('GET', '/metrics', { headers })).status).toBe(401);
  expect((await proxied.call('GET', '/metrics', { headers, token: logIn.body.token })).status).toBe(403);
  await proxied.call('GET', proxied.adminLink, { token: logIn.body.token });
  expect((await proxied.call('GET', '/metrics', { headers, token: logIn.body.token })).status).toBe(200);
});

// ── beside the calls ──

test('health, readiness and metrics are there for machines', async () => {
  expect((await server.call('GET', '/healthz')).body).toBe('ok\n');
  expect((await server.call('GET', '/readyz')).body).toBe('ready\n');
  const { body } = await server.call('GET', '/metrics');
  for (const name of [
    'parlance_calls_total{call="register",status="201"}',
    'parlance_refusals_total{code="user_exists"}',
    'parlance_sockets 0',
    'parlance_commands_waiting',
    'nodejs_eventloop_lag',
  ]) {
    expect(body).toContain(name);
  }
  const head = await server.call('HEAD', '/v1/me', { token: ann });
  expect([head.status, head.body]).toEqual([200, '']);
});

test('while it drains, readiness says so, everything else is served, and connections end', async () => {
  const draining = await startTestServer({ PARLANCE_DRAIN_MS: '400' });
  const token = await draining.person('kim');
  const stopped = draining.stop();
  const ready = await draining.call('GET', '/readyz');
  expect([ready.status, ready.body, ready.headers.get('connection')]).toEqual([503, 'draining\n', 'close']);
  expect((await draining.call('POST', '/v1/conversations/@kim/messages', { token, body: { text: 'late' } })).status).toBe(201);
  await stopped;
  await expect(draining.call('GET', '/healthz')).rejects.toThrow();
});

test('with certificate and key it serves https, and cookies are for https only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'parlance-tls-'));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-subj',
    '/CN=localhost',
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  expect(made.status, 'openssl makes a certificate').toBe(0);
  await using tls = await startTestServer({ PARLANCE_TLS_CERT: cert, PARLANCE_TLS_KEY: key });
  expect(tls.url).toMatch(/^https:/);
  const answer = await new Promise<string>((resolve, reject) => {
    get(`${tls.url}/v1/me`, { ca: readFileSync(cert), checkServerIdentity: () => undefined }, (response) => resolve(`${response.statusCode}`)).on(
      'error',
      reject,
    );
  });
  expect(answer).toBe('401');
  rmSync(folder, { recursive: true });
});

test('TLS files that cannot be read stop the start with a sentence', async () => {
  await expect(startTestServer({ PARLANCE_TLS_CERT: '/nonexistent', PARLANCE_TLS_KEY: '/nonexistent' })).rejects.toThrow('The TLS files cannot be read');
});

test('the addresses that are served are the addresses that are described', async () => {
  const { paths } = (await server.call('GET', '/openapi.json')).body;
  for (const name of callNames) {
    const { method, path } = calls[name];
    expect(paths[path][method.toLowerCase()].operationId).toBe(name);
    expect((await server.call(method, pathOf(name))).body.code, name).not.toMatch(/^(not_found|method_not_allowed)$/);
  }
  expect((await server.call('GET', '/asyncapi.json')).body.asyncapi).toBe('3.0.0');
});

test('there is a page for everything and one for each code, without script', async () => {
  for (const path of ['/docs', ...Object.keys(problems).map((code) => `/docs/errors/${code}`)]) {
    const { status, headers, body } = await server.call('GET', path);
    expect([status, headers.get('content-type')], path).toEqual([200, 'text/html; charset=utf-8']);
    expect(body).not.toContain('<script');
  }
  const docs = (await server.call('GET', '/docs')).body;
  for (const name of callNames) expect(docs).toContain(`id="${name}"`);
  expect((await server.call('GET', '/docs/errors/__proto__')).status).toBe(404);
  expect((await server.call('GET', '/docs/errors/nonsense')).body.code).toBe('not_found');
});

test('no secret, text, address or token was logged, and nothing failed', () => {
  const log = server.log();
  for (const secret of [password, ann, bob, 'wrong horse', 'battery staple', 'unseen', 'ann@example.org', '127.0.0.1:']) expect(log).not.toContain(secret);
  expect(log).not.toContain('a call failed');
});
