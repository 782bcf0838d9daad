import type { Change, Message } from '@parlance/schema/types';
import { expect, it } from 'vitest';
import { check, type Entry, type History, markKey, type Outcome, type ReadBack, type Rule } from './history.ts';

// The checker, on a made-up history that is right, and on the same with one thing wrong in it at a time.

const time = '2026-01-01T00:00:00.000Z';
const group = 'g:team';

const accepted = (seq: number | null, more: Partial<Outcome & { is: 'accepted' }> = {}): Outcome => ({ is: 'accepted', seq, time, ...more });

interface World {
  history: History;
  readBack: ReadBack & { before: Map<string, Change[]>; after: Map<string, Change[]>; messages: Map<string, Message[]>; marks: Map<string, number> };
}

/** ann makes a group, adds bob; bob writes, edits, writes again and deletes that; his third was cut off by the crash; cem is refused. */
function world(): World {
  const entry = (name: Entry['write']['name'], by: string, clientId: string, input: Record<string, unknown>, first: Outcome, then: Outcome = first): Entry => ({
    write: { name, conversation: group, by, clientId, input },
    outcomes: [first, then, then],
  });
  const unknown: Outcome = { is: 'unknown' };
  const entries = [
    entry('create_group', 'ann', 'c1', { name: 'team' }, accepted(1)),
    entry('put_member', 'ann', 'c2', { name: 'team', user: 'bob' }, accepted(2)),
    entry('send_message', 'bob', 'c3', { text: 'one' }, accepted(3, { msgId: '3', version: 1 })),
    entry('edit_message', 'bob', 'c4', { msg_id: '3', text: 'one, mended' }, accepted(4, { msgId: '3', version: 2 })),
    entry('send_message', 'bob', 'c5', { text: 'two' }, accepted(5, { msgId: '5', version: 1 })),
    entry('delete_message', 'bob', 'c6', { msg_id: '5' }, accepted(6, { msgId: '5', version: 1 })),
    entry('send_message', 'bob', 'c7', { text: 'three' }, unknown, accepted(7, { msgId: '7', version: 1 })),
    entry('send_message', 'cem', 'c8', { text: 'from outside' }, { is: 'refused', code: 'not_a_member' }),
    entry('put_member', 'ann', 'c9', { name: 'team', user: 'bob' }, accepted(null)),
  ];
  const one: Message = { msg_id: '3', seq: 3, kind: 'message', author: 'bob', text: 'one, mended', version: 2, time, edited_time: time };
  const two: Message = { msg_id: '5', seq: 5, kind: 'message', author: 'bob', version: 1, time, deleted: true };
  const three: Message = { msg_id: '7', seq: 7, kind: 'message', author: 'bob', text: 'three', version: 1, time };
  const change = (seq: number, kind: Change['kind'], by: string, more: Partial<Change> = {}): Change => ({ conversation: group, seq, kind, time, by, ...more });
  const after = [
    change(1, 'created', 'ann'),
    change(2, 'added', 'ann', { user: 'bob', role: 'member' }),
    change(3, 'message', 'bob', { msg_id: '3', version: 2, message: one }),
    change(4, 'edit', 'bob', { msg_id: '3', version: 2, message: one }),
    change(5, 'message', 'bob', { msg_id: '5', version: 1, message: two }),
    change(6, 'delete', 'bob', { msg_id: '5', version: 1, message: two }),
    change(7, 'message', 'bob', { msg_id: '7', version: 1, message: three }),
  ];
  return {
    history: { entries, marks: [{ by: 'bob', conversation: group, readSeq: 6 }] },
    readBack: {
      before: new Map([[group, after.slice(0, 6)]]),
      after: new Map([[group, after]]),
      messages: new Map([[group, [one, two, three]]]),
      marks: new Map([[markKey('bob', group), 6]]),
    },
  };
}

it('finds nothing where nothing is wrong', () => {
  const { history, readBack } = world();
  expect(check(history, readBack)).toEqual([]);
});

const outcomesOf = ({ history }: World, clientId: string): Outcome[] => history.entries.find((entry) => entry.write.clientId === clientId)!.outcomes;
const drop = (changes: Change[], seq: number): void => void changes.splice(seq - 1, 1);

it.each<[what: string, rule: Rule, plant: (planted: World) => void]>([
  ['a fault of the program', 'answered internal', (planted) => void outcomesOf(planted, 'c7').unshift({ is: 'undecided', code: 'internal' })],
  ['an acknowledged event that is gone', 'acknowledged and lost', ({ readBack }) => void readBack.after.get(group)!.splice(2)],
  ['an acknowledged event that only the repetition brought back', 'acknowledged and lost', ({ readBack }) => void readBack.before.get(group)!.splice(5)],
  ['an acknowledged message that the history does not show', 'acknowledged and lost', ({ readBack }) => void readBack.messages.get(group)!.splice(0, 1)],
  ['an event at its place that is somebody else’s', 'acknowledged and lost', ({ readBack }) => void (readBack.after.get(group)![2]!.by = 'ann')],
  [
    'an effect that happened twice',
    'not the effect of one write',
    ({ readBack }) => void readBack.after.get(group)!.push({ ...readBack.after.get(group)![6]!, seq: 8, msg_id: '8' }),
  ],
  [
    'a repetition that took effect again and was answered anew',
    'answer changed',
    (planted) => {
      outcomesOf(planted, 'c3')[1] = accepted(8, { msgId: '8', version: 1 });
    },
  ],
  [
    'a repetition whose answer differs in the time alone',
    'answer changed',
    (planted) => {
      outcomesOf(planted, 'c3')[2] = { ...accepted(3, { msgId: '3', version: 1 }), time: '2026-01-01T00:00:00.001Z' } as Outcome;
    },
  ],
  [
    'a refusal that the repetition turned round',
    'answer changed',
    (planted) => {
      outcomesOf(planted, 'c8')[1] = accepted(8, { msgId: '8', version: 1 });
    },
  ],
  [
    'a decision that was forgotten',
    'answer changed',
    (planted) => {
      outcomesOf(planted, 'c3')[2] = { is: 'undecided', code: 'conversation_not_found' };
    },
  ],
  [
    'two writes at one place',
    'decided twice',
    (planted) => {
      planted.history.entries.find((entry) => entry.write.clientId === 'c7')!.outcomes = [{ is: 'unknown' }, accepted(5, { msgId: '5', version: 1 })];
    },
  ],
  ['a gap', 'not dense', ({ readBack }) => drop(readBack.after.get(group)!, 4)],
  [
    'a refused write that is there',
    'not the effect of one write',
    ({ readBack }) => void readBack.after.get(group)!.push({ conversation: group, seq: 8, kind: 'message', by: 'cem', time, msg_id: '8' }),
  ],
  ['a refused text that is there', 'refused and present', ({ readBack }) => void (readBack.messages.get(group)![0]!.text = 'from outside')],
  ['a deleted text that is there', 'deleted and readable', ({ readBack }) => void Object.assign(readBack.messages.get(group)![1]!, { text: 'two' })],
  ['an edit that is undone', 'not as last written', ({ readBack }) => void (readBack.messages.get(group)![0]!.text = 'one')],
  ['a version that does not count the edits', 'not as last written', ({ readBack }) => void (readBack.messages.get(group)![0]!.version = 1)],
  [
    'an event that was shown and became another',
    'vanished',
    ({ readBack }) => void readBack.before.set(group, [...readBack.after.get(group)!.slice(0, 5), { ...readBack.after.get(group)![5]!, kind: 'edit' }]),
  ],
  [
    'a message by somebody who was never let in',
    'by nobody inside',
    ({ readBack }) => void (readBack.after.get(group)![1] = { conversation: group, seq: 2, kind: 'updated', time, by: 'ann' }),
  ],
  [
    'an edit of what was deleted',
    'edited after deletion',
    ({ history, readBack }) => {
      history.entries.find((entry) => entry.write.clientId === 'c7')!.write = {
        name: 'edit_message',
        conversation: group,
        by: 'bob',
        clientId: 'c7',
        input: { msg_id: '5', text: 'three' },
      };
      const edited = { ...readBack.messages.get(group)![1]!, version: 2 };
      readBack.after.get(group)![6] = { conversation: group, seq: 7, kind: 'edit', time, by: 'bob', msg_id: '5', version: 2, message: edited };
    },
  ],
  ['a read mark that went back', 'read mark lost', ({ readBack }) => void readBack.marks.set(markKey('bob', group), 5)],
])('finds %s', (_what, rule, plant) => {
  const planted = world();
  plant(planted);
  expect(check(planted.history, planted.readBack).map((finding) => finding.rule)).toContain(rule);
});
