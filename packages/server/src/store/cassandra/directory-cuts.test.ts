import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cutsOf, rangeOf } from './directory-cuts.ts';
import { directoryShards } from './places.ts';

const logs = join(import.meta.dirname, '../../../../../../shared/data/ubuntu-irc');

/** Everybody who said something in one half of the logs: not the half that the tables were counted in. */
function realNames(): string[] {
  const names = readdirSync(logs)
    .filter((file) => file.includes('train-c'))
    .flatMap((file) => [...readFileSync(join(logs, file), 'utf8').matchAll(/^\[\d\d:\d\d\] (?:<([^>]+)>|\* (\S+))/gm)])
    .map(([, said, did]) => (said ?? did!).toLowerCase());
  return [...new Set(names)].filter((name) => /^[a-z0-9][a-z0-9._-]{0,31}$/.test(name));
}

/** Largest shard by the mean. */
function unevenness(names: string[], shards: number, shardOf: (name: string) => number): number {
  const sizes = new Array<number>(shards).fill(0);
  for (const name of names) sizes[shardOf(name)]! += 1;
  return Math.max(...sizes) / (names.length / shards);
}

/** As many shards, every first and second character taken for as frequent as any other. */
function unweighted(name: string, shards: number): number {
  const characters = '0123456789abcdefghijklmnopqrstuvwxyz';
  const at = (index: number): number => Math.max(0, characters.indexOf(name[index] ?? '0'));
  return Math.floor(((at(0) * 36 + at(1)) * shards) / (36 * 36));
}

describe('the cuts of the directory', () => {
  it('rise, so that shards one after another are names in order', () => {
    for (const shards of [2, 8, 64, 256]) {
      const cuts = cutsOf(shards);
      expect(cuts).toHaveLength(shards - 1);
      for (let index = 1; index < cuts.length; index++) expect(cuts[index]! > cuts[index - 1]!, `${cuts[index - 1]} ${cuts[index]}`).toBe(true);
    }
  });

  it('put every name in the shard whose range it is in', () => {
    const cuts = cutsOf(8);
    expect(rangeOf('', 8)).toBe(0);
    expect(rangeOf('0', 8)).toBe(0);
    expect(rangeOf('zzzz', 8)).toBe(7);
    for (const [index, cut] of cuts.entries()) {
      expect(rangeOf(cut, 8)).toBe(index + 1);
      expect(rangeOf(`${cut}a`, 8)).toBe(index + 1);
      expect(rangeOf(cut.slice(0, -1), 8)).toBe(index);
    }
  });

  it('are what they always were: rows are looked for where these say', () => {
    expect(cutsOf(8).join(' ')).toBe('bos dyl hha lac nia rma tex');
    expect([cutsOf(64)[0], cutsOf(64)[31], cutsOf(64)[62]]).toEqual(['abi', 'lac', 'z1j']);
  });

  it('make shards of real names that are far more even than unweighted ones', (context) => {
    if (!existsSync(logs)) context.skip('NOT RUN: the chat logs are not here');
    const names = realNames();
    expect(names.length).toBeGreaterThan(1900);
    const weighted = unevenness(names, directoryShards, (name) => rangeOf(name, directoryShards));
    const plain = unevenness(names, directoryShards, (name) => unweighted(name, directoryShards));
    console.log(`largest shard / mean, ${names.length} names in ${directoryShards} shards: ${weighted.toFixed(2)}; unweighted ${plain.toFixed(2)}`);
    expect(weighted).toBeLessThan(2);
    expect(plain).toBeGreaterThan(2 * weighted);
  });
});
