import { loginFailuresAddressBurst, loginRefillMs } from '@parlance/schema/limits';
import { expect, test } from 'vitest';
import { LogInLimits } from './limits.ts';

const fail = (limits: LogInLimits, times: number, userId: string, address: string): void => {
  for (let time = 0; time < times; time++) limits.failed(userId, address);
};

test('after a burst of failures an address waits for this account, and for no other', () => {
  let now = 0;
  const limits = new LogInLimits(3, () => now);
  fail(limits, 3, 'ann', '192.0.2.1');
  expect(limits.waitS('ann', '192.0.2.1')).toBe(loginRefillMs / 1000);
  expect(limits.waitS('ann', '192.0.2.2')).toBe(0);
  expect(limits.waitS('bob', '192.0.2.1')).toBe(0);
  now = loginRefillMs;
  expect(limits.waitS('ann', '192.0.2.1')).toBe(0);
});

test('successes count for nothing', () => {
  const limits = new LogInLimits(1, () => 0);
  for (let time = 0; time < 100; time++) limits.succeeded('ann', '192.0.2.1');
  expect(limits.waitS('ann', '192.0.2.1')).toBe(0);
});

test('an address that tries many accounts is held, but not where it has logged in before', () => {
  const limits = new LogInLimits(3, () => 0);
  limits.succeeded('ann', '192.0.2.1');
  for (let other = 0; other < loginFailuresAddressBurst; other++) limits.failed(`user${other}`, '192.0.2.1');
  expect(limits.waitS('someone', '192.0.2.1')).toBeGreaterThan(0);
  expect(limits.waitS('ann', '192.0.2.1')).toBe(0);
});

test('guesses from many addresses hold strangers, and not the owner at a familiar address', () => {
  const limits = new LogInLimits(3, () => 0);
  limits.succeeded('ann', '198.51.100.7');
  for (let host = 0; host < 30; host++) limits.failed('ann', `192.0.2.${host}`);
  expect(limits.waitS('ann', '203.0.113.1')).toBeGreaterThan(0);
  expect(limits.waitS('ann', '198.51.100.7')).toBe(0);
});
