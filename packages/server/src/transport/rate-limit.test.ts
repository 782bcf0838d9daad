import { expect, test } from 'vitest';
import { RateLimit } from './rate-limit.ts';

test('a burst may be used at once, then one comes back each refill time', () => {
  let now = 0;
  const limit = new RateLimit({ burst: 3, refillMs: 1000 }, 10, () => now);
  expect([1, 2, 3, 4].map(() => limit.take('ann').isAllowed)).toEqual([true, true, true, false]);
  expect(limit.take('ann')).toMatchObject({ isAllowed: false, remaining: 0, retryAfterS: 1 });
  now = 1000;
  expect([1, 2].map(() => limit.take('ann').isAllowed)).toEqual([true, false]);
  now = 60_000;
  expect(limit.take('ann')).toMatchObject({ isAllowed: true, remaining: 2, resetS: 1, retryAfterS: 0 });
});

test('no use is lost to the fractions of a clock', () => {
  for (let now = 1000; now < 9000; now += 1.2345678) {
    const limit = new RateLimit({ burst: 2, refillMs: 1000 }, 10, () => now);
    expect(limit.take('ann'), `${now}`).toMatchObject({ isAllowed: true, remaining: 1, resetS: 1 });
    expect(limit.take('ann'), `${now}`).toMatchObject({ isAllowed: true, remaining: 0, resetS: 2 });
  }
});

test('looking uses nothing', () => {
  const limit = new RateLimit({ burst: 1, refillMs: 1000 }, 10, () => 0);
  for (let look = 0; look < 5; look++) expect(limit.peek('ann')).toMatchObject({ isAllowed: true, remaining: 1 });
  expect(limit.take('ann')).toMatchObject({ isAllowed: true, remaining: 0 });
  expect(limit.peek('ann').isAllowed).toBe(false);
});

test('being refused costs nothing, so who goes on knocking is let in as early as who waits', () => {
  let now = 0;
  const limit = new RateLimit({ burst: 1, refillMs: 1000 }, 10, () => now);
  limit.take('ann');
  for (now = 100; now < 1000; now += 100) expect(limit.take('ann').isAllowed).toBe(false);
  now = 1000;
  expect(limit.take('ann').isAllowed).toBe(true);
});

test('keys have their own buckets, and beyond the maximum the one used longest ago is forgotten', () => {
  const limit = new RateLimit({ burst: 1, refillMs: 1000 }, 2, () => 0);
  expect(['ann', 'bob', 'cem'].map((key) => limit.take(key).isAllowed)).toEqual([true, true, true]);
  expect(limit.take('cem').isAllowed).toBe(false);
  expect(limit.take('ann').isAllowed).toBe(true);
});
