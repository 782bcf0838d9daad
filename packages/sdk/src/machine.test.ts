import { goingAway, sessionEnded, tooManySockets } from '@parlance/schema/close-codes';
import { describe, expect, test } from 'vitest';
import { randomOf, seedOf } from '../test-support/random.ts';
import { defaults, type Effect, type Event, type EventName, initial, type State, stateNames, step, table } from './machine.ts';

const eventNames: EventName[] = ['start', 'opened', 'welcome', 'caught_up', 'heard', 'closed', 'tick', 'wake', 'sign_out', 'stop'];

/** Runs events one after another; those of a socket are of the newest unless they say otherwise. */
function run(events: (Partial<Event> & { type: EventName })[], from: State = initial): { state: State; effects: Effect[] } {
  const effects: Effect[] = [];
  let state = from;
  for (const event of events) {
    const next = step(state, { now: 0, random: 0, socket: state.socket, code: 1006, ...event } as Event);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}

const toLive = [{ type: 'start' }, { type: 'opened' }, { type: 'welcome' }, { type: 'caught_up' }] as const;

test('the table has a cell for every state and event', () => {
  expect(Object.keys(table)).toEqual([...stateNames]);
  for (const name of stateNames) expect(Object.keys(table[name]).sort()).toEqual([...eventNames].sort());
});

test('a connection opens, says hello and is live once caught up', () => {
  const { state, effects } = run([...toLive]);
  expect(state.name).toBe('live');
  expect(effects).toEqual([{ type: 'open', socket: 1 }, { type: 'hello', socket: 1 }, { type: 'up' }]);
});

describe('a close code', () => {
  test.each([
    [1006, 'waiting'],
    [goingAway, 'waiting'],
    [sessionEnded, 'signed_out'],
    [tooManySockets, 'stopped'],
    [1008, 'stopped'],
  ] as const)('%i leads to %s', (code, name) => {
    expect(run([...toLive, { type: 'closed', code }]).state.name).toBe(name);
  });
});

test('the back-off doubles up to its maximum, with half of it left to chance', () => {
  let state = initial;
  const delays: number[] = [];
  for (let attempt = 0; attempt < 9; attempt++) {
    state = run([{ type: 'start' }, { type: 'closed', random: attempt % 2 }], state).state;
    delays.push(state.deadline!);
  }
  expect(delays).toEqual([250, 1000, 1000, 4000, 4000, 16_000, 15_000, 30_000, 15_000]);
});

test('a connection that was live for long starts the back-off anew, one that was not goes on', () => {
  const failed = run([{ type: 'start' }, { type: 'closed' }, { type: 'wake' }, { type: 'closed' }]).state;
  const events = [{ type: 'wake' }, { type: 'opened' }, { type: 'welcome' }, { type: 'caught_up' }] as const;
  expect(run([...events, { type: 'closed', now: 100 }], failed).state.failures).toBe(3);
  expect(run([...events, { type: 'closed', now: defaults.stableAfterMs }], failed).state.failures).toBe(1);
});

test('silence is met with a ping, and silence after it with another socket', () => {
  const pinged = run([...toLive, { type: 'tick', now: defaults.pingAfterMs }]);
  expect(pinged.effects.at(-1)).toEqual({ type: 'ping', socket: 1 });
  const lost = run([{ type: 'tick', now: pinged.state.deadline! }], pinged.state);
  expect(lost.state.name).toBe('waiting');
  expect(lost.effects).toEqual([{ type: 'close', socket: 1 }, { type: 'down' }]);
});

test('an answer to the ping keeps the socket', () => {
  const { state, effects } = run([
    ...toLive,
    { type: 'tick', now: defaults.pingAfterMs },
    { type: 'heard', now: defaults.pingAfterMs + 5 },
    { type: 'tick', now: defaults.pingAfterMs + defaults.pongTimeoutMs },
  ]);
  expect(state).toMatchObject({ name: 'live', deadline: 2 * defaults.pingAfterMs + 5 });
  expect(effects.filter(({ type }) => type === 'ping')).toHaveLength(1);
});

test('a tick before the deadline does nothing', () => {
  const waiting = run([{ type: 'start' }, { type: 'closed', random: 0.5 }]).state;
  expect(run([{ type: 'tick', now: waiting.deadline! - 1 }], waiting)).toEqual({ state: waiting, effects: [] });
  expect(run([{ type: 'tick', now: waiting.deadline! }], waiting).state.name).toBe('connecting');
});

test('the numbered invariants hold on every random walk', () => {
  const seed = seedOf('SDK_SEED');
  const random = randomOf(seed);
  for (let walk = 0; walk < 300; walk++) {
    let state = initial;
    let now = 0;
    let isUp = false;
    const openSockets = new Set<number>();
    for (let at = 0; at < 80; at++) {
      now += Math.floor(random() * 12_000);
      const type = eventNames[Math.floor(random() * random() * eventNames.length)] ?? 'tick';
      const socket = Math.max(0, state.socket - (random() < 0.15 ? 1 : 0));
      const event = { type, now, random: random(), socket, code: [1006, goingAway, sessionEnded, tooManySockets][Math.floor(random() * 4)] } as Event;
      const before = state;
      const { state: after, effects } = step(before, event);
      const context = `seed ${seed}, walk ${walk}, step ${at}: ${before.name} × ${type}`;
      const isOfSocket = 'socket' in event && ['opened', 'welcome', 'caught_up', 'heard', 'closed'].includes(type);

      // M1: what an older socket reports changes nothing.
      if (isOfSocket && socket !== before.socket) expect(after, `M1 ${context}`).toBe(before);
      for (const effect of effects) {
        // M2: a socket is opened once, its number one more than the last.
        if (effect.type === 'open') expect(effect.socket, `M2 ${context}`).toBe(before.socket + 1);
        // M3: every other effect on a socket is on the newest.
        if (effect.type === 'hello' || effect.type === 'ping' || effect.type === 'close') expect(effect.socket, `M3 ${context}`).toBe(before.socket);
        if (effect.type === 'open') openSockets.add(effect.socket);
        if (effect.type === 'close') openSockets.delete(effect.socket);
        if (effect.type === 'up') {
          // M4: up and down alternate as far as up goes: never up twice without a down between.
          expect(isUp, `M4 ${context}`).toBe(false);
          isUp = true;
        }
        if (effect.type === 'down') isUp = false;
      }
      if (type === 'closed' && socket === before.socket) openSockets.delete(socket);
      // M5: live if and only if up.
      expect(after.name === 'live', `M5 ${context}`).toBe(isUp);
      // M6: at most one socket is open, and none where nothing is wanted of one.
      const wantsSocket = ['connecting', 'greeting', 'catching_up', 'live'].includes(after.name);
      expect([...openSockets], `M6 ${context}`).toEqual(wantsSocket ? [after.socket] : []);
      // M7: whoever waits for something has a deadline; who waits for nothing has none.
      expect(after.deadline !== null, `M7 ${context}`).toBe(wantsSocket || after.name === 'waiting');
      // M8: a new deadline is in the future and within the longest wait.
      if (after.deadline !== null && after.deadline !== before.deadline) {
        expect(after.deadline - now, `M8 ${context}`).toBeGreaterThan(0);
        expect(after.deadline - now, `M8 ${context}`).toBeLessThanOrEqual(30_000);
      }
      // M9: signed out and stopped are left by start (or stop) alone.
      if (before.name === 'signed_out' || before.name === 'stopped') {
        if (type !== 'start' && type !== 'stop') expect(after.name, `M9 ${context}`).toBe(before.name);
      }
      state = after;
    }
  }
});
