import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSteps } from './migrations.ts';
import { insert } from './mutations.ts';

/** What the files of this folder say, without comments. */
const sources = readdirSync(import.meta.dirname)
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  .map((name) => ({ name, text: readFileSync(join(import.meta.dirname, name), 'utf8').replaceAll(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '') }));

describe('the statements', () => {
  it('write nothing without a timestamp', () => {
    expect(insert('own', 'conversation, user_id')).toBe('INSERT INTO own (conversation, user_id) VALUES (?, ?) USING TIMESTAMP ?');
    // One place makes the statements that write; beside it only the guard of the migrations writes, and only its own table.
    expect(sources.filter(({ text }) => text.includes('INSERT INTO')).map(({ name }) => name)).toEqual(['mutations.ts']);
    const updates = sources.filter(({ text }) => /\bUPDATE \w/.test(text));
    expect(updates.map(({ name }) => name)).toEqual(['migrations.ts']);
    expect(updates[0]!.text.match(/\bUPDATE \w+/g)).toEqual(['UPDATE migration']);
  });

  it('delete nothing, filter nothing, and lock nothing but the migrations', () => {
    for (const { name, text } of sources) {
      expect(text, name).not.toMatch(/\bDELETE\b|ALLOW FILTERING|CREATE INDEX|BEGIN BATCH/);
      if (name !== 'migrations.ts') expect(text, name).not.toMatch(/\bIF (NOT )?EXISTS\b(?! \$\{keyspace\})|\bIF \w+ =/);
    }
  });

  it('make tables that are read with blocking repair and may be made twice', () => {
    const [first] = readSteps();
    expect(first?.version).toBe(1);
    expect(first?.statements).toHaveLength(12);
    for (const statement of first!.statements) {
      expect(statement).toMatch(/^CREATE TABLE IF NOT EXISTS \w+ \(/);
      expect(statement).toContain("read_repair = 'BLOCKING'");
    }
  });
});
