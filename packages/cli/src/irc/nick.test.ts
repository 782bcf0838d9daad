import { isName } from '@parlance/schema/ids';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { besideGroup, foldNick, userIdOf } from './nick.ts';

// Near each other on purpose: the signs that the escaping itself uses, the ones IRC folds, and the start of a long run.
const nick = fc.oneof(
  fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom('0', '.', '_', '-', 'h', '2', 'e', 'a', 'A', '[', '{', '^', '~', '|', '\\', 'é') }),
  fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom('a', 'h', '.', '0') }),
  fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }),
);

/** The folded nick told from an id that was not shortened. */
function nickOf(id: string): string {
  const escaped = /^0\.(?![0-9a-f])/.test(id) ? id.slice(2) : id;
  const bytes = escaped.match(/\.[0-9a-f]{2}|[a-z0-9_-]/g)!.map((part) => (part.length === 3 ? Number.parseInt(part.slice(1), 16) : part.charCodeAt(0)));
  return Buffer.from(bytes).toString();
}

describe('the user id of a nick', () => {
  test.each([
    ['alice', 'alice'],
    ['Alice', 'alice'],
    ['|QuaD-', '0..7cquad-'],
    ['[miles]', '0..7bmiles.7d'],
    ['{MILES}', '0..7bmiles.7d'],
    ['_bob', '0._bob'],
    ['0_bob', '0_bob'],
    ['a.b', 'a.2eb'],
    ['eric~', 'eric.5e'],
    ['eric^', 'eric.5e'],
    ['josé', 'jos.c3.a9'],
  ])('%s is %s', (given, expected) => {
    expect(userIdOf(given)).toBe(expected);
  });

  test('any nick has an id that the server takes, also beside a group of that name', () => {
    fc.assert(
      fc.property(nick, fc.constantFrom('', 'irc-', 'freenode.irc'), (given, prefix) => {
        expect(userIdOf(given, prefix)).toSatisfy(isName);
        expect(besideGroup(userIdOf(given, prefix))).toSatisfy(isName);
      }),
    );
  });

  test('two nicks share an id exactly if IRC takes them for the same', () => {
    fc.assert(
      fc.property(nick, nick, (a, b) => {
        const all = [userIdOf(a), besideGroup(userIdOf(a)), userIdOf(b), besideGroup(userIdOf(b))];
        expect(new Set(all).size).toBe(foldNick(a) === foldNick(b) ? 2 : 4);
      }),
      { numRuns: 5000 },
    );
  });

  test('the folded nick can be told from an id that was not shortened', () => {
    fc.assert(
      fc.property(nick, (given) => {
        const id = userIdOf(given);
        fc.pre(!id.includes('.h'));
        expect(nickOf(id)).toBe(foldNick(given));
      }),
      { numRuns: 2000 },
    );
  });

  test('a shortened id is told apart by its digest and looks like no other', () => {
    const long = userIdOf('a'.repeat(32));
    expect(long).toMatch(/^a{15}\.h[0-9a-f]{14}$/);
    expect(userIdOf('a'.repeat(33))).not.toBe(long);
    expect(userIdOf('a'.repeat(31))).toBe('a'.repeat(31));
  });
});
