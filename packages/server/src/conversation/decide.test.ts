import type { Role } from '@parlance/schema/types';
import { describe, expect, it } from 'vitest';
import type { ConversationCommand, WriteCommand } from '../journal/command.ts';
import { keyOfConversation } from '../journal/command.ts';
import type { Result } from '../journal/record.ts';
import { isConversationEvent } from '../journal/record.ts';
import { Facts } from '../store/facts.ts';
import { keyOf, type MemberRow, type Row } from '../store/rows.ts';
import { decide } from './decide.ts';
import { factsOf } from './facts.ts';
import { fold } from './fold.ts';

type Unsent<C> = C extends WriteCommand
  ? Omit<C, 'nonce' | 'key' | 'clientId' | 'decisionKey' | 'fingerprint'> & { clientId?: string; fingerprint?: string }
  : never;

/** A conversation's rows, to which commands are applied one after another. Deciding may see only the facts that `factsOf` names. */
class World {
  readonly rows = new Map<string, Row>();
  now = 1000;
  #count = 0;

  do(write: Unsent<WriteCommand>): Result {
    const clientId = write.clientId ?? `c${this.#count++}`;
    const decisionKey = `${write.conversation}|${write.author}|${clientId}`;
    const { conversation, ...rest } = write;
    return this.run({
      fingerprint: JSON.stringify(rest),
      ...write,
      clientId,
      decisionKey,
      nonce: 'n',
      key: keyOfConversation(conversation),
    } as ConversationCommand)[0]!;
  }

  run(command: ConversationCommand): Result[] {
    const named = new Set(factsOf(command).map(keyOf));
    const facts = new Facts((key) => {
      if (!named.has(key)) throw new Error(`${command.kind} asks for ${key}, which factsOf did not name`);
      return this.rows.get(key);
    });
    const results = decide(facts, command, this.now);
    for (const { event, decision, repeated } of results) {
      if (event !== undefined && isConversationEvent(event)) for (const row of fold(event)) this.rows.set(keyOf(row), row);
      if (decision !== undefined && repeated !== true) this.rows.set(keyOf(decision), decision);
    }
    return results;
  }

  group(members: Record<string, Role>, open = false): void {
    const owner = Object.keys(members).find((user) => members[user] === 'owner')!;
    this.do({ kind: 'create', conversation: 'g:team', author: owner, title: 'Team', open });
    for (const [user, role] of Object.entries(members)) {
      if (role !== 'owner') this.do({ kind: 'put_member', conversation: 'g:team', author: owner, user, role });
    }
  }

  member(user: string): MemberRow | undefined {
    return this.rows.get(`member/g:team/${user}`) as MemberRow | undefined;
  }
}

const codeOf = (result: Result): string | null | undefined => result.refusal ?? result.decision?.code;
const seqOf = (result: Result): number | undefined => result.decision?.seq;

describe('messages', () => {
  it('are numbered densely from 1, and begin a direct conversation for both', () => {
    const world = new World();
    const first = world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'bob', text: 'hi' });
    const second = world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'ada', text: 'hello' });
    expect([seqOf(first), seqOf(second)]).toEqual([1, 2]);
    expect(world.rows.get('member/d:ada:bob/ada')).toMatchObject({ joinedSeq: 1, joinedCount: 0, left: null });
    expect(world.rows.get('head/d:ada:bob')).toMatchObject({ seq: 2, count: 2, messageSeq: 2 });
  });

  it('of a conversation with oneself make one membership', () => {
    const world = new World();
    world.do({ kind: 'send', conversation: 'd:ada:ada', author: 'ada', text: 'note' });
    expect(world.rows.get('conversation/d:ada:ada')).toMatchObject({ memberCount: 1 });
  });

  it('are refused to who is not of the conversation, and the refusal is kept', () => {
    const world = new World();
    expect(codeOf(world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'eve', text: 'hi' }))).toBe('not_a_member');
    world.group({ ada: 'owner' });
    const refused = world.do({ kind: 'send', conversation: 'g:team', author: 'eve', text: 'hi', clientId: 'k' });
    expect(codeOf(refused)).toBe('not_a_member');
    world.do({ kind: 'put_member', conversation: 'g:team', author: 'ada', user: 'eve', role: 'member' });
    const again = world.do({ kind: 'send', conversation: 'g:team', author: 'eve', text: 'hi', clientId: 'k' });
    expect(again).toEqual({ decision: refused.decision, repeated: true });
  });

  it('have a time that does not go back though the clock does', () => {
    const world = new World();
    world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'ada', text: '1' });
    world.now = 500;
    expect(world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'ada', text: '2' }).decision?.time).toBe(1000);
  });
});

describe('a client_id', () => {
  it('gets the first decision for ever, and another body under it is refused without a trace', () => {
    const world = new World();
    const first = world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'ada', text: 'hi', clientId: 'k' });
    world.now = 9999;
    expect(world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'ada', text: 'hi', clientId: 'k' })).toEqual({
      decision: first.decision,
      repeated: true,
    });
    const before = new Map(world.rows);
    expect(world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'ada', text: 'ho', clientId: 'k' })).toEqual({ refusal: 'client_id_reused' });
    expect(world.rows).toEqual(before);
  });

  it('of one author says nothing about another’s', () => {
    const world = new World();
    world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'ada', text: 'hi', clientId: 'k' });
    expect(seqOf(world.do({ kind: 'send', conversation: 'd:ada:bob', author: 'bob', text: 'hi', clientId: 'k' }))).toBe(2);
  });
});

describe('editing and deleting', () => {
  const begin = (): World => {
    const world = new World();
    world.group({ ada: 'owner', max: 'admin', bob: 'member', eve: 'member' });
    world.do({ kind: 'send', conversation: 'g:team', author: 'bob', text: 'one' }); // seq 5
    return world;
  };
  const edit = (world: World, author: string, version: number | null = null) =>
    world.do({ kind: 'edit', conversation: 'g:team', author, messageSeq: 5, text: 'two', version });
  const remove = (world: World, author: string, version: number | null = null) =>
    world.do({ kind: 'delete', conversation: 'g:team', author, messageSeq: 5, version });

  it('an edit raises the version, has a seq of its own, and keeps time and place of the message', () => {
    const world = begin();
    world.now = 2000;
    expect(edit(world, 'bob').decision).toMatchObject({ seq: 6, messageSeq: 5, version: 2, code: null });
    expect(world.rows.get('message/g:team/5')).toMatchObject({ text: 'two', version: 2, time: 1000, editedTime: 2000 });
    expect(world.rows.get('head/g:team')).toMatchObject({ seq: 6, count: 1, messageSeq: 5 });
  });

  it.each([
    ['edit', 'ada', 'not_the_author'],
    ['edit', 'eve', 'not_the_author'],
    ['edit', 'zoe', 'not_a_member'],
    ['delete', 'eve', 'not_the_author'],
    ['delete', 'zoe', 'not_a_member'],
    ['delete', 'ada', null],
    ['delete', 'max', null],
    ['delete', 'bob', null],
  ] as const)('%s by %s of a message of bob gives %s', (kind, author, code) => {
    const world = begin();
    expect(codeOf(kind === 'edit' ? edit(world, author) : remove(world, author))).toBe(code);
  });

  it('a lost race is told with the current version', () => {
    const world = begin();
    edit(world, 'bob');
    expect(edit(world, 'bob', 1).decision).toMatchObject({ code: 'version_mismatch', version: 2, seq: 0 });
    expect(remove(world, 'bob', 1).decision).toMatchObject({ code: 'version_mismatch', version: 2 });
    expect(codeOf(edit(world, 'bob', 2))).toBe(null);
  });

  it('a deleted message has no text and takes nothing more; its version stays', () => {
    const world = begin();
    expect(remove(world, 'bob').decision).toMatchObject({ seq: 6, messageSeq: 5, version: 1 });
    expect(world.rows.get('message/g:team/5')).toMatchObject({ text: '', deleted: true });
    expect(codeOf(edit(world, 'bob'))).toBe('message_deleted');
    expect(codeOf(remove(world, 'bob'))).toBe('message_deleted');
  });

  it('an event that is no message cannot be edited or deleted', () => {
    const world = begin();
    expect(codeOf(world.do({ kind: 'edit', conversation: 'g:team', author: 'ada', messageSeq: 1, text: 'x', version: null }))).toBe('message_not_found');
    expect(codeOf(world.do({ kind: 'delete', conversation: 'g:team', author: 'ada', messageSeq: 99, version: null }))).toBe('message_not_found');
  });
});

describe('groups', () => {
  it('cannot take the name of a group or of a user', () => {
    const world = new World();
    world.group({ ada: 'owner' });
    expect(codeOf(world.do({ kind: 'create', conversation: 'g:team', author: 'bob', title: 'Mine', open: true }))).toBe('name_taken');
    world.rows.set('account/zoe', { table: 'account' } as Row);
    expect(codeOf(world.do({ kind: 'create', conversation: 'g:zoe', author: 'bob', title: 'Mine', open: true }))).toBe('name_taken');
  });

  // actor, target, wanted role → code, and the target's role afterwards. The group has owner ada, admins max and mia, members bob and eve.
  it.each<[string, string, Role | null, string | null, Role | undefined]>([
    ['zoe', 'zoe', null, 'not_a_member', undefined],
    ['zoe', 'tom', null, 'not_a_member', undefined],
    ['bob', 'tom', null, 'role_required', undefined],
    ['bob', 'eve', 'admin', 'role_required', 'member'],
    ['bob', 'bob', 'admin', 'role_required', 'member'],
    ['bob', 'bob', 'owner', 'role_required', 'member'],
    ['bob', 'bob', null, null, 'member'],
    ['max', 'tom', null, null, 'member'],
    ['max', 'tom', 'member', null, 'member'],
    ['max', 'tom', 'admin', 'role_required', undefined],
    ['max', 'bob', 'admin', 'role_required', 'member'],
    ['max', 'mia', 'member', 'role_required', 'admin'],
    ['max', 'max', 'member', null, 'member'],
    ['max', 'ada', 'member', 'role_required', 'owner'],
    ['ada', 'tom', 'admin', null, 'admin'],
    ['ada', 'tom', 'owner', 'member_not_found', undefined],
    ['ada', 'bob', 'admin', null, 'admin'],
    ['ada', 'max', 'member', null, 'member'],
    ['ada', 'bob', 'owner', null, 'owner'],
    ['ada', 'ada', 'member', 'last_owner', 'owner'],
  ])('%s puts %s as %s: %s', (author, user, role, code, after) => {
    const world = new World();
    world.group({ ada: 'owner', max: 'admin', mia: 'admin', bob: 'member', eve: 'member' });
    expect(codeOf(world.do({ kind: 'put_member', conversation: 'g:team', author, user, role }))).toBe(code);
    expect(world.member(user)?.role).toBe(after);
  });

  it('have one owner: handing over makes the one before an admin', () => {
    const world = new World();
    world.group({ ada: 'owner', bob: 'member' });
    world.do({ kind: 'put_member', conversation: 'g:team', author: 'ada', user: 'bob', role: 'owner' });
    expect([world.member('ada')?.role, world.member('bob')?.role]).toEqual(['admin', 'owner']);
    expect(codeOf(world.do({ kind: 'remove_member', conversation: 'g:team', author: 'bob', user: 'bob' }))).toBe('last_owner');
    expect(codeOf(world.do({ kind: 'remove_member', conversation: 'g:team', author: 'ada', user: 'ada' }))).toBe(null);
  });

  it('when open are joined by anyone, as a plain member only', () => {
    const world = new World();
    world.group({ ada: 'owner' }, true);
    expect(codeOf(world.do({ kind: 'put_member', conversation: 'g:team', author: 'bob', user: 'bob', role: 'admin' }))).toBe('role_required');
    expect(world.do({ kind: 'put_member', conversation: 'g:team', author: 'bob', user: 'bob', role: null }).event).toMatchObject({
      kind: 'joined',
      user: 'bob',
      seq: 2,
    });
    expect(world.rows.get('conversation/g:team')).toMatchObject({ memberCount: 2 });
  });

  it.each<[string, string, string | null, boolean]>([
    ['bob', 'eve', 'role_required', true],
    ['zoe', 'eve', 'not_a_member', true],
    ['max', 'eve', null, false],
    ['max', 'mia', 'role_required', true],
    ['max', 'ada', 'role_required', true],
    ['ada', 'max', null, false],
    ['bob', 'bob', null, false],
    ['bob', 'tom', 'role_required', false],
  ])('%s removes %s: %s', (author, user, code, isStillIn) => {
    const world = new World();
    world.group({ ada: 'owner', max: 'admin', mia: 'admin', bob: 'member', eve: 'member' });
    expect(codeOf(world.do({ kind: 'remove_member', conversation: 'g:team', author, user }))).toBe(code);
    expect(world.member(user)?.left === null).toBe(isStillIn);
  });

  it('remember how far a former member may read, and give everything back to one added again', () => {
    const world = new World();
    world.group({ ada: 'owner', bob: 'member' });
    world.do({ kind: 'send', conversation: 'g:team', author: 'ada', text: 'one' }); // 3
    world.do({ kind: 'remove_member', conversation: 'g:team', author: 'ada', user: 'bob' }); // 4
    expect(world.member('bob')?.left).toEqual({ seq: 4, count: 1, messageSeq: 3, time: 1000, title: 'Team' });
    expect(codeOf(world.do({ kind: 'send', conversation: 'g:team', author: 'bob', text: 'late' }))).toBe('not_a_member');
    world.do({ kind: 'put_member', conversation: 'g:team', author: 'ada', user: 'bob', role: null });
    expect(world.member('bob')).toMatchObject({ left: null, joinedSeq: 5, joinedCount: 1 });
  });

  it('change nothing and take no seq where nothing is to change', () => {
    const world = new World();
    world.group({ ada: 'owner', bob: 'member' });
    const same = [
      world.do({ kind: 'put_member', conversation: 'g:team', author: 'ada', user: 'bob', role: 'member' }),
      world.do({ kind: 'remove_member', conversation: 'g:team', author: 'ada', user: 'tom' }),
      world.do({ kind: 'update', conversation: 'g:team', author: 'ada', title: 'Team', open: false }),
    ];
    for (const result of same) expect(result).toMatchObject({ decision: { seq: 0, code: null } });
    expect(world.rows.get('head/g:team')).toMatchObject({ seq: 2 });
  });

  it('are renamed and opened by admins only', () => {
    const world = new World();
    world.group({ ada: 'owner', max: 'admin', bob: 'member' });
    const update = (author: string) => world.do({ kind: 'update', conversation: 'g:team', author, title: 'New', open: null });
    expect(codeOf(update('bob'))).toBe('role_required');
    expect(codeOf(update('zoe'))).toBe('not_a_member');
    expect(update('max').event).toMatchObject({ kind: 'updated', title: 'New', open: false });
  });
});

describe('an import', () => {
  const item = (clientId: string, text: string, time: number) => ({
    author: 'old',
    clientId,
    decisionKey: `g:team|old|${clientId}`,
    fingerprint: text,
    kind: 'message' as const,
    text,
    time,
  });
  const command = (...items: ReturnType<typeof item>[]): ConversationCommand => ({
    kind: 'import',
    nonce: 'n',
    key: 'team',
    conversation: 'g:team',
    by: 'ada',
    items,
  });

  it('keeps the given times and the order, and repeated it changes nothing', () => {
    const world = new World();
    world.group({ ada: 'owner' });
    const items = [item('a', 'one', 10), item('b', 'two', 20), item('a', 'one', 10), item('b', 'other', 20)];
    expect(world.run(command(...items)).map((result) => result.refusal ?? result.decision?.seq)).toEqual([2, 3, 2, 'client_id_reused']);
    expect(world.rows.get('message/g:team/2')).toMatchObject({ author: 'old', time: 10, count: 1 });
    expect(world.rows.get('head/g:team')).toMatchObject({ seq: 3, count: 2, time: 1000 });
    const before = new Map(world.rows);
    world.run(command(item('a', 'one', 10), item('b', 'two', 20)));
    expect(world.rows).toEqual(before);
  });
});
