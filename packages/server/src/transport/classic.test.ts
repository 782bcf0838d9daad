import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer } from '../main.ts';
import { password, startTestServerWith, type TestServer } from './http.fixture.ts';

const startTestServer = (environment?: Record<string, string>) => startTestServerWith(startServer, environment);

let server: TestServer;
let ann: string;
let bob: string;

const call = (name: string, body: object, token?: string) => server.call('POST', `/classic/${name}`, { body, token });

beforeAll(async () => {
  server = await startTestServer();
  for (const uid of ['ann', 'bob']) expect((await call('register', { uid, email: `${uid}@example.org`, password })).body).toEqual({ uid, ack: 'ok' });
  [ann, bob] = [await logIn('ann'), await logIn('bob')];
});

afterAll(() => server.stop());

async function logIn(uid: string): Promise<string> {
  const { headers, body } = await call('login', { uid, password });
  expect(body).toEqual({ uid, ack: 'ok' });
  const token = headers.get('authorization')!.replace('Bearer ', '');
  expect(headers.get('set-cookie')).toContain(`parlance=${token};`);
  return token;
}

test('a message is sent, fetched, updated and deleted', async () => {
  const sent = (await call('send', { uid1: 'ann', uid2: 'bob', msg: 'hello' }, ann)).body;
  expect(sent).toEqual({ ack: 'ok', msg_id: '1', timestamp: expect.stringMatching(/^\d{13}$/), uid1: 'ann', uid2: 'bob', msg: 'hello' });
  const fetched = async () => (await call('fetch_msg', { op_type: 'fetch_msg', uid1: 'bob', uid2: 'ann', isGroup: 'false' }, bob)).body;
  expect(await fetched()).toEqual({ uid: 'bob', msgs: [{ uid2: 'ann', msg: 'hello', timestamp: sent.timestamp, msg_id: '1' }] });
  const update = { op_type: 'update', msg_id: '1', isGroup: 'false', uid1: 'ann', uid2: 'bob', msg: 'hello you' };
  expect((await call('update', update, ann)).body).toEqual({ uid: 'ann', ack: 'ok' });
  expect((await fetched()).msgs).toMatchObject([{ msg: 'hello you', msg_id: '1' }]);
  expect((await call('delete', { op_type: 'delete', isGroup: false, uid1: 'ann', uid2: 'bob', msg_id: '1' }, ann)).body).toEqual({ uid: 'ann', ack: 'ok' });
  expect(await fetched()).toEqual({ uid: 'bob', msgs: [] });
});

test('groups are made, joined, shown, listed, written to and left', async () => {
  expect((await call('create_group', { uid: 'ann', group: 'club' }, ann)).body).toEqual({ uid: 'ann', ack: 'ok' });
  expect((await call('join_group', { uid: 'bob', group: 'club' }, bob)).body).toEqual({ uid: 'bob', ack: 'ok' });
  expect((await call('show_group', { uid: 'bob', group: 'club' }, bob)).body).toEqual({ uid: 'bob', group: 'club', members: ['ann', 'bob'] });
  expect((await call('fetch_group', { isGroup: 'true', uid: 'bob' }, bob)).body).toEqual({ uid: 'bob', groups: ['club'] });
  expect((await call('send', { uid1: 'bob', uid2: 'club', msg: 'all' }, bob)).body).toMatchObject({ ack: 'ok', uid2: 'club', msg: 'all' });
  expect((await call('fetch_msg', { uid1: 'ann', uid2: 'club', isGroup: 'true' }, ann)).body.msgs).toMatchObject([{ uid2: 'bob', msg: 'all' }]);
  expect((await call('fetch_user', { op_type: 'fetch_user', isGroup: 'true', uid1: 'ann', uid2: 'club' }, ann)).body).toEqual({
    uid: 'ann',
    users: ['ann', 'bob'],
  });
  expect((await call('leave_group', { uid: 'bob', group: 'club' }, bob)).body).toEqual({ uid: 'bob', ack: 'ok' });
  expect((await call('fetch_group', { isGroup: 'true', uid: 'bob' }, bob)).body).toEqual({ uid: 'bob', groups: [] });
});

test('the directory is fetched whole, or in parts with after and limit', async () => {
  expect((await call('fetch_user', { op_type: 'fetch_user', isGroup: 'false', uid1: 'ann' }, ann)).body).toEqual({ uid: 'ann', users: ['ann', 'bob'] });
  const first = (await call('fetch_user', { isGroup: 'false', uid1: 'ann', limit: '1' }, ann)).body;
  expect(first).toEqual({ uid: 'ann', users: ['ann'], next: 'ann' });
  expect((await call('fetch_user', { isGroup: 'false', uid1: 'ann', limit: 1, after: first.next }, ann)).body).toEqual({ uid: 'ann', users: ['bob'] });
});

test('messages are fetched in parts that meet, deleted ones left out', async () => {
  for (let index = 0; index < 5; index++) await call('send', { uid1: 'ann', uid2: 'ann', msg: `note ${index}` }, ann);
  await call('delete', { isGroup: 'false', uid1: 'ann', uid2: 'ann', msg_id: '2' }, ann);
  const texts: string[] = [];
  let after: string | undefined;
  do {
    const { msgs, next } = (await call('fetch_msg', { uid1: 'ann', uid2: 'ann', isGroup: 'false', limit: '2', ...(after !== undefined && { after }) }, ann))
      .body;
    texts.push(...msgs.map((message: { msg: string }) => message.msg));
    after = next;
  } while (after !== undefined);
  expect(texts).toEqual(['note 0', 'note 2', 'note 3', 'note 4']);
});

test('a repeated client_id sends once', async () => {
  const body = { uid1: 'bob', uid2: 'bob', msg: 'once', client_id: 'c1' };
  const first = (await call('send', body, bob)).body;
  expect((await call('send', body, bob)).body).toEqual(first);
});

test.each([
  ['send', { uid1: 'ann', uid2: 'bob' }, 400, 'invalid_request'],
  ['send', { uid1: 'ann', uid2: 'bob', msg: 7 }, 400, 'invalid_request'],
  ['send', { uid1: 'ann', uid2: 'bob', msg: '' }, 400, 'invalid_request'],
  ['send', { uid1: 'ann', uid2: 'not a name', msg: 'x' }, 400, 'invalid_request'],
  ['send', { uid1: 'ann', uid2: 'nobody', msg: 'x' }, 404, 'conversation_not_found'],
  ['send', { uid1: 'bob', uid2: 'ann', msg: 'x' }, 401, 'not_signed_in'],
  ['update', { op_type: 'delete', uid1: 'ann', uid2: 'bob', isGroup: 'false', msg_id: '1', msg: 'x' }, 400, 'invalid_request'],
  ['update', { uid1: 'ann', uid2: 'bob', isGroup: 'false', msg_id: '1', msg: 'x' }, 410, 'message_deleted'],
  ['update', { uid1: 'ann', uid2: 'bob', isGroup: 'perhaps', msg_id: '1', msg: 'x' }, 400, 'invalid_request'],
  ['fetch_msg', { uid1: 'ann', uid2: 'bob', limit: 'many' }, 400, 'invalid_request'],
  ['show_group', { uid: 'ann', group: 'nothere' }, 404, 'conversation_not_found'],
  ['create_group', { uid: 'ann', group: 'bob' }, 409, 'name_taken'],
])('%s %j is refused in the classic form', async (name, body, status, code) => {
  const answer = await call(name, body, ann);
  expect(answer.status).toBe(status);
  expect(answer.body).toEqual({ uid: 'uid1' in body ? body.uid1 : body.uid, ack: 'error', code, error: expect.any(String) });
});

test('a refusal names the field as it was sent', async () => {
  expect((await call('send', { uid1: 'ann', uid2: 'bob', msg: '' }, ann)).body.error).toContain('"msg"');
});

test('without a session, with a broken body, and after logging out it is refused in the classic form', async () => {
  expect(await call('send', { uid1: 'ann', uid2: 'bob', msg: 'x' })).toMatchObject({ status: 401, body: { uid: 'ann', ack: 'error', code: 'not_signed_in' } });
  expect(await server.call('POST', '/classic/send', { body: '{', token: ann })).toMatchObject({ status: 400, body: { ack: 'error', code: 'malformed_json' } });
  const large = { uid1: 'ann', uid2: 'bob', msg: 'x'.repeat(70_000) };
  expect(await call('send', large, ann)).toMatchObject({ status: 413, body: { ack: 'error', code: 'body_too_large' } });
  const plain = await server.call('POST', '/classic/send', { body: 'uid1=ann', token: ann, headers: { 'content-type': 'text/plain' } });
  expect(plain).toMatchObject({ status: 415, body: { ack: 'error', code: 'unsupported_media_type' } });
  const token = await logIn('bob');
  expect((await call('logout', { uid: 'bob' }, token)).body).toEqual({ uid: 'bob', ack: 'ok' });
  expect((await call('fetch_group', { uid: 'bob' }, token)).status).toBe(401);
  expect((await call('login', { uid: 'bob', password: 'wrong horse' })).body).toMatchObject({ uid: 'bob', ack: 'error', code: 'wrong_credentials' });
});

test('fields that old clients send beside these are ignored', async () => {
  expect((await call('fetch_group', { uid: 'ann', isGroup: 'true', op_type: 'fetch_group', version: 3, __proto__: { admin: true } }, ann)).body.uid).toBe(
    'ann',
  );
});
