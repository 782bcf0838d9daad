import { clientIdPattern } from '@parlance/schema/ids';
import { expect, test } from 'vitest';
import { randomOf } from '../test-support/random.ts';
import { makeClientId } from './client-id.ts';

test('a client_id is a UUIDv7 that begins with its time', () => {
  const id = makeClientId(0x0192_3456_789a, randomOf(1));
  expect(id).toMatch(/^01923456-789a-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(id).toMatch(new RegExp(clientIdPattern));
});

test('client_ids of the same moment differ', () => {
  const random = randomOf(2);
  expect(new Set(Array.from({ length: 10_000 }, () => makeClientId(1, random))).size).toBe(10_000);
});
