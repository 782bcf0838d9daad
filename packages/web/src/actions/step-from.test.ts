import { expect, it } from 'vitest';
import { stepFrom } from './step-from.ts';

it('goes round the list, and begins at its near end when no conversation of it is open', () => {
  expect([stepFrom(['a', 'b', 'c'], 'a', 1), stepFrom(['a', 'b', 'c'], 'a', -1), stepFrom(['a', 'b', 'c'], 'c', 1)]).toEqual(['b', 'c', 'a']);
  expect([stepFrom(['a', 'b'], undefined, 1), stepFrom(['a', 'b'], 'gone', -1), stepFrom([], 'a', 1)]).toEqual(['a', 'b', undefined]);
});
