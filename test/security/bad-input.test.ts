import { type Call, type CallName, callNames, calls } from '@parlance/schema/calls';
import { clientFrames } from '@parlance/schema/live';
import { pathFieldsOf } from '@parlance/schema/openapi';
import type * as Type from 'typebox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answered, LiveClient, Person } from '../conformance/protocol-client.ts';
import { raisedLimits, removeFolders, type ServerProcess, startServerProcess } from '../support/server-process.ts';

// Bad input to every call and frame, field by field, made from the schema: an answer in the 400s or the right close code, never a fault, nothing
// written. What each single thing is answered with is the protocol's conformance suite's.

let server: ServerProcess;
let ada: Person;
let eventsBefore: number;

beforeAll(async () => {
  server = await startServerProcess({ flags: raisedLimits });
  ada = await Person.make(server.url, 'ada');
  await ada.send(`@${ada.id}`, 'the only message');
  eventsBefore = await eventCount();
});
afterAll(removeFolders);

const eventCount = async (): Promise<number> => (await ada.changes(`@${ada.id}`)).length;

/** JSON texts that no field takes, but for those that some field does. */
const values: readonly [what: string, json: string][] = [
  ['null', 'null'],
  ['a number', '5'],
  ['a negative number', '-1'],
  ['a fraction', '1.5'],
  ['a number beyond all', '1e999'],
  ['a number that is not exact', '9007199254740993'],
  ['true', 'true'],
  ['an array', '["x"]'],
  ['an object', '{"x":1}'],
  ['an object with __proto__', '{"__proto__":{"length":1}}'],
  ['nothing', '""'],
  ['a lone surrogate', '"\\ud800"'],
  ['NUL', '"a\\u0000b"'],
  ['a line break', '"a\\r\\nSet-Cookie: x=y"'],
  ['a text direction mark', '"\\u202e"'],
  ['a path', '"../../etc/passwd"'],
  ['SQL', '"\' OR 1=1; --"'],
  ['a long text', JSON.stringify('x'.repeat(20_000))],
  ['deep nesting', `${'['.repeat(2000)}${']'.repeat(2000)}`],
];

const pathOf = (call: Call, override: Record<string, string> = {}): string => {
  const usual: Record<string, string> = {
    conversation: `@${ada.id}`,
    name: 'no-such-group',
    user: ada.id,
    msg_id: '1',
    session_id: 'none',
    link: 'no-link-of-any-kind',
  };
  return call.path.replace(/\{(\w+)\}/g, (_, field: string) => override[field] ?? encodeURIComponent(usual[field]!));
};

function expectRefused(what: string, answered: Answered): void {
  expect(answered.status, `${what}: ${JSON.stringify(answered.body)}`).toBeGreaterThanOrEqual(400);
  expect(answered.status, `${what}: ${JSON.stringify(answered.body)}`).toBeLessThan(500);
  expect(answered.headers.get('content-type'), what).toContain('application/problem+json');
}

const withBody = callNames.filter((name) => calls[name].method !== 'GET' && name !== 'log_out' && name !== 'verify');

it.each(withBody)('is refused in any field of the body: %s', async (name) => {
  const call: Call = calls[name];
  const fields = Object.keys(call.input.properties as Type.TProperties).filter((field) => !pathFieldsOf(call.path).includes(field));
  for (const field of fields) {
    for (const [what, json] of values) {
      // Alone in the body: for a call with other required fields it cannot be right, whatever the value is.
      const answered = await ada.call(call.method, pathOf(call), `{${JSON.stringify(field)}:${json}}`);
      if (isRight(name, field, json)) expect(answered.status).toBeLessThan(500);
      else expectRefused(`${field}: ${what}`, answered);
    }
  }
  for (const body of [
    'null',
    '[]',
    '"x"',
    '5',
    '',
    '{',
    '{"unknown_field":1}',
    '{"__proto__":{"admin":true}}',
    '{"constructor":1}',
    `{"a":${'{"a":'.repeat(3000)}1${'}'.repeat(3001)}`,
  ]) {
    if (body === '' && call.method === 'DELETE') continue;
    expectRefused(`body ${body.slice(0, 40)}`, await ada.call(call.method, pathOf(call), body, { 'content-type': 'application/json' }));
  }
  expectRefused('an oversized body', await ada.call(call.method, pathOf(call), `{"x":"${'x'.repeat(call.bodyBytesMax ?? 70_000)}"}`));
});

/** The few values of the list that are as they should be, in calls that need no other field. */
function isRight(name: CallName, field: string, json: string): boolean {
  const value: unknown = JSON.parse(json);
  if (typeof value === 'boolean') return field === 'open';
  if (typeof value === 'number') return (field === 'seq' && value === 5) || (field === 'version' && value === 5);
  if (typeof value !== 'string' || value === '' || !value.isWellFormed()) return false;
  if (field === 'client_id') return /^[!-~]{1,64}$/.test(value);
  return name === 'send_message' || name === 'edit_message' || name === 'update_me' || name === 'update_group'
    ? !value.includes('\0') && value.length < 8192
    : false;
}

it.each(callNames.filter((name) => pathFieldsOf(calls[name].path).length > 0 && name !== 'end_session'))('is refused in the path: %s', async (name) => {
  const call: Call = calls[name];
  for (const field of pathFieldsOf(call.path)) {
    for (const value of [
      '%00',
      '%zz',
      '%ff',
      '..%2f..',
      'x'.repeat(5000),
      '%F0%9F%92%AC',
      '%20',
      "'",
      '@',
      '%23',
      'd:b:a',
      'g:',
      '-1',
      '0',
      '99999999999999999999',
    ]) {
      const answered = await ada.call(call.method, pathOf(call, { [field]: value }), call.method === 'GET' ? undefined : '{}');
      expect(answered.status, `${field} ${value}: ${JSON.stringify(answered.body)}`).toBeGreaterThanOrEqual(400);
      expect(answered.status, `${field} ${value}: ${JSON.stringify(answered.body)}`).toBeLessThan(500);
    }
  }
});

it.each(callNames.filter((name) => calls[name].method === 'GET'))('is refused in the query: %s', async (name) => {
  const call: Call = calls[name];
  for (const query of [
    'unknown=1',
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=1e1',
    'limit=1&limit=2',
    '__proto__=1',
    'constructor=1',
    'limit=%00',
    '%zz=1',
    'limit=%ff',
    'cursor=%00',
    `cursor=${'x'.repeat(5000)}`,
  ]) {
    expectRefused(query, await ada.get(`${pathOf(call)}?${query}`));
  }
});

const calling = Object.keys(clientFrames).filter((type) => !['hello', 'resume', 'ping'].includes(type));

it.each(calling)('is refused in any field of the frame: %s', async (type) => {
  const live = await ada.live();
  let count = 0;
  for (const field of [...Object.keys(clientFrames[type]!.properties as Type.TProperties), 'unknown_field', '__proto__']) {
    if (field === 'type' || field === 'client_id') continue;
    for (const [, json] of values) {
      if (json.length > 15_000) continue;
      const clientId = `bad-${type}-${count++}`;
      // With a wrong conversation, name or id beside it, it cannot take effect even where the value is right.
      live.say(`{"type":"${type}","client_id":"${clientId}",${JSON.stringify(field)}:${json}}`);
      const answer = await live.answerTo(clientId);
      expect(answer.type, `${field}: ${json.slice(0, 50)}`).toBe('refusal');
      expect(answer.problem.status, `${field}: ${json.slice(0, 50)}`).toBeLessThan(500);
    }
  }
  live.close();
});

it.each(Object.keys(clientFrames))('closes the socket on a bad frame that names nothing to answer to: %s', async (type) => {
  for (const frame of [
    `{"type":"${type}","__proto__":{}}`,
    `{"type":"${type}","client_id":5}`,
    `{"type":"${type}","client_id":"a b"}`,
    `{"type":["${type}"]}`,
  ]) {
    const live = type === 'hello' ? await LiveClient.connect(server.url) : await ada.live();
    live.say(frame);
    expect((await live.untilClosed()).code, frame).toBe(4200);
  }
});

it('wrote nothing of all that, broke nothing, and logged no fault', async () => {
  const changes = await ada.changes(`@${ada.id}`);
  const accepted = changes.filter((change) => change.seq > eventsBefore);
  // Texts that look like attacks are texts: they are kept exactly. (And a body of nothing but a client_id is all that a delete needs.)
  const texts = new Set(values.filter(([, json]) => json.startsWith('"')).map(([, json]) => JSON.parse(json) as string));
  for (const { message } of accepted) expect(message.deleted === true || texts.has(message.text), message.text).toBe(true);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect(server.output()).not.toContain('a call failed');
  expect(server.output()).not.toMatch(/"level":(50|60|"error"|"fatal")/);
});
