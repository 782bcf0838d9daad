import { types } from 'cassandra-driver';
import { describe, expect, it } from 'vitest';
import { positionAt, timestampOf } from './timestamp.ts';

describe('timestamps', () => {
  it('rise with the position, leave room between two, and fit however far the journal gets', () => {
    expect(timestampOf(-1).toNumber()).toBe(0);
    expect(timestampOf(0).toNumber()).toBe(256);
    expect(timestampOf(41).toNumber() - timestampOf(40).toNumber()).toBe(256);
    const last = timestampOf(Number.MAX_SAFE_INTEGER);
    expect(last.greaterThan(timestampOf(Number.MAX_SAFE_INTEGER - 1))).toBe(true);
    expect(last.lessThan(types.Long.MAX_VALUE)).toBe(true);
  });

  it('tell the position again', () => {
    for (const position of [-1, 0, 1, 4095, 2 ** 40, Number.MAX_SAFE_INTEGER - 1]) expect(positionAt(timestampOf(position))).toBe(position);
    expect(positionAt(timestampOf(7).add(255))).toBe(7);
  });
});
