import { sessionEnded } from '@parlance/schema/close-codes';
import { describe, expect, test } from 'vitest';
import { FakePlatform } from '../test-support/fake-platform.ts';
import { problemOf } from '../test-support/fake-server.ts';
import { Parlance } from './client.ts';
import type { ParlanceError } from './problem.ts';
import type { ConversationView } from './view.ts';

async function start(platform = new FakePlatform()): Promise<{ platform: FakePlatform; me: Parlance }> {
  const me = await Parlance.logIn({ url: 'http://127.0.0.1:8080/', user_id: 'Ada', password: 'correct horse', environment: platform.environment });
  await platform.settle();
  return { platform, me };
}

const texts = (view: ConversationView) => view.messages.map(({ text, state }) => `${text} ${state}`);
const bobSays = (platform: FakePlatform, text: string) =>
  platform.server.write('bob', { type: 'send_message', conversation: 'd:ada:bob', text, client_id: `bob ${text}` });
const failure = (promise: Promise<unknown>): Promise<ParlanceError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error) => error,
  );

test('logging in connects, says hello with the token, and is live', async () => {
  const { platform, me } = await start();
  expect(me.me).toBe('ada');
  expect(me.status).toBe('live');
  expect(platform.socket.url).toBe('ws://127.0.0.1:8080/v1/live');
  expect(platform.socket.sent).toEqual([{ type: 'hello', token: 'secret', resume: {} }]);
  me.close();
});

test('with a cookie the hello carries no token', async () => {
  const platform = new FakePlatform();
  const me = await Parlance.withCookie({ url: 'http://127.0.0.1:8080', environment: platform.environment });
  await platform.settle();
  expect(platform.socket.sent).toEqual([{ type: 'hello', resume: {} }]);
  me.close();
});

test('a message is in the view at once, and its promise resolves when it is decided', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('@bob');
  const seen: string[][] = [];
  chat.subscribe((view) => seen.push(texts(view)));
  await platform.settle();
  const answer = chat.send('hello');
  expect(texts(chat.view)).toEqual(['hello sending']);
  await expect(answer).resolves.toMatchObject({ conversation: 'd:ada:bob', msg_id: '1', seq: 1, version: 1, decided: true });
  await platform.settle();
  expect(texts(chat.view)).toEqual(['hello stored']);
  expect(seen.at(-1)).toEqual(['hello stored']);
  expect(new Set(seen.flat())).toEqual(new Set(['hello sending', 'hello stored']));
  me.close();
});

test('a conversation that is watched is loaded and then followed', async () => {
  const platform = new FakePlatform();
  for (const text of ['one', 'two', 'three']) bobSays(platform, text);
  const { me } = await start(platform);
  const chat = me.conversation('@Bob');
  chat.subscribe(() => {});
  await platform.settle();
  bobSays(platform, 'four');
  await platform.settle();
  expect(texts(chat.view)).toEqual(['one stored', 'two stored', 'three stored', 'four stored']);
  expect(chat.view.unreadCount).toBe(4);
  me.close();
});

test('the view is the same object until something changed', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('@bob');
  await chat.load();
  const before = chat.view;
  expect(me.conversation('d:ada:bob').view).toBe(before);
  bobSays(platform, 'news');
  await platform.settle();
  expect(chat.view).not.toBe(before);
  me.close();
});

test('older pages are put in front until there are no more', async () => {
  const platform = new FakePlatform();
  for (let number = 1; number <= 7; number++) bobSays(platform, `${number}`);
  const { me } = await start(platform);
  const chat = me.conversation('@bob');
  await expect(chat.loadOlder(3)).resolves.toBe(false);
  const small = await Parlance.logIn({ url: 'http://x', user_id: 'ada', password: 'p', environment: platform.environment, pageSize: 3 });
  const paged = small.conversation('@bob');
  await expect(paged.loadOlder()).resolves.toBe(true);
  await expect(paged.loadOlder()).resolves.toBe(false);
  expect(paged.view.messages.map(({ text }) => text)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  me.close();
  small.close();
});

test('an edit that arrives while an older page is under way is not undone by the page', async () => {
  const platform = new FakePlatform();
  for (let number = 1; number <= 4; number++) bobSays(platform, `${number}`);
  const me = await Parlance.logIn({ url: 'http://x', user_id: 'ada', password: 'p', environment: platform.environment, pageSize: 2 });
  const chat = me.conversation('@bob');
  await chat.load();
  await platform.settle();
  const stale = platform.server.page('d:ada:bob', 3, 2);
  let answer: (response: Response) => void = () => {};
  platform.intercept = () => new Promise((resolve) => (answer = resolve));
  const loading = chat.loadOlder();
  await platform.settle();
  platform.server.write('bob', { type: 'edit_message', conversation: 'd:ada:bob', msg_id: '1', text: 'mended', client_id: 'e' });
  platform.server.write('bob', { type: 'delete_message', conversation: 'd:ada:bob', msg_id: '2', client_id: 'd' });
  await platform.settle();
  answer(Response.json(stale));
  await loading;
  expect(texts(chat.view)).toEqual(['mended stored', 'undefined stored', '3 stored', '4 stored']);
  me.close();
});

test('what was written offline goes out in order once the connection is back', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('@bob');
  await chat.load();
  platform.isReachable = false;
  platform.socket.drop();
  await platform.settle();
  expect(me.status).toBe('offline');
  const answers = ['a', 'b', 'c'].map((text) => chat.send(text));
  bobSays(platform, 'meanwhile');
  await platform.advance(5000);
  platform.isReachable = true;
  await platform.advance(30_000);
  expect((await Promise.all(answers)).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  expect(texts(chat.view)).toEqual(['meanwhile stored', 'a stored', 'b stored', 'c stored']);
  me.close();
});

test('a write without an answer is repeated with the same client_id and stored once', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('@bob');
  platform.socket.isDeaf = true;
  const answer = chat.send('once');
  await platform.settle();
  platform.socket.isDeaf = false;
  await platform.advance(20_000);
  await expect(answer).resolves.toMatchObject({ seq: 1 });
  const sent = platform.socket.sent.filter(({ type }) => type === 'send_message');
  expect(sent).toHaveLength(2);
  expect(sent[0]).toEqual(sent[1]);
  expect(platform.server.seq('d:ada:bob')).toBe(1);
  me.close();
});

test('a message that was stored before the connection broke is never shown twice', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('@bob');
  await chat.load();
  await platform.settle();
  const shown = new Set<string>();
  chat.subscribe((view) => shown.add(texts(view).join()));
  const answer = chat.send('once');
  platform.server.connections.clear(); // The push gets lost.
  await platform.settle();
  expect(platform.server.seq('d:ada:bob')).toBe(1);
  platform.socket.drop();
  await platform.advance(5000);
  await expect(answer).resolves.toMatchObject({ seq: 1 });
  expect([...shown]).not.toContain('once stored,once sending');
  expect(texts(chat.view)).toEqual(['once stored']);
  me.close();
});

test('a decided refusal rejects with its problem, stays in the view as failed, and the next write goes on', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('#team');
  const refused = failure(chat.send('let me in'));
  const joined = me.joinGroup('team');
  const sent = chat.send('thanks');
  await expect(refused).resolves.toMatchObject({ name: 'ParlanceError', code: 'not_a_member', status: 403, decided: true });
  await expect(joined).resolves.toMatchObject({ user: 'ada', role: 'member' });
  await expect(sent).resolves.toMatchObject({ seq: 2 });
  await chat.load();
  expect(texts(chat.view)).toEqual(['thanks stored', 'let me in failed']);
  const failed = chat.view.messages.at(-1)!;
  await expect(chat.retry(failed.client_id!)).resolves.toMatchObject({ seq: 3 });
  await platform.settle();
  expect(texts(chat.view)).toEqual(['thanks stored', 'let me in stored']);
  me.close();
});

test('an undecided refusal is retried, as late as the server asks', async () => {
  const { platform, me } = await start();
  let refusals = 2;
  platform.server.refuse = () => (refusals-- > 0 ? { ...problemOf('rate_limited', 429, false), retry_after: 7 } : undefined);
  const answer = me.conversation('@bob').send('patience');
  await platform.advance(13_000);
  expect(platform.server.received).toHaveLength(2);
  await platform.advance(1500);
  await expect(answer).resolves.toMatchObject({ seq: 1 });
  me.close();
});

test('edits and deletes are laid over the message until they are stored', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('@bob');
  await chat.load();
  await chat.send('frist');
  await platform.settle();
  const edited = chat.edit('1', 'first', { version: 1 });
  expect(texts(chat.view)).toEqual(['first changing']);
  await expect(edited).resolves.toMatchObject({ version: 2 });
  const deleted = chat.delete('1');
  expect(chat.view.messages).toMatchObject([{ deleted: true, state: 'changing' }]);
  await deleted;
  await platform.settle();
  expect(chat.view.messages).toMatchObject([{ deleted: true, state: 'stored' }]);
  await expect(chat.edit('1', 'again')).rejects.toMatchObject({ code: 'message_deleted' });
  me.close();
});

test('a read mark shows at once and does not wait for a message in the same conversation', async () => {
  const { platform, me } = await start();
  bobSays(platform, 'one');
  const chat = me.conversation('@bob');
  await chat.load();
  platform.server.refuse = (frame) => (frame.type === 'send_message' ? problemOf('unavailable', 503, false) : undefined);
  chat.send('stuck').catch(() => {});
  const read = chat.markRead();
  expect(chat.view).toMatchObject({ readSeq: 1, unreadCount: 0 });
  await expect(read).resolves.toMatchObject({ read_seq: 1 });
  me.close();
});

describe('an end of the session', () => {
  test('on the server makes the client signed out, and what waits fails', async () => {
    const { platform, me } = await start();
    platform.socket.isDeaf = true;
    const waiting = failure(me.conversation('@bob').send('too late'));
    await platform.settle();
    platform.socket.drop(sessionEnded);
    await platform.settle();
    expect(me.status).toBe('signed_out');
    expect(me.closeCode).toBe(sessionEnded);
    await expect(waiting).resolves.toMatchObject({ code: 'signed_out', decided: false, isUncertain: true });
    await expect(me.conversation('@bob').send('later still')).rejects.toMatchObject({ code: 'signed_out' });
    expect(platform.timers).toBe(0);
    me.close();
  });

  test('here leaves no timer and no socket behind', async () => {
    const { platform, me } = await start();
    me.close();
    await platform.settle();
    expect(me.status).toBe('stopped');
    expect(platform.socket.readyState).toBe(3);
    expect(platform.timers).toBe(0);
  });
});

test('an outbox kept from before is sent by the next client, under the same client_ids', async () => {
  const { platform, me } = await start();
  platform.socket.isDeaf = true;
  const lost = failure(me.conversation('@bob').send('kept'));
  await platform.settle();
  const kept = JSON.parse(JSON.stringify(me.outbox()));
  const sent = platform.socket.sent.at(-1);
  me.close();
  await lost;
  const again = await Parlance.withToken({ url: 'http://x', token: 'secret', outbox: kept, environment: platform.environment });
  await platform.settle();
  expect(platform.socket.sent.at(-1)).toEqual(sent);
  expect(platform.server.page('d:ada:bob').messages.map(({ text }) => text)).toEqual(['kept']);
  again.close();
});

test('what the server would close the socket for is refused before it is sent', async () => {
  const { platform, me } = await start();
  const chat = me.conversation('@bob');
  for (const text of ['', 'x'.repeat(8193), '€'.repeat(2731), 'a\0b', '\ud800'])
    await expect(chat.send(text)).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(chat.delete('01')).rejects.toMatchObject({ problem: { field: 'msg_id' } });
  expect(() => me.conversation('bob')).toThrow('is not a conversation');
  expect(platform.socket.sent).toHaveLength(1);
  me.close();
});

test('a conversation that cannot be loaded says why, and is loaded once one has joined it', async () => {
  const { platform, me } = await start();
  platform.intercept = () => Response.json(problemOf('conversation_not_found', 404, false), { status: 404 });
  const chat = me.conversation('#team');
  chat.subscribe(() => {});
  await platform.settle();
  expect(chat.view).toMatchObject({ isLoaded: false, problem: { code: 'conversation_not_found' } });
  platform.intercept = () => undefined;
  await me.createGroup('Team', { title: 'The team' });
  await platform.settle();
  expect(chat.view).toMatchObject({ isLoaded: true, problem: null });
  me.close();
});

test('the inbox fills the list of conversations', async () => {
  const platform = new FakePlatform();
  bobSays(platform, 'hi');
  const { me } = await start(platform);
  let told = 0;
  me.subscribe(() => told++);
  await me.inbox();
  await platform.settle();
  expect(me.conversations).toMatchObject([{ id: 'd:ada:bob', unreadCount: 1, lastMessage: { text: 'hi' } }]);
  expect(told).toBeGreaterThan(0);
  me.close();
});
