import type { Rule } from '../crash/history.ts';
import { plants as simulated } from '../simulation/plants.ts';
import type { Blow } from './faults.ts';
import type { Change } from './planting.ts';

// Bugs for the cluster's tests to find. Each is planted in all nodes while their modules are loaded, and the crowd works on them as ever: with no fault at all where that
// is enough to show the bug, otherwise with the blows that bring about what it is about. The rule says what it is caught by; `stalled` means that the cluster does not
// answer any more, though nothing is wrong with the machines.

/** The environment variable that names the plant of a node's process. */
export const plantVariable = 'TEST_PLANT';

export interface Plant {
  name: string;
  changes: readonly Change[];
  blows: readonly Blow[];
  caughtBy: readonly (Rule | 'stalled')[];
}

/** One of the simulation's. */
function asSimulated(name: string, caughtBy: Plant['caughtBy'], blows: readonly Blow[] = [], more: readonly Change[] = []): Plant {
  const plant = simulated.find((one) => one.name === name);
  if (plant === undefined) throw new Error(`The simulation has no plant “${name}”.`);
  return { name, changes: [plant, ...more], blows, caughtBy };
}

/** Of rows that are not there though the position row says so: the places in the order are taken again. */
const signsOfLoss: Plant['caughtBy'] = [
  'stalled',
  'acknowledged and lost',
  'answer changed',
  'decided twice',
  'not the effect of one write',
  'pushed and not so',
  'nodes disagree',
];

/** One of them finds a node that has written some of what belongs together, and not the rest. */
const strikesAmidApplying: readonly Blow[] = [
  ['deciding node cut off, far from the store'],
  ['deciding node killed, far from the store'],
  ['deciding node cut off, far from the store'],
  ['deciding node killed, far from the store'],
];

const decideByOwnClock: Change = { file: 'server/src/compose.ts', find: 'clock: () => commonTime(journal, Date.now), observer', replace: 'observer' };
const timestamp = 'server/src/store/cassandra/timestamp.ts';

export const plants: readonly Plant[] = [
  asSimulated('anybody may edit', ['edited by another']),
  asSimulated('who has left may still write', ['by nobody inside']),
  asSimulated('a removed member is still followed', ['pushed after removal', 'pushed twice']),
  asSimulated('a deleted message can be edited', ['edited after deletion']),
  asSimulated('decisions are forgotten on restart', ['answer changed', 'decided twice', 'not the effect of one write']),
  {
    name: 'each node knows only its own decisions',
    changes: [
      {
        file: 'server/src/node/writes.ts',
        find: "const digest = hash('sha256', `",
        replace: "const digest = hash('sha256', process.pid + `",
      },
    ],
    blows: [],
    caughtBy: ['answer changed', 'decided twice', 'not the effect of one write'],
  },
  asSimulated('a node answers before apply', ['not read by its author', 'not pushed', 'stalled'], [['all nodes far from the store']]),
  asSimulated('resume is off by one', ['pushed with a gap', 'not pushed'], [['node killed']]),
  {
    name: 'a node skips a partition',
    changes: [
      {
        file: 'server/src/journal/kafka/following.ts',
        find: 'this.#follower!.record(partition, entry.position, entry.value)',
        replace: "if (partition !== 1 || !process.cwd().endsWith('node2')) this.#follower!.record(partition, entry.position, entry.value)",
      },
    ],
    blows: [],
    caughtBy: ['stalled', 'not pushed', 'nodes disagree', 'pushed with a gap'],
  },
  asSimulated(
    'the chain is not checked',
    ['stalled', 'answer changed', 'decided twice', 'not dense', 'not the effect of one write', 'nodes disagree', 'vanished'],
    Array.from({ length: 6 }, () => ['deciding node paused']),
  ),
  {
    name: 'the position row is written before its rows',
    changes: [
      {
        file: 'server/src/store/cassandra/write.ts',
        find: 'await batch.rows.write(this.#connection); await batch.pointers.write(this.#connection); const last =',
        replace: 'const last =',
      },
      {
        file: 'server/src/store/cassandra/write.ts',
        find: 'await last.write(this.#connection);',
        replace: 'await last.write(this.#connection); await batch.rows.write(this.#connection); await batch.pointers.write(this.#connection);',
      },
    ],
    blows: strikesAmidApplying,
    caughtBy: signsOfLoss,
  },
  asSimulated('the position row says more than its position', signsOfLoss, strikesAmidApplying),
  asSimulated('time goes back', ['time goes back'], [['clock of a node a year behind']], [decideByOwnClock]),
  { name: 'each node decides by its own clock', changes: [decideByOwnClock], blows: [['clock of a node a year ahead']], caughtBy: ['time is off'] },
  {
    name: 'each node judges sessions by its own clock',
    changes: [{ file: 'server/src/node/sessions.ts', find: 'createdTime + sessionMs <= this.#node.time()', replace: 'createdTime + sessionMs <= Date.now()' }],
    blows: [['clock of a node a year ahead']],
    caughtBy: ['not read by its author'],
  },
  {
    name: 'the wall clock is the timestamp',
    changes: [
      {
        file: timestamp,
        find: 'types.Long.fromNumber(position + 1).shiftLeft(room)',
        replace: 'types.Long.fromNumber(Date.now()).multiply(1000).add(position * 0)',
      },
      { file: timestamp, find: 'timestamp.shiftRight(room).toNumber() - 1', replace: '(timestamp, -1)' },
    ],
    blows: [['clock of a node a year ahead']],
    caughtBy: ['stalled', 'acknowledged and lost', 'not dense', 'nodes disagree', 'not as last written', 'not pushed', 'not read by its author'],
  },
];
