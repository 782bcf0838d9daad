import { expect, it } from 'vitest';
import type { Logger } from '../logger.ts';
import { StoreUnavailable } from '../store/port.ts';
import { refusalOfFailure } from './failure.ts';

const logged: [level: string, about: unknown][] = [];
const logger = {
  warn: (about: unknown) => logged.push(['warn', about]),
  error: (about: unknown) => logged.push(['error', about]),
} as unknown as Logger;

it.each([
  ['a store that cannot be reached is to be asked again', new StoreUnavailable('read timeout at 127.0.0.1:9042'), 'unavailable', 'warn', 1],
  ['anything else is a fault of this program', new TypeError('x is not a function'), 'internal', 'error', undefined],
])('%s, and the answer says nothing of the inside', (_, error, code, level, retryAfterS) => {
  const refusal = refusalOfFailure(error, { logger, requestId: 'r-1' }, 'history');
  expect(refusal).toMatchObject({ code, retryAfterS });
  expect(refusal.detail).not.toContain(error.message);
  expect(logged.pop()).toEqual([level, { err: error, requestId: 'r-1', call: 'history' }]);
});
