import type { Change } from '@parlance/schema/types';
import { expect, it } from 'vitest';
import { check, type Entry, type History, type Observed, type Outcome, type OwnRead, type ReadBack, type Rule, type Told } from '../crash/history.ts';

// The checker on what only a cluster can get wrong: a made-up history that is right, seen by three observers and three nodes, and the same with one thing wrong in
// it at a time. What is wrong with answers and with the history itself is planted in test/crash/history.test.ts.

const time = '2026-01-01T00:00:00.000Z';
const group = 'g:team';

const accepted = (seq: number, more: Partial<Outcome & { is: 'accepted' }> = {}): Outcome => ({ is: 'accepted', seq, time, ...more });

interface World {
  history: History & { reads: OwnRead[] };
  readBack: ReadBack & { after: Map<string, Change[]>; views: Map<string, Map<string, Change[]>>; observed: (Observed & { told: Told[] })[] };
}

/** ann makes a group, adds bob, writes; bob writes; ann removes bob, writes, adds bob again, writes; her last attempt but one had no answer at first. */
function world(): World {
  const entry = (name: Entry['write']['name'], by: string, clientId: string, input: Record<string, unknown>, outcome: Outcome, sinceMs: number): Entry => ({
    write: { name, conversation: group, by, clientId, input },
    outcomes: [outcome, outcome],
    attempts: 1,
    sinceMs,
  });
  const sent = (seq: number): Outcome => accepted(seq, { msgId: String(seq), version: 1 });
  const entries = [
    entry('create_group', 'ann', 'c1', { name: 'team' }, accepted(1), 10),
    entry('put_member', 'ann', 'c2', { name: 'team', user: 'bob' }, accepted(2), 20),
    entry('send_message', 'ann', 'c3', { text: 'one' }, sent(3), 30),
    entry('send_message', 'bob', 'c4', { text: 'two' }, sent(4), 40),
    entry('remove_member', 'ann', 'c5', { name: 'team', user: 'bob' }, accepted(5), 50),
    entry('send_message', 'ann', 'c6', { text: 'three' }, sent(6), 60),
    entry('put_member', 'ann', 'c7', { name: 'team', user: 'bob' }, accepted(7), 70),
    entry('send_message', 'ann', 'c8', { text: 'four' }, sent(8), 80),
    entry('send_message', 'cem', 'c9', { text: 'from outside' }, { is: 'refused', code: 'not_a_member' }, 90),
  ];
  entries[7]!.outcomes.unshift({ is: 'unknown' });
  entries[7]!.attempts = 2;
  const change = (seq: number, kind: Change['kind'], by: string, more: Partial<Change> = {}): Change => ({ conversation: group, seq, kind, time, by, ...more });
  const message = (seq: number, by: string, text: string): Change =>
    change(seq, 'message', by, { msg_id: String(seq), message: { msg_id: String(seq), seq, kind: 'message', author: by, text, version: 1, time } });
  const after = (): Change[] => [
    change(1, 'created', 'ann'),
    change(2, 'added', 'ann', { user: 'bob', role: 'member' }),
    message(3, 'ann', 'one'),
    message(4, 'bob', 'two'),
    change(5, 'removed', 'ann', { user: 'bob' }),
    message(6, 'ann', 'three'),
    change(7, 'added', 'ann', { user: 'bob', role: 'member' }),
    message(8, 'ann', 'four'),
  ];
  const told = (seqs: readonly number[]): Told[] => seqs.map((seq) => ({ conversation: group, seq, change: after()[seq - 1]!, atMs: seq * 10 + 5 }));
  const announced = (seq: number): Told => ({ conversation: group, seq, atMs: seq * 10 + 5 });
  return {
    history: { entries, marks: [], reads: [{ entry: entries[3]!, through: 'node2', change: after()[3]! }] },
    readBack: {
      before: new Map([[group, after()]]),
      after: new Map([[group, after()]]),
      messages: new Map([[group, after().flatMap((one) => one.message ?? [])]]),
      marks: new Map(),
      views: new Map(['node1', 'node2', 'node3'].map((node) => [node, new Map([[group, after()]])])),
      observed: [
        { by: 'ann', through: 'node1', told: told([1, 2, 3, 4, 5, 6, 7, 8]) },
        { by: 'bob', through: 'node2', told: told([2, 3, 4, 5, 7, 8]) },
        { by: 'ann', through: 'node3', told: [announced(3), ...told([4, 5, 6, 7, 8])] },
        // Away while out and let in again: what happened meanwhile is read when resuming, after that.
        { by: 'bob', through: 'node3', told: [...told([2, 3, 4]), ...told([5, 6, 7, 8]).map((one) => ({ ...one, atMs: 200 }))] },
        { by: 'cem', through: 'node1', told: [] },
      ],
      during: { from: Date.parse(time) - 1000, to: Date.parse(time) + 1000 },
    },
  };
}

it('finds nothing where nothing is wrong', () => {
  const { history, readBack } = world();
  expect(check(history, readBack)).toEqual([]);
});

const told = ({ readBack }: World, index: number): Told[] => readBack.observed[index]!.told;

it.each<[what: string, rule: Rule, plant: (planted: World) => void]>([
  ['a node that lacks the newest event', 'nodes disagree', ({ readBack }) => void readBack.views.get('node2')!.get(group)!.pop()],
  ['a node that has one more event', 'nodes disagree', ({ readBack }) => void readBack.views.get('node3')!.get(group)!.push(readBack.after.get(group)![7]!)],
  [
    'a node that shows another text',
    'nodes disagree',
    ({ readBack }) => {
      readBack.views.get('node2')!.get(group)![2]!.message!.text = 'One';
    },
  ],
  ['a conversation that a node does not have', 'nodes disagree', ({ readBack }) => void readBack.views.set('node2', new Map())],
  [
    'an own write that another node does not show yet',
    'not read by its author',
    ({ history }) => {
      history.reads[0]!.change = undefined;
    },
  ],
  [
    'an own write for which another node shows something else',
    'not read by its author',
    ({ history, readBack }) => {
      history.reads[0]!.change = readBack.after.get(group)![2]!;
    },
  ],
  [
    'an own edit of which another node shows the version before',
    'not read by its author',
    ({ history }) => {
      Object.assign(history.reads[0]!.entry.outcomes[0]!, { version: 2 });
    },
  ],
  [
    'a group that its maker may not read',
    'not read by its author',
    ({ history }) => void history.reads.push({ entry: history.entries[0]!, through: 'node3', change: undefined, refusal: 'conversation_not_found' }),
  ],
  ['an event that a socket was given twice', 'pushed twice', (planted) => void told(planted, 0).splice(3, 0, told(planted, 0)[2]!)],
  ['an event that a socket was not given', 'pushed with a gap', (planted) => void told(planted, 0).splice(3, 1)],
  ['an event that a socket was not given when it resumed', 'pushed with a gap', (planted) => void told(planted, 2).splice(1, 1)],
  ['a conversation that began for somebody in the middle', 'pushed with a gap', (planted) => void told(planted, 1).splice(0, 1)],
  ['two events the wrong way round', 'pushed twice', (planted) => void told(planted, 0).splice(2, 2, told(planted, 0)[3]!, told(planted, 0)[2]!)],
  [
    'an event that another record took the place of',
    'pushed and not so',
    (planted) => {
      told(planted, 0)[3] = { ...told(planted, 0)[3]!, change: { ...told(planted, 0)[3]!.change!, by: 'cem' } };
    },
  ],
  [
    'an event pushed with another time than it has',
    'pushed and not so',
    (planted) => {
      told(planted, 0)[3] = { ...told(planted, 0)[3]!, change: { ...told(planted, 0)[3]!.change!, time: '2026-01-01T00:00:00.001Z' } };
    },
  ],
  [
    'a refused text that was pushed',
    'refused and present',
    (planted) => {
      const { change } = told(planted, 0)[2]!;
      told(planted, 0)[2]!.change = { ...change!, message: { ...change!.message!, text: 'from outside' } };
    },
  ],
  [
    'an event pushed to somebody after the removal',
    'pushed after removal',
    (planted) => void told(planted, 1).splice(4, 0, { conversation: group, seq: 6, change: planted.readBack.after.get(group)![5]!, atMs: 65 }),
  ],
  ['a socket that fell silent', 'not pushed', (planted) => void told(planted, 0).splice(7)],
  ['a removal that was not told', 'not pushed', (planted) => void told(planted, 1).splice(3)],
  ['a member who was told nothing', 'not pushed', (planted) => void told(planted, 0).splice(0)],
  [
    'an edit by somebody who did not write the message',
    'edited by another',
    ({ history, readBack }) => {
      const write = { name: 'edit_message' as const, conversation: group, by: 'bob', clientId: 'c10', input: { msg_id: '8', text: 'mine now' } };
      history.entries.push({ write, outcomes: [accepted(9, { msgId: '8', version: 2 })], attempts: 1 });
      readBack.after.get(group)!.push({ conversation: group, seq: 9, kind: 'edit', by: 'bob', time, msg_id: '8' });
    },
  ],
  [
    'a time before that of the event before',
    'time goes back',
    ({ readBack }) => {
      readBack.before.get(group)![3]!.time = '2025-12-31T23:59:59.999Z';
    },
  ],
  [
    'a time a year from now',
    'time is off',
    ({ readBack }) => {
      readBack.after.get(group)![7]!.time = '2027-01-01T00:00:00.000Z';
    },
  ],
  [
    'a time a year ago',
    'time is off',
    ({ readBack }) => {
      readBack.after.get(group)![0]!.time = '2025-01-01T00:00:00.000Z';
    },
  ],
  [
    'an acknowledged event that is gone, though its first attempt had no answer',
    'acknowledged and lost',
    ({ readBack }) => {
      readBack.before = new Map([[group, readBack.after.get(group)!.slice(0, 7)]]);
    },
  ],
])('finds %s', (_what, rule, plant) => {
  const planted = world();
  plant(planted);
  expect(check(planted.history, planted.readBack).map((finding) => finding.rule)).toContain(rule);
});
