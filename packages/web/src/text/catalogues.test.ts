import { describe, expect, it } from 'vitest';
import { ar } from './ar.ts';
import { de } from './de.ts';
import { en } from './en.ts';
import { chooseLanguage } from './language.ts';

/** Every text by its path; a function by how many values it takes, a list by its length. */
function shapeOf(value: unknown, path = ''): string[] {
  if (typeof value === 'string') return [`${path}: text`];
  if (typeof value === 'function') return [`${path}: function`];
  if (Array.isArray(value)) return [`${path}: ${value.length} parts`];
  return Object.entries(value as object).flatMap(([key, inner]) => shapeOf(inner, `${path}.${key}`));
}

describe.each([
  ['German', de],
  ['Arabic', ar],
])('%s', (_, catalogue) => {
  it('has every text that English has, of the same kind, and no other', () => {
    expect(shapeOf(catalogue).sort()).toEqual(shapeOf(en).sort());
  });

  it('leaves nothing empty', () => {
    const empty = (value: unknown, path: string): string[] =>
      value === ''
        ? [path]
        : typeof value === 'object' && !Array.isArray(value)
          ? Object.entries(value as object).flatMap(([key, one]) => empty(one, `${path}.${key}`))
          : [];
    expect(empty(catalogue, '')).toEqual([]);
  });
});

it('counts in each language as its people do', () => {
  expect([en.list.unread(1), en.list.unread(2000)]).toEqual(['1 unread message', '2,000 unread messages']);
  expect([de.list.unread(1), de.list.unread(2000)]).toEqual(['1 ungelesene Nachricht', '2.000 ungelesene Nachrichten']);
  expect(new Set([1, 2, 3, 11].map((n) => ar.chat.members(n))).size).toBe(4);
});

it('says why somebody cannot log in in one sentence', () => {
  for (const { problems, account } of [en, de, ar]) {
    for (const sentence of [
      ...Object.values(problems),
      account.nameMissing,
      account.nameWrong,
      account.emailWrong,
      account.passwordMissing,
      account.passwordShort,
    ]) {
      expect(sentence).toMatch(/^[^.]+\.$/);
    }
  }
});

it('chooses the first language that it speaks', () => {
  expect(chooseLanguage(['fr-FR', 'de-AT', 'en'])).toBe('de');
  expect(chooseLanguage(['ar-EG'])).toBe('ar');
  expect(chooseLanguage(['fr', 'constructor'])).toBe('en');
});
