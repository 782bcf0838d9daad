import { createHash, createHmac, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { partitionOf } from '../journal/port.ts';
import { decisionKey, newClientId, Writes } from './writes.ts';

const form = /^[0-9a-f]{40}$/;

test('the decision key of a UUIDv7 begins with its milliseconds and a digit of its journal partition, and goes on with a hash of all three ids', () => {
  const ms = Date.UTC(2026, 0, 31, 12, 59);
  const id = newClientId(ms);
  const key = decisionKey('d:ann:bob', 'ann', id);
  expect(key).toMatch(form);
  expect(key.slice(0, 12)).toBe(ms.toString(16).padStart(12, '0'));
  expect(Number.parseInt(key[12]!, 16)).toBe(partitionOf('d:ann:bob', 16));
  expect(Number.parseInt(key[12]!, 16) % 8).toBe(partitionOf('d:ann:bob', 8));
  expect(key.slice(13)).toBe(createHash('sha256').update(`d:ann:bob\0ann\0${id}`).digest('hex').slice(0, 27));
  expect(decisionKey('g:team', 'ann', id)[12]).toBe(partitionOf('team', 16).toString(16));
});

test.each(['x', 'order 7'.replace(' ', '-'), 'f47ac10b-58cc-4372-a567-0e02b2c3d479', '01890a5d-ac96-7b3c-1f00-000000000000', '0'.repeat(36)])(
  'any other client_id, such as %s, begins with f, which no time does',
  (id) => expect(decisionKey('g:team', 'ann', id)).toMatch(/^f[0-9a-f]{39}$/),
);

test('no UUIDv7 reaches the keys of others, whatever time it claims', () => {
  const digest = createHash('sha256').update('g:team\0ann\0ffffffff-ffff-7fff-bfff-ffffffffffff').digest('hex');
  expect(decisionKey('g:team', 'ann', 'ffffffff-ffff-7fff-bfff-ffffffffffff')).toBe(`f${digest.slice(27, 39)}${digest.slice(0, 27)}`);
});

test('the key differs by conversation, author and client_id, and the case of a UUID is part of it', () => {
  const id = 'ABCDEF01-0000-7000-8000-00000000000A';
  const keys = [
    decisionKey('d:ann:bob', 'ann', id),
    decisionKey('d:ann:bob', 'bob', id),
    decisionKey('d:ann:cem', 'ann', id),
    decisionKey('d:ann:bob', 'ann', id.toLowerCase()),
  ];
  expect(new Set(keys).size).toBe(keys.length);
});

test('the fingerprint is an HMAC-SHA-256 of the body, for short and long keys and texts beyond ASCII', () => {
  for (const bytes of [16, 32, 64]) {
    const key = randomBytes(bytes);
    const writes = new Writes(key);
    for (const text of ['', 'hello', '💬'.repeat(2048), 'é'.repeat(20_000)]) {
      const expected = createHmac('sha256', key).update(`send\0${text}`).digest('hex').slice(0, 32);
      expect(writes.fingerprint(['send', text])).toBe(expected);
    }
  }
});

test('bodies that differ in a field, or in what is left out, have different fingerprints', () => {
  const writes = new Writes(randomBytes(32));
  const bodies = [
    ['update', 'a', null],
    ['update', null, 'a'],
    ['update', 'a', true],
    ['update', 'a', false],
    ['edit', 'a', null],
  ];
  expect(new Set(bodies.map((body) => writes.fingerprint(body))).size).toBe(bodies.length);
});

test('another installation key makes another fingerprint', () => {
  expect(new Writes(randomBytes(32)).fingerprint(['send', 'a'])).not.toBe(new Writes(randomBytes(32)).fingerprint(['send', 'a']));
});

test('client ids that are made are UUIDv7s of their time and never the same', () => {
  const now = Date.UTC(2026, 5, 1);
  const ids = Array.from({ length: 1000 }, () => newClientId(now));
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(ids).size).toBe(ids.length);
  expect(Number.parseInt(ids[0]!.replaceAll('-', '').slice(0, 12), 16)).toBe(now);
});
