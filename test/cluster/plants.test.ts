import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Random } from '../support/random.ts';
import { faultNamed, faults, schedule } from './faults.ts';
import { planted } from './planting.ts';
import { plants } from './plants.ts';

const packages = join(import.meta.dirname, '../../packages');
const sourceOf = (file: string): string => readFileSync(join(packages, file.replace(/^(server|sdk)\/src/, '$1/src')), 'utf8');

it.each(plants)('finds where to plant: $name', ({ changes, blows }) => {
  for (const change of changes) expect(planted(sourceOf(change.file), change)).not.toBe(sourceOf(change.file));
  for (const name of blows.flat()) faultNamed(name);
});

it('has at least ten plants, each with a name of its own', () => {
  expect(new Set(plants.map(({ name }) => name)).size).toBe(plants.length);
  expect(plants.length).toBeGreaterThanOrEqual(10);
});

it('does not plant what it does not find, or finds twice', () => {
  const change = { file: 'x.ts', find: 'a  b', replace: 'c' };
  expect(planted('a\n b', change)).toBe('c');
  expect(() => planted('a c', change)).toThrow('0 times');
  expect(() => planted('a b a b', change)).toThrow('2 times');
});

it('makes the same schedule of the same seed, with every fault in it before any comes again, and never two of one kind at once', () => {
  const blows = schedule(new Random(7), 40);
  expect(schedule(new Random(7), 40)).toEqual(blows);
  expect(schedule(new Random(8), 40)).not.toEqual(blows);
  expect(new Set(blows.flat().slice(0, faults.length)).size).toBe(faults.length);
  for (const blow of blows) expect(new Set(blow.map((name) => faultNamed(name).kind)).size).toBe(blow.length);
  expect(blows.some(({ length }) => length > 1)).toBe(true);
});
