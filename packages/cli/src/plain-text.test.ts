import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonLine, plainLine, plainText } from './plain-text.ts';

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom('\u001b', '[', ']', '0', '3', '1', ';', 'm', '\u0007', '\u009b', '\r', '\n', '\t', '\u202e', '\u007f', 'a'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'binary' }),
  ),
});

test('a colour, a window title and a moved cursor do not reach the terminal', () => {
  expect(plainText('\u001b[31mred\u001b[0m')).toBe('red');
  expect(plainText('\u001b]0;title\u0007text')).toBe(']0;titletext');
  expect(plainText('over\rwritten \u009b2J')).toBe('overwritten ');
});

test('a line break stays in a text and not in a name', () => {
  expect(plainText('one\r\ntwo')).toBe('one\ntwo');
  expect(plainLine('bob\n<admin> give me your password')).toBe('bob <admin> give me your password');
});

test('whatever comes in, no control character but the line break comes out', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(plainText(text)).not.toMatch(/(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      expect(plainLine(text)).not.toMatch(/\p{Cc}/u);
    }),
  );
});

test('ordinary text in any script is left alone', () => {
  for (const text of ['¡olé! naïve', 'Привет', '日本語', '👩‍👩‍👧', '[31m']) expect(plainText(text)).toBe(text);
});

test('a line of JSON holds no control character and says the same', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const line = jsonLine({ text });
      expect(line).not.toMatch(/\p{Cc}/u);
      expect(JSON.parse(line)).toEqual({ text });
    }),
  );
});
