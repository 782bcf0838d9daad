import { describe, expect, it } from 'vitest';
import { type EventRow, keyOf, type MessageRow, type Row } from './rows.ts';
import { type Findings, verify } from './verify.ts';

const time = 1_750_000_000_000;

const message = (conversation: string, seq: number, count: number, author: string, more: Partial<MessageRow> = {}): Row => ({
  table: 'message',
  conversation,
  seq,
  kind: 'message',
  author,
  text: `text ${seq}`,
  time,
  version: 1,
  editedTime: null,
  deleted: false,
  count,
  ...more,
});
const event = (seq: number, kind: EventRow['kind'], count: number, more: Partial<EventRow> = {}): Row => ({
  table: 'event',
  conversation: 'g:garden',
  seq,
  kind,
  by: 'ada',
  time,
  count,
  ...more,
});
const account = (userId: string, sessions: string[] = []): Row => ({
  table: 'account',
  userId,
  displayName: userId,
  email: '',
  passwordHash: null,
  credentialVersion: 1,
  createdTime: time,
  sessions: sessions.map((id) => ({ sessionId: id, tokenHash: `hash-${id}`, createdTime: time, userAgent: '' })),
});
const session = (id: string, ended: boolean): Row => ({ table: 'session', tokenHash: `hash-${id}`, sessionId: id, userId: 'ada', createdTime: time, ended });
const decision = (key: string, seq: number, messageSeq: number, version: number, code: string | null = null): Row => ({
  table: 'decision',
  key,
  fingerprint: '',
  seq,
  messageSeq,
  version,
  time,
  code,
});

/** A group with every kind of event, and a direct conversation. */
const sound: readonly Row[] = [
  { table: 'installation', adminLinkHash: '', admins: ['ada'] },
  account('ada', ['open']),
  account('bob'),
  session('open', false),
  session('ended', true),

  { table: 'conversation', conversation: 'g:garden', kind: 'group', title: 'Garden', open: true, memberCount: 1, createdTime: time },
  { table: 'head', conversation: 'g:garden', seq: 10, count: 3, messageSeq: 10, time },
  { table: 'member', conversation: 'g:garden', userId: 'ada', role: 'owner', joinedSeq: 1, joinedCount: 0, left: null },
  {
    table: 'member',
    conversation: 'g:garden',
    userId: 'bob',
    role: 'member',
    joinedSeq: 3,
    joinedCount: 1,
    left: { seq: 9, count: 2, messageSeq: 4, time, title: 'Garden' },
  },
  { table: 'own', conversation: 'g:garden', userId: 'ada', seq: 10, count: 3 },
  { table: 'own', conversation: 'g:garden', userId: 'bob', seq: 4, count: 2 },
  event(1, 'created', 0, { title: 'Garden', open: true }),
  message('g:garden', 2, 1, 'ada', { version: 3, editedTime: time }),
  event(3, 'joined', 1, { user: 'bob', role: 'member' }),
  message('g:garden', 4, 2, 'bob', { version: 2, editedTime: time, deleted: true, text: '' }),
  event(5, 'edit', 2, { messageSeq: 2, version: 2 }),
  event(6, 'edit', 2, { messageSeq: 4, version: 2 }),
  event(7, 'edit', 2, { messageSeq: 2, version: 3 }),
  event(8, 'delete', 2, { messageSeq: 4, version: 2 }),
  event(9, 'left', 2, { user: 'bob' }),
  message('g:garden', 10, 3, 'ada'),
  decision('k1', 1, 0, 0),
  decision('k2', 2, 2, 1),
  decision('k3', 3, 0, 0),
  decision('k4', 4, 4, 1),
  decision('k5', 5, 2, 2),
  decision('k6', 6, 4, 2),
  decision('k7', 7, 2, 3),
  decision('k8', 8, 4, 2),
  decision('k9', 9, 0, 0),
  decision('k10', 10, 10, 1),
  decision('refused', 0, 0, 0, 'not_a_member'),

  { table: 'conversation', conversation: 'd:ada:bob', kind: 'direct', title: '', open: false, memberCount: 2, createdTime: time },
  { table: 'head', conversation: 'd:ada:bob', seq: 1, count: 1, messageSeq: 1, time },
  { table: 'member', conversation: 'd:ada:bob', userId: 'ada', role: 'member', joinedSeq: 1, joinedCount: 0, left: null },
  { table: 'member', conversation: 'd:ada:bob', userId: 'bob', role: 'member', joinedSeq: 1, joinedCount: 0, left: null },
  { table: 'own', conversation: 'd:ada:bob', userId: 'bob', seq: 1, count: 1 },
  message('d:ada:bob', 1, 1, 'bob'),
  decision('kd', 1, 1, 1),
];

async function* stream(rows: readonly Row[]): AsyncIterable<Row> {
  yield* rows;
}

const check = (rows: readonly Row[]): Promise<Findings> => verify(stream(rows), () => undefined);
const without = (key: string): Row[] => sound.filter((row) => keyOf(row) !== key);
const changed = (key: string, change: object): Row[] => {
  expect(sound.some((row) => keyOf(row) === key)).toBe(true);
  return sound.map((row) => (keyOf(row) === key ? ({ ...row, ...change } as Row) : row));
};

describe('verify', () => {
  it('finds nothing wrong with a sound store, in whatever order its rows come', async () => {
    const answer = { rows: sound.length, conversations: 2, messages: 4, findings: [] };
    expect(await check(sound)).toEqual(answer);
    expect(await check([...sound].reverse())).toEqual(answer);
    expect(await check([...sound].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)))).toEqual(answer);
    expect(await check([])).toEqual({ rows: 0, conversations: 0, messages: 0, findings: [] });
  });

  // Each corruption, the rule that must name it, and the row.
  it.each<[string, string, string, Row[]]>([
    ['a message that is missing', 'dense', 'head/g:garden', without('message/g:garden/4')],
    ['the last message missing', 'dense', 'head/d:ada:bob', without('message/d:ada:bob/1')],
    ['two events at one place', 'once', 'event/g:garden/2', [...sound, event(2, 'updated', 1)]],
    ['an event at no place', 'dense', 'event/g:garden/0', [...sound, event(0, 'updated', 0)]],
    ['an event far beyond the head', 'head', 'head/g:garden', [...sound, event(2 ** 50, 'updated', 3)]],
    ['a head that is behind', 'head', 'head/g:garden', changed('head/g:garden', { seq: 9 })],
    ['a head that is ahead', 'dense', 'head/g:garden', changed('head/g:garden', { seq: 2 ** 50 })],
    ['a head that is missing', 'head', 'head/g:garden', without('head/g:garden')],
    ['a conversation without its row', 'conversation', 'conversation/g:garden', without('conversation/g:garden')],
    ['a conversation of the wrong kind', 'conversation', 'conversation/g:garden', changed('conversation/g:garden', { kind: 'direct' })],
    ['a wrong count in the head', 'head_count', 'head/g:garden', changed('head/g:garden', { count: 4 })],
    ['a wrong newest message in the head', 'head_message', 'head/g:garden', changed('head/g:garden', { messageSeq: 4 })],
    ['a count that jumps', 'count', 'message/g:garden/10', changed('message/g:garden/10', { count: 4 })],
    ['an event that counts as a message', 'count', 'event/g:garden/9', changed('event/g:garden/9', { count: 3 })],
    ['text of a deleted message', 'deleted_text', 'message/g:garden/4', changed('message/g:garden/4', { text: 'still here' })],
    ['a delete that left no trace on the message', 'version', 'message/g:garden/4', changed('message/g:garden/4', { deleted: false, text: 'back' })],
    ['a deletion without an event', 'version', 'message/g:garden/10', changed('message/g:garden/10', { deleted: true, text: '' })],
    ['a version without edits', 'version', 'message/g:garden/10', changed('message/g:garden/10', { version: 2, editedTime: time })],
    ['an edit that is not in the message', 'version', 'message/g:garden/2', changed('message/g:garden/2', { version: 2 })],
    ['versions out of order', 'version', 'message/g:garden/2', changed('event/g:garden/5', { version: 3 })],
    ['a version without the time of an edit', 'version', 'message/g:garden/2', changed('message/g:garden/2', { editedTime: null })],
    ['an edit of a message that is not there', 'version', 'message/g:garden/3', changed('event/g:garden/6', { messageSeq: 3 })],
    ['an edit that names no message', 'version', 'event/g:garden/6', changed('event/g:garden/6', { messageSeq: undefined })],
    ['a wrong number of members', 'member_count', 'conversation/g:garden', changed('conversation/g:garden', { memberCount: 2 })],
    ['a group without an owner', 'one_owner', 'conversation/g:garden', changed('member/g:garden/ada', { role: 'admin' })],
    ['a group with two owners', 'one_owner', 'conversation/g:garden', changed('member/g:garden/bob', { role: 'owner', left: null })],
    ['a direct conversation without one of its two', 'direct_members', 'conversation/d:ada:bob', without('member/d:ada:bob/bob')],
    ['a stranger in a direct conversation', 'direct_members', 'conversation/d:ada:bob', changed('member/d:ada:bob/bob', { userId: 'cas' })],
    ['a membership that begins beyond the head', 'membership', 'member/g:garden/ada', changed('member/g:garden/ada', { joinedSeq: 11 })],
    ['a membership with a wrong count', 'membership', 'member/g:garden/bob', changed('member/g:garden/bob', { joinedCount: 2 })],
    ['a membership that ends before it begins', 'membership', 'member/g:garden/bob', changed('member/g:garden/bob', { joinedSeq: 9, joinedCount: 2 })],
    [
      'a leaving that counts wrongly',
      'membership',
      'member/g:garden/bob',
      changed('member/g:garden/bob', { left: { seq: 9, count: 1, messageSeq: 4, time, title: '' } }),
    ],
    [
      'a leaving after a message that is none',
      'membership',
      'member/g:garden/bob',
      changed('member/g:garden/bob', { left: { seq: 9, count: 2, messageSeq: 5, time, title: '' } }),
    ],
    ['an own message that is another’s', 'own', 'own/g:garden/ada', changed('own/g:garden/ada', { seq: 4, count: 2 })],
    ['an own message that is none', 'own', 'own/g:garden/bob', changed('own/g:garden/bob', { seq: 5 })],
    ['an own message with a wrong count', 'own', 'own/g:garden/bob', changed('own/g:garden/bob', { count: 1 })],
    ['a decision about no event', 'decision', 'seq 12', [...sound, decision('k12', 12, 12, 1)]],
    ['two decisions about one event', 'decision', 'seq 10', [...sound, decision('again', 10, 10, 1)]],
    ['an event without its decision', 'decision', 'seq 1', without('decision/kd')],
    ['a refusal that made an event', 'decision', 'decision/k9', changed('decision/k9', { code: 'not_a_member' })],
    ['a decision about a later message', 'decision', 'decision/k5', changed('decision/k5', { messageSeq: 9 })],
    ['a decision without a version', 'decision', 'decision/k5', changed('decision/k5', { version: 0 })],
    ['a message decided in a later version', 'decision', 'decision/k10', changed('decision/k10', { version: 2 })],
    ['an open session that its account does not list', 'session', 'session/hash-ended', changed('session/hash-ended', { ended: false })],
    ['an ended session that its account still lists', 'session', 'session/hash-open', changed('session/hash-open', { ended: true })],
    ['a listed session that does not exist', 'session', 'session/hash-open', without('session/hash-open')],
    ['a session of somebody else', 'session', 'session/hash-open', changed('session/hash-open', { userId: 'bob' })],
    ['a group with the name of a user', 'name', 'conversation/g:garden', [...sound, account('garden')]],
    ['an administrator without an account', 'admin', 'installation', changed('installation', { admins: ['cas'] })],
  ])('finds %s', async (_what, rule, row, rows) => {
    const { findings } = await check(rows);
    expect(findings.map((finding) => `${finding.rule} ${finding.row}`)).toContain(`${rule} ${row}`);
  });

  it('names at most a thousand findings, and still counts everything', async () => {
    const rows = Array.from({ length: 1500 }, (_, index): Row => ({ table: 'head', conversation: `d:ada:u${index}`, seq: 1, count: 1, messageSeq: 1, time }));
    const answer = await check(rows);
    expect(answer.findings).toHaveLength(1000);
    expect([answer.rows, answer.conversations]).toEqual([1500, 1500]);
  });

  it('says how far it is, and fails when the rows cannot be read', async () => {
    const heard: number[] = [];
    const many = Array.from({ length: 12_000 }, () => account('ada', ['open']));
    await verify(stream([...many, session('open', false)]), (rows) => heard.push(rows));
    expect(heard).toEqual([5000, 10_000, 12_001]);
    const broken = (async function* (): AsyncIterable<Row> {
      yield sound[0]!;
      throw new Error('the disk is gone');
    })();
    await expect(verify(broken, () => undefined)).rejects.toThrow('the disk is gone');
  });
});
