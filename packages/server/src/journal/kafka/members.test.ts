import { describe, expect, it } from 'vitest';
import { assign, Members } from './members.ts';

const self = { nodeId: 'a', run: 'a1' };
const now = 1_750_000_000_000;
const own = (count: number, time = now) => ({ ...self, count, time });
const other = (count: number, time = now) => ({ nodeId: 'b', run: 'b1', count, time });
const names = (members: Members) => members.live()?.map(({ nodeId }) => nodeId);

describe('which nodes live', () => {
  it('is not known before two heartbeats of one’s own have come back, even if one of them was lost', () => {
    const members = new Members(self, 4, now);
    expect(members.hear(own(1), now)).toBe(false);
    expect(members.live()).toBeUndefined();
    expect(members.hear(own(3), now)).toBe(true);
    expect(names(members)).toEqual(['a']);
  });

  it('takes a node for dead after so many heartbeats of one’s own without one of its', () => {
    const members = new Members(self, 3, now);
    for (const count of [1, 2]) members.hear(own(count), now);
    expect(members.hear(other(7), now)).toBe(true);
    expect(members.hear(own(3), now)).toBe(false);
    expect(members.hear(own(4), now)).toBe(false);
    expect(members.hear(other(8), now)).toBe(false);
    for (const count of [5, 6]) expect(members.hear(own(count), now)).toBe(false);
    expect(names(members)).toEqual(['a', 'b']);
    expect(members.hear(own(7), now)).toBe(true);
    expect(names(members)).toEqual(['a']);
  });

  it('counts the same heartbeat from several partitions once', () => {
    const members = new Members(self, 2, now);
    for (const count of [1, 2]) members.hear(own(count), now);
    members.hear(other(1), now);
    for (let partition = 0; partition < 3; partition++) expect(members.hear(own(3), now)).toBe(false);
    expect(names(members)).toEqual(['a', 'b']);
  });

  it('keeps everybody while one’s own heartbeats do not come back', () => {
    const members = new Members(self, 2, now);
    for (const count of [1, 2]) members.hear(own(count), now);
    members.hear(other(1), now);
    for (let count = 2; count < 9; count++) members.hear(other(count), now);
    expect(names(members)).toEqual(['a', 'b']);
  });

  it('lets a node that leaves go at once, and does not take a late heartbeat of it for its return', () => {
    const members = new Members(self, 9, now);
    for (const count of [1, 2]) members.hear(own(count), now);
    members.hear(other(5), now);
    expect(members.hear(other(0), now)).toBe(true);
    expect(members.hear(other(5), now)).toBe(false);
    expect(names(members)).toEqual(['a']);
    expect(members.hear({ nodeId: 'b', run: 'b2', count: 1, time: now }, now)).toBe(true);
    expect(names(members)).toEqual(['a', 'b']);
  });
});

describe('whose clock is wrong', () => {
  const third = (count: number, time: number) => ({ nodeId: 'c', run: 'c1', count, time });
  const heard = (...others: Parameters<Members['hear']>[0][]): number | undefined => {
    const members = new Members(self, 4, now);
    for (const count of [1, 2]) members.hear(own(count), now);
    for (const one of others) members.hear(one, now + 100);
    return members.clockAheadMs();
  };

  it('is seen by the one whose clock it is, and by no other', () => {
    expect(heard(other(1, now + 60_000), third(1, now + 60_200))).toBeLessThan(-59_000);
    expect(heard(other(1, now - 60_000), third(1, now - 60_200))).toBeGreaterThan(59_000);
    expect(heard(other(1, now + 60_000), third(1, now + 50))).toBe(0);
    expect(heard(other(1, now - 60_000), third(1, now + 50))).toBe(0);
  });

  it('is the one ahead where there are only two', () => {
    expect(heard(other(1, now + 60_000))).toBe(0);
    expect(heard(other(1, now - 60_000))).toBe(60_000);
  });

  it('is known as soon as it is known who lives, also of those heard before, and not earlier', () => {
    for (const [theirs, mine] of [
      [now - 60_000, 60_000],
      [now + 60_000, -59_900],
      [now + 50, 0],
    ] as const) {
      const members = new Members(self, 4, now);
      for (const one of [other(1, theirs), third(1, theirs)]) members.hear(one, now + 100);
      expect(members.clockAheadMs()).toBeUndefined();
      for (const count of [1, 2]) members.hear(own(count, now + 100), now + 100);
      expect(members.clockAheadMs()).toBe(mine);
    }
  });

  it('is nobody’s after a pause, during which the others went on', () => {
    const members = new Members(self, 4, now);
    for (const count of [1, 2]) members.hear(own(count), now);
    for (let ms = 0; ms < 60_000; ms += 300) {
      members.hear(other(ms, now + ms), now + 60_000);
      members.hear(third(ms, now + ms), now + 60_000);
      expect(members.clockAheadMs()).toBe(0);
    }
  });
});

describe('who decides', () => {
  const nodes = ['a', 'b', 'c'].map((nodeId) => ({ nodeId, run: `${nodeId}1` }));

  it('is the same whoever counts, and fair', () => {
    const assigned = assign(16, nodes);
    expect(assign(16, [...nodes].reverse())).toEqual(assigned);
    for (const { run } of nodes) {
      const count = assigned.filter((one) => one === run).length;
      expect(count).toBeGreaterThanOrEqual(4);
      expect(count).toBeLessThanOrEqual(6);
    }
  });

  it('is the same again after a node has started anew', () => {
    const again = nodes.map(({ nodeId, run }) => ({ nodeId, run: nodeId === 'b' ? 'b2' : run }));
    expect(assign(16, again).map((run) => run[0])).toEqual(assign(16, nodes).map((run) => run[0]));
  });

  it('leaves most partitions where they are when a node goes', () => {
    const before = assign(64, nodes);
    const after = assign(64, nodes.slice(1));
    const moved = before.filter((run, partition) => run !== 'a1' && run !== after[partition]);
    expect(moved.length).toBeLessThan(64 / 4);
    expect(assign(4, [])).toEqual(['', '', '', '']);
  });
});
