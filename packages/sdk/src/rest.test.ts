import { expect, test } from 'vitest';
import type { Environment } from './environment.ts';
import { defaults, Rest } from './rest.ts';

const json = (status: number, body: unknown, headers: Record<string, string> = {}) => Response.json(body, { status, headers });
const problem = (code: string, status: number, decided = false) => json(status, { type: '', title: code, status, detail: '', code, request_id: 'r', decided });

/** A Rest whose answers are given one after another; waits pass at once and are written down. */
function restOf(...answers: (Response | Error)[]) {
  const requests: { url: string; init: RequestInit }[] = [];
  const waits: number[] = [];
  const environment = {
    fetch: async (url: string, init: RequestInit) => {
      requests.push({ url, init });
      const answer = answers.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error('no more answers');
      return answer;
    },
    random: () => 1,
    setTimeout: (task: () => void, delayMs: number) => {
      if (delayMs === defaults.requestTimeoutMs) return undefined;
      waits.push(delayMs);
      queueMicrotask(task);
      return undefined;
    },
    clearTimeout: () => {},
  } as unknown as Environment;
  return { rest: new Rest({ ...defaults, url: 'http://x', environment, token: 'secret' }), requests, waits };
}

test('fields go into the path, then the query or the body', async () => {
  const { rest, requests } = restOf(json(200, {}), json(200, {}), json(201, {}));
  await rest.call('list_messages', { conversation: '#team', before: '9', limit: 3 });
  await rest.call('delete_message', { conversation: 'd:a:b', msg_id: '1', client_id: 'c' });
  await rest.call('send_message', { conversation: '@bob', text: 'hi' });
  expect(requests.map(({ url, init }) => [init.method, url, init.body])).toEqual([
    ['GET', 'http://x/v1/conversations/%23team/messages?before=9&limit=3', undefined],
    ['DELETE', 'http://x/v1/conversations/d%3Aa%3Ab/messages/1?client_id=c', undefined],
    ['POST', 'http://x/v1/conversations/%40bob/messages', '{"text":"hi"}'],
  ]);
  expect(requests[0]!.init).toMatchObject({ headers: { authorization: 'Bearer secret' }, credentials: 'omit' });
});

test('a refusal is thrown with its problem', async () => {
  const { rest } = restOf(problem('not_the_author', 403, true));
  const call = rest.call('edit_message', { conversation: '@bob', msg_id: '1', text: 'x', client_id: 'c' });
  await expect(call).rejects.toMatchObject({ name: 'ParlanceError', code: 'not_the_author', status: 403, decided: true, isUncertain: false });
});

test('a read is retried after a lost connection and a 503, a bounded number of times', async () => {
  const fine = restOf(new TypeError('fetch failed'), problem('unavailable', 503), json(200, { user_id: 'ada' }));
  await expect(fine.rest.call('get_me', {})).resolves.toEqual({ user_id: 'ada' });
  expect(fine.waits).toEqual([250, 500]);
  const broken = restOf();
  await expect(broken.rest.call('get_me', {})).rejects.toMatchObject({ code: 'no_answer', isUncertain: false });
  expect(broken.requests).toHaveLength(defaults.attemptsMax);
});

test('a write is repeated only when it carries a client_id, and says when its outcome is open', async () => {
  const keyed = restOf(problem('unavailable', 503), json(201, { seq: 1 }));
  await expect(keyed.rest.call('send_message', { conversation: '@bob', text: 'x', client_id: 'c' })).resolves.toEqual({ seq: 1 });
  expect(keyed.requests[0]!.init.body).toBe(keyed.requests[1]!.init.body);
  const bare = restOf(problem('unavailable', 503), json(201, {}));
  await expect(bare.rest.call('send_message', { conversation: '@bob', text: 'x' })).rejects.toMatchObject({ code: 'unavailable', isUncertain: true });
});

test('a 429 is waited out as long as it says, within bounds', async () => {
  const patient = restOf(json(429, { code: 'rate_limited', status: 429 }, { 'retry-after': '7' }), json(200, {}));
  await patient.rest.call('log_in', { user_id: 'ada', password: 'p' });
  expect(patient.waits).toEqual([7000]);
  const tooLong = restOf(json(429, { code: 'rate_limited', status: 429, retry_after: 3600 }));
  await expect(tooLong.rest.call('get_me', {})).rejects.toMatchObject({ code: 'rate_limited', problem: { retry_after: 3600 } });
});

test('an answer that is not Parlance’s own is told as such', async () => {
  const { rest } = restOf(new Response('<h1>Bad Request</h1>', { status: 400 }));
  await expect(rest.call('get_me', {})).rejects.toMatchObject({ code: 'bad_answer', status: 400 });
});

test('a call that has been aborted is not repeated', async () => {
  const { rest, requests } = restOf();
  await expect(rest.call('get_me', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'no_answer' });
  expect(requests).toHaveLength(1);
});

test('a streamed call tells its progress and answers with the last line', async () => {
  const { rest } = restOf(new Response('{"rows":10}\n{"rows":20}\n{"rows":25,"findings":[]}\n'));
  const lines: unknown[] = [];
  await expect(rest.call('verify', {}, { onProgress: (line) => lines.push(line) })).resolves.toEqual({ rows: 25, findings: [] });
  expect(lines).toEqual([{ rows: 10 }, { rows: 20 }]);
});

test('a call without content answers null', async () => {
  const { rest } = restOf(new Response(null, { status: 204 }));
  await expect(rest.call('log_out', {})).resolves.toBeNull();
});
