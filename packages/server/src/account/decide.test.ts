import { sessionDays, sessionsMax } from '@parlance/schema/limits';
import { expect, it } from 'vitest';
import type { AccountCommand } from '../journal/command.ts';
import { isConversationEvent, type Result } from '../journal/record.ts';
import { Facts } from '../store/facts.ts';
import { type AccountRow, keyOf, type Row } from '../store/rows.ts';
import { decide } from './decide.ts';
import { factsOf } from './facts.ts';
import { fold } from './fold.ts';

type Unsent<C> = C extends AccountCommand ? Omit<C, 'nonce' | 'key'> : never;

class World {
  readonly rows = new Map<string, Row>();
  now = 1000;

  do(unsent: Unsent<AccountCommand>): Result {
    const command = { ...unsent, nonce: 'n', key: 'k' } as AccountCommand;
    const named = new Set(factsOf(command).map(keyOf));
    const facts = new Facts((key) => {
      if (!named.has(key)) throw new Error(`${command.kind} asks for ${key}, which factsOf did not name`);
      return this.rows.get(key);
    });
    const result = decide(facts, command, this.now)[0]!;
    if (result.event !== undefined && !isConversationEvent(result.event)) for (const row of fold(result.event)) this.rows.set(keyOf(row), row);
    return result;
  }

  register(userId: string, passwordHash: string | null = 'hash', byAdmin = false): Result {
    return this.do({ kind: 'register', userId, email: `${userId}@example.org`, displayName: userId, passwordHash, byAdmin });
  }

  logIn(userId: string, id: string, credentialVersion = 1): Result {
    return this.do({ kind: 'start_session', userId, sessionId: id, tokenHash: `t-${id}`, userAgent: '', credentialVersion });
  }

  openSessions(userId: string): string[] {
    return (this.rows.get(`account/${userId}`) as AccountRow).sessions.map((session) => session.sessionId);
  }
}

it('the second taker of a name is refused, whether the first was a user or a group', () => {
  const world = new World();
  expect(world.register('ada').refusal).toBeUndefined();
  expect(world.register('ada').refusal).toBe('user_exists');
  world.rows.set('conversation/g:team', { table: 'conversation' } as Row);
  expect(world.register('team').refusal).toBe('user_exists');
});

it('an imported account cannot log in until an administrator gives it a password', () => {
  const world = new World();
  world.register('old', null, true);
  expect(world.logIn('old', 's').refusal).toBe('wrong_credentials');
  expect(world.register('old', 'hash').refusal).toBe('user_exists');
  expect(world.register('old', 'hash', true).refusal).toBeUndefined();
  expect(world.logIn('old', 's', 2).refusal).toBeUndefined();
  expect(world.register('old', 'other', true).refusal).toBe('user_exists');
});

it('a log-in checked against a password that was changed meanwhile is refused', () => {
  const world = new World();
  world.register('ada');
  world.do({ kind: 'change_password', userId: 'ada', passwordHash: 'new', credentialVersion: 1, keepSessionId: '' });
  expect(world.logIn('ada', 's', 1).refusal).toBe('credentials_changed');
  expect(world.do({ kind: 'change_password', userId: 'ada', passwordHash: 'newer', credentialVersion: 1, keepSessionId: '' }).refusal).toBe(
    'credentials_changed',
  );
});

it('a change of password ends the other sessions and keeps the one it came from', () => {
  const world = new World();
  world.register('ada');
  for (const id of ['a', 'b', 'c']) world.logIn('ada', id);
  world.do({ kind: 'change_password', userId: 'ada', passwordHash: 'new', credentialVersion: 1, keepSessionId: 'b' });
  expect(world.openSessions('ada')).toEqual(['b']);
  expect(['a', 'b', 'c'].map((id) => (world.rows.get(`session/t-${id}`) as { ended: boolean }).ended)).toEqual([true, false, true]);
});

it('a session beyond the most ends the oldest, in the same event', () => {
  const world = new World();
  world.register('ada');
  for (let count = 0; count < sessionsMax; count++) world.logIn('ada', `s${count}`);
  const last = world.logIn('ada', 'last');
  expect(world.openSessions('ada')).toHaveLength(sessionsMax);
  expect(world.openSessions('ada')[0]).toBe('s1');
  expect(last.event).toMatchObject({
    sessions: [
      { sessionId: 'last', ended: false },
      { sessionId: 's0', ended: true },
    ],
  });
});

it('sessions too old are ended when the next one starts', () => {
  const world = new World();
  world.register('ada');
  world.logIn('ada', 'old');
  world.now += sessionDays * 86_400_000;
  world.logIn('ada', 'new');
  expect(world.openSessions('ada')).toEqual(['new']);
});

it('a session is ended once', () => {
  const world = new World();
  world.register('ada');
  world.logIn('ada', 's');
  expect(world.do({ kind: 'end_session', userId: 'ada', sessionId: 's' }).refusal).toBeUndefined();
  expect(world.do({ kind: 'end_session', userId: 'ada', sessionId: 's' }).refusal).toBe('session_not_found');
});

it('the administrator link works once, and only the newest one', () => {
  const world = new World();
  world.register('ada');
  expect(world.do({ kind: 'claim_admin', userId: 'ada', linkHash: '' }).refusal).toBe('link_invalid');
  world.do({ kind: 'set_admin_link', linkHash: 'one' });
  world.do({ kind: 'set_admin_link', linkHash: 'two' });
  expect(world.do({ kind: 'claim_admin', userId: 'ada', linkHash: 'one' }).refusal).toBe('link_invalid');
  expect(world.do({ kind: 'claim_admin', userId: 'ada', linkHash: 'two' }).event).toMatchObject({ installation: { admins: ['ada'] } });
  expect(world.do({ kind: 'claim_admin', userId: 'bob', linkHash: 'two' }).refusal).toBe('admin_exists');
  expect(world.do({ kind: 'set_admin_link', linkHash: 'three' }).refusal).toBe('admin_exists');
});
