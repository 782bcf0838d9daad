import { calls } from '@parlance/schema/calls';
import { expect, test } from 'vitest';
import { routes, streamed } from './routes.ts';

test('every call has the method and path of the schema', () => {
  const expected = Object.fromEntries(Object.entries(calls).map(([name, { method, path }]) => [name, [method, path]]));
  expect(routes).toEqual(expected);
});

test('the streamed calls are those of the schema', () => {
  const expected = Object.entries(calls).filter(([, call]) => 'stream' in call);
  expect([...streamed]).toEqual(expected.map(([name]) => name));
});
