import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LiveClient, Person } from '../conformance/protocol-client.ts';
import { raisedLimits, removeFolders, type ServerProcess, startServerProcess } from '../support/server-process.ts';

// Guessing passwords, and what ends with a session. Addresses are those of loopback: the server is on 127.0.0.1, and a client may come from any other.

const failuresBurst = 5;
const password = 'a long password';
let server: ServerProcess;

beforeAll(async () => {
  server = await startServerProcess({ flags: [...raisedLimits, `--login-failures-burst=${failuresBurst}`] });
});
afterAll(removeFolders);

interface Attempt {
  status: number;
  code: string | undefined;
  retryAfter: string | undefined;
  elapsedMs: number;
}

function logIn(userId: string, secret: string, localAddress: string): Promise<Attempt> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', localAddress, agent: false, headers: { 'content-type': 'application/json' } };
    const outgoing = request(`${server.url}/v1/sessions`, options, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => {
        const { code } = JSON.parse(text) as { code?: string };
        resolve({ status: response.statusCode!, code, retryAfter: response.headers['retry-after'], elapsedMs: performance.now() - began });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify({ user_id: userId, password: secret }));
  });
}

const guess = (userId: string, address: string): Promise<Attempt> => logIn(userId, 'not the password', address);

it('stops a guesser after some failures, even with the right password, and says how long', async () => {
  const ada = await Person.make(server.url, 'ada');
  for (let count = 0; count < failuresBurst; count++) expect((await guess(ada.id, '127.0.0.11')).code).toBe('wrong_credentials');
  const stopped = await guess(ada.id, '127.0.0.11');
  expect([stopped.status, stopped.code]).toEqual([429, 'rate_limited']);
  expect(Number(stopped.retryAfter)).toBeGreaterThan(0);
  expect((await logIn(ada.id, password, '127.0.0.11')).status).toBe(429);
  // The owner elsewhere, and others at the guesser's address, are none the worse for it.
  expect((await logIn(ada.id, password, '127.0.0.12')).status).toBe(201);
  const bob = await Person.make(server.url, 'bob');
  expect((await logIn(bob.id, password, '127.0.0.11')).status).toBe(201);
});

it('does not let a burst of guesses at once slip through', async () => {
  const ada = await Person.make(server.url, 'ada');
  const guesses = await Promise.all(Array.from({ length: 4 * failuresBurst }, () => guess(ada.id, '127.0.0.13')));
  const checked = guesses.filter(({ code }) => code === 'wrong_credentials').length;
  expect(checked).toBeGreaterThanOrEqual(failuresBurst);
  // One more may be in hand when the last that is allowed fails: two are checked at a time.
  expect(checked).toBeLessThanOrEqual(failuresBurst + 1);
  expect(guesses.filter(({ status }) => status === 429)).toHaveLength(guesses.length - checked);
});

it('stops guesses of an unknown user in the same way', async () => {
  const userId = `nobody-${randomUUID().slice(0, 8)}`;
  for (let count = 0; count < failuresBurst; count++) expect((await guess(userId, '127.0.0.14')).code).toBe('wrong_credentials');
  expect((await guess(userId, '127.0.0.14')).status).toBe(429);
});

it('stops guessers from many addresses, and lets the owner in from where the owner has logged in before', async () => {
  const ada = await Person.make(server.url, 'ada');
  const home = '127.0.1.1';
  expect((await logIn(ada.id, password, home)).status).toBe(201);
  const tried: Attempt[] = [];
  // From each address fewer than are allowed from one.
  for (let address = 1; address <= 30; address++) tried.push(...(await Promise.all([1, 2, 3].map(() => guess(ada.id, `127.0.2.${address}`)))));
  expect(tried.at(-1)!.status).toBe(429);
  expect((await guess(ada.id, '127.0.3.1')).status, 'from an address of which nothing is known').toBe(429);
  expect((await logIn(ada.id, password, home)).status).toBe(201);
});

it('stops one address that tries one password on many accounts', async () => {
  const statuses: number[] = [];
  for (let round = 0; round < 15; round++) {
    const guesses = Array.from({ length: 10 }, (_, index) => guess(`spray-${round}-${index}`, '127.0.4.1'));
    statuses.push(...(await Promise.all(guesses)).map(({ status }) => status));
  }
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(101);
  expect(statuses.at(-1)).toBe(429);
});

it('takes as long for an unknown user as for a wrong password', async () => {
  const ada = await Person.make(server.url, 'ada');
  const unknown: number[] = [];
  const wrong: number[] = [];
  // In turns, so that whatever else the machine does falls on both alike; each from an address that has not failed before.
  for (let round = 0; round < 15; round++) {
    wrong.push((await guess(ada.id, `127.0.5.${1 + round}`)).elapsedMs);
    unknown.push((await guess(`nobody-${round}`, `127.0.5.${1 + round}`)).elapsedMs);
  }
  const median = (times: number[]): number => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
  const ratio = median(unknown) / median(wrong);
  expect(ratio, `medians ${median(unknown)} and ${median(wrong)} ms`).toBeGreaterThan(0.67);
  expect(ratio, `medians ${median(unknown)} and ${median(wrong)} ms`).toBeLessThan(1.5);
});

it.each<[how: string, end: (person: Person, other: Person) => Promise<number>]>([
  ['it logs out', async (_person, other) => (await other.call('DELETE', '/v1/sessions/current')).status],
  ['another session ends it', async (person, other) => (await person.call('DELETE', `/v1/sessions/${other.sessionId}`)).status],
  [
    'the password changes',
    async (person) => (await person.call('PUT', '/v1/me/password', { current_password: password, new_password: 'another password' })).status,
  ],
])('a session is over everywhere within a second once %s', async (_how, end) => {
  const person = await Person.make(server.url);
  const other = new Person(server.url, person.id);
  await other.logIn();
  const cookie = { cookie: `parlance=${other.token}`, origin: server.url };
  const lives = [
    await other.live(),
    await LiveClient.connect(server.url, { authorization: `Bearer ${other.token}` }),
    await LiveClient.connect(server.url, cookie),
  ];
  for (const live of lives.slice(1)) {
    live.say({ type: 'hello' });
    await live.until(() => live.frames.some((frame) => frame.type === 'caught_up'));
  }
  const survivor = await person.live();

  const began = performance.now();
  expect(await end(person, other)).toBe(204);
  for (const live of lives) expect((await live.untilClosed()).code).toBe(4100);
  expect(performance.now() - began).toBeLessThan(1000);
  expect((await other.get('/v1/me')).status).toBe(401);
  expect((await new Person(server.url, other.id).call('GET', '/v1/me', undefined, cookie)).status).toBe(401);
  await expect(LiveClient.connect(server.url, { authorization: `Bearer ${other.token}` })).rejects.toThrow('401');
  const late = await LiveClient.connect(server.url);
  late.say({ type: 'hello', token: other.token });
  expect((await late.untilClosed()).code).toBe(4101);

  await survivor.settle();
  expect(survivor.closed).toBeUndefined();
  expect((await person.get('/v1/me')).status).toBe(200);
  survivor.close();
});

it('writes sent over a socket after its session ended have no effect', async () => {
  const person = await Person.make(server.url);
  const other = new Person(server.url, person.id);
  await other.logIn();
  const live = await other.live();
  const ending = person.call('DELETE', `/v1/sessions/${other.sessionId}`);
  let acknowledged = 0;
  for (let count = 0; live.closed === undefined && count < 500; count++) {
    live.say({ type: 'send_message', conversation: `d:${person.id}:${person.id}`, client_id: `c${count}`, text: 'x' });
    const answer = await Promise.race([live.answerTo(`c${count}`).catch(() => undefined), live.untilClosed().then(() => undefined)]);
    if (answer?.type === 'event') acknowledged++;
  }
  expect((await ending).status).toBe(204);
  expect((await live.untilClosed()).code).toBe(4100);
  const { seq } = (await person.get(`/v1/conversations/@${person.id}`)).body;
  // One may have been decided while the goodbye was on its way.
  expect(seq - acknowledged).toBeLessThanOrEqual(1);
});
