import { expect, it } from 'vitest';
import { bestMatches, matchScore } from './fuzzy.ts';

const best = (typed: string, ...names: string[]): string[] => bestMatches(typed, names, (name) => [name]);

it('finds a name by some of its letters in their order, whatever their case and accents', () => {
  expect(best('ines', 'Inês Carvalho', 'Jonas Weber')).toEqual(['Inês Carvalho']);
  expect(best('jw', 'Inês Carvalho', 'Jonas Weber')).toEqual(['Jonas Weber']);
  expect(best('zz', 'Jonas Weber')).toEqual([]);
  expect(best('سم', 'سمير خوري', 'Samir')).toEqual(['سمير خوري']);
});

it('puts beginnings before middles, and short names before long ones', () => {
  expect(best('be', 'Jonas Weber', 'Ben Okafor', 'The Tempest, backstage')[0]).toBe('Ben Okafor');
  expect(best('team', 'team-north-and-south', 'team')[0]).toBe('team');
  expect(best('tt', 'little', 'The Tempest')[0]).toBe('The Tempest');
});

it('fits everything when nothing is typed', () => {
  expect(matchScore(' ', 'anything')).toBe(0);
});
