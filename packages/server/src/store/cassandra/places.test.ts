import { describe, expect, it } from 'vitest';
import { partitionOf } from '../../journal/port.ts';
import { decisionKey, newClientId } from '../../node/writes.ts';
import { decisionSliceOf, directoryShardOf, directoryShards, lastMemberShardOf, memberShardOf } from './places.ts';

describe('where rows stand', () => {
  it('puts the decisions of one record into one partition, or two where a time ends between, and any others into one of 65,536', () => {
    const now = 1_750_000_000_000;
    const ofOnePartition = Array.from({ length: 1000 }, (_, index) => `g:${index}`).filter((id) => partitionOf(id.slice(2), 16) === 3);
    expect(ofOnePartition.length).toBeGreaterThan(20);
    const record = new Set(ofOnePartition.map((id, index) => decisionSliceOf(decisionKey(id, 'ada', newClientId(now + index)))));
    expect(record.size).toBeLessThanOrEqual(2);
    const all = new Set(Array.from({ length: 500 }, (_, index) => decisionSliceOf(decisionKey(`g:${index}`, 'ada', newClientId(now)))));
    expect(all.size).toBe(16);
    const others = new Set(Array.from({ length: 2000 }, (_, index) => decisionSliceOf(decisionKey('g:garden', 'ada', `my own ${index}`))));
    expect(others.size).toBeGreaterThan(1900);
    for (const slice of others) expect(slice).toMatch(/^f[0-9a-f]{4}$/);
  });

  it('finds a decision by the ids alone, a year later', () => {
    const clientId = newClientId(1_750_000_000_000);
    expect(decisionSliceOf(decisionKey('g:garden', 'ada', clientId))).toBe(
      decisionSliceOf(decisionKey('g:garden', 'ada', clientId.toUpperCase().toLowerCase())),
    );
  });

  it('orders the shards of names as the names', () => {
    const names = ['', '0', 'a', 'a-', 'ada', 'm', 'zz', 'z\u{7f}', '\u{7f}'];
    const shards = names.map(directoryShardOf);
    expect(shards).toEqual([...shards].sort((a, b) => a - b));
    expect(shards.at(-1)).toBe(directoryShards - 1);
    expect(memberShardOf('g:garden', '\u{7f}')).toBe(lastMemberShardOf('g:garden'));
    expect([memberShardOf('d:ada:zoe', 'ada'), memberShardOf('d:ada:zoe', 'zoe'), lastMemberShardOf('d:ada:zoe')]).toEqual([0, 0, 0]);
  });
});
