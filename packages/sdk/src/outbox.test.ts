import type { CallFrame } from '@parlance/schema/live';
import { describe, expect, test } from 'vitest';
import { problemOf } from '../test-support/fake-server.ts';
import { deadlineOf, defaults, type Effect, type Event, initial, type State, sizeOf, snapshot, step } from './outbox.ts';

const frame = (client_id: string, conversation = 'd:a:b'): CallFrame => ({ type: 'send_message', conversation, text: client_id, client_id });
const add = (clientId: string, queue = 'd:a:b'): Event => ({ type: 'add', clientId, queue, frame: frame(clientId, queue), now: 0 });
const online: Event = { type: 'online', now: 0 };
const refused = (clientId: string, code: string, status: number, decided = false, now = 0): Event => ({
  type: 'refused',
  clientId,
  problem: problemOf(code, status, decided),
  now,
  random: 1,
});

function run(events: Event[], from: State = initial): { state: State; told: string[] } {
  const told: string[] = [];
  let state = from;
  const tell = (effect: Effect): string => {
    if (effect.type === 'send') return `send ${effect.frame.client_id}`;
    const { outcome, write } = effect;
    return `${outcome.type} ${write.clientId}${outcome.type === 'failed' ? ` ${outcome.problem.code}${outcome.isUncertain ? '?' : ''}` : ''}`;
  };
  for (const event of events) {
    const next = step(state, event);
    state = next.state;
    told.push(...next.effects.map(tell));
  }
  return { state, told };
}

test('one write of a conversation is on its way at a time; conversations do not wait for each other', () => {
  const { told } = run([online, add('1'), add('2'), add('3', 'g:x'), { type: 'accepted', clientId: '1', answer: {}, now: 0 }]);
  expect(told).toEqual(['send 1', 'send 3', 'accepted 1', 'send 2']);
});

test('nothing is sent while offline, and the first of each conversation once online', () => {
  expect(run([add('1'), add('2'), add('3', 'g:x')]).told).toEqual([]);
  expect(run([add('1'), add('2'), add('3', 'g:x'), online]).told).toEqual(['send 1', 'send 3']);
});

test('a lost connection sends the same write again, before any later one', () => {
  const { told, state } = run([online, add('1'), add('2'), { type: 'offline' }, online]);
  expect(told).toEqual(['send 1', 'send 1']);
  expect(state.queues['d:a:b']![0]).toMatchObject({ attempts: 2, isUncertain: true });
});

describe('a refusal', () => {
  test.each([
    ['not_a_member', 403, true, 'failed 1 not_a_member'],
    ['invalid_request', 400, false, 'failed 1 invalid_request'],
    ['conversation_not_found', 404, false, 'failed 1 conversation_not_found'],
    ['client_id_reused', 409, false, 'failed 1 client_id_reused'],
    ['decided_whatever_its_status', 503, true, 'failed 1 decided_whatever_its_status'],
  ] as const)('%s is reported and the next write goes on', (code, status, decided, report) => {
    expect(run([online, add('1'), add('2'), refused('1', code, status, decided)]).told).toEqual(['send 1', report, 'send 2']);
  });

  test.each([
    ['unavailable', 503],
    ['draining', 503],
    ['internal', 500],
    ['rate_limited', 429],
    ['earlier_write_failed', 424],
  ] as const)('%s is retried with the same frame, and nothing overtakes it', (code, status) => {
    const { told, state } = run([online, add('1'), add('2'), refused('1', code, status)]);
    expect(told).toEqual(['send 1']);
    expect(deadlineOf(state)).toBe(defaults.retryBaseMs);
    expect(run([{ type: 'tick', now: defaults.retryBaseMs - 1, random: 0 }], state).told).toEqual([]);
    expect(run([{ type: 'tick', now: defaults.retryBaseMs, random: 0 }], state).told).toEqual(['send 1']);
  });

  test('that no retry can mend says so when an earlier attempt may have been decided', () => {
    expect(run([online, add('1'), { type: 'offline' }, online, refused('1', 'user_not_found', 404)]).told.at(-1)).toBe('failed 1 user_not_found?');
    expect(run([online, add('1'), { type: 'offline' }, online, refused('1', 'not_a_member', 403, true)]).told.at(-1)).toBe('failed 1 not_a_member');
  });
});

test('no answer in time counts as undecided, and the attempts have an end that is reported', () => {
  let { state } = run([online, add('1'), add('2')]);
  const told: string[] = [];
  for (let round = 0; round < 2 * defaults.attemptsMax && state.queues['d:a:b']![0]!.clientId === '1'; round++) {
    const next = run([{ type: 'tick', now: deadlineOf(state)!, random: 0.5 }], state);
    state = next.state;
    told.push(...next.told);
  }
  expect(told.filter((one) => one === 'send 1')).toHaveLength(defaults.attemptsMax - 1);
  expect(told.slice(-2)).toEqual(['failed 1 no_answer?', 'send 2']);
});

test('an answer to an earlier attempt decides a write that waits for its next', () => {
  const events: Event[] = [online, add('1'), refused('1', 'unavailable', 503), { type: 'accepted', clientId: '1', answer: {}, now: 1 }];
  expect(run(events).told).toEqual(['send 1', 'accepted 1']);
});

test('a second answer, or one to a write never sent, changes nothing', () => {
  const accepted: Event = { type: 'accepted', clientId: '1', answer: {}, now: 0 };
  expect(run([online, add('1'), accepted, accepted, refused('1', 'internal', 500)]).told).toEqual(['send 1', 'accepted 1']);
  expect(run([add('1'), accepted]).told).toEqual([]);
});

test('giving up reports every write once', () => {
  const { told, state } = run([online, add('1'), add('2'), add('3', 'g:x'), { type: 'abandon', problem: problemOf('closed', 0, false) }]);
  expect(told.slice(2)).toEqual(['failed 1 closed?', 'failed 2 closed', 'failed 3 closed?']);
  expect(sizeOf(state)).toBe(0);
});

test('the same client_id cannot wait twice', () => {
  expect(() => run([add('1'), add('1', 'g:x')])).toThrow('already waiting');
});

test('a snapshot is plain JSON, and goes on where it was', () => {
  const { state } = run([online, add('1'), add('2')]);
  const kept = JSON.parse(JSON.stringify(snapshot(state)));
  expect(kept).toEqual(snapshot(state));
  expect(run([online], kept).told).toEqual(['send 1']);
});
