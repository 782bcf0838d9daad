import { parseOptions } from '@node-rs/argon2';
import { expect, test } from 'vitest';
import { Passwords } from './passwords.ts';
import { Refusal } from './refusal.ts';

test('a password fits its own hash and no other does', async () => {
  const passwords = new Passwords();
  const hash = (await passwords.hash('correct horse')) as string;
  expect(parseOptions(hash)).toMatchObject({ algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  expect(hash).not.toContain('correct');
  expect(await passwords.verify(hash, 'correct horse')).toBe(true);
  expect(await passwords.verify(hash, 'correct horsf')).toBe(false);
});

test('an account without a password and an unknown one are checked like any other, and no password fits', async () => {
  const passwords = new Passwords();
  expect(await passwords.verify(null, 'correct horse')).toBe(false);
  expect(await passwords.verify(undefined, '')).toBe(false);
});

test('the unknown user costs as much work as the wrong password', async () => {
  const passwords = new Passwords();
  const hash = (await passwords.hash('correct horse')) as string;
  const msOf = async (against: string | undefined): Promise<number> => {
    const times: number[] = [];
    for (let round = 0; round < 5; round++) {
      const start = performance.now();
      await passwords.verify(against, 'wrong horse');
      times.push(performance.now() - start);
    }
    return Math.min(...times);
  };
  const [known, unknown] = [await msOf(hash), await msOf(undefined)];
  // Without the hash for unknown users the answer would take microseconds, a thousandth.
  expect(unknown).toBeGreaterThan(known / 3);
});

test('no more than the queue holds wait, the rest are told to come back, and those that wait are served', async () => {
  const passwords = new Passwords({ atOnce: 1, queueMax: 2 });
  const results = await Promise.all(Array.from({ length: 5 }, () => passwords.hash('correct horse')));
  expect(results.map((result) => (result instanceof Refusal ? result.code : 'hash'))).toEqual(['hash', 'hash', 'hash', 'overloaded', 'overloaded']);
  expect(await passwords.hash('again')).toMatch(/^\$argon2id/);
});

test('guesses that wait side by side do not slip through a limit that the first used up', async () => {
  const passwords = new Passwords({ atOnce: 1, queueMax: 10 });
  const hash = (await passwords.hash('correct horse')) as string;
  let failures = 0;
  const guard = {
    refusal: () => (failures >= 1 ? new Refusal('rate_limited') : undefined),
    checked: (fits: boolean) => {
      if (!fits) failures++;
    },
  };
  const results = await Promise.all(Array.from({ length: 3 }, () => passwords.verify(hash, 'guess', guard)));
  expect(results.map((result) => result instanceof Refusal)).toEqual([false, true, true]);
});
