import { expect, test } from 'vitest';
import { BadBody, parseBody } from './body.ts';

const codeOf = (bytes: string | Buffer, contentType = 'application/json'): string => {
  try {
    parseBody(contentType, Buffer.from(bytes));
  } catch (error) {
    if (error instanceof BadBody) return error.refusal.code;
  }
  return 'fine';
};

test('JSON in UTF-8 is parsed, and an empty body is none', () => {
  expect(parseBody('application/json; charset=UTF-8', Buffer.from('{"text":"é💬"}'))).toEqual({ text: 'é💬' });
  expect(parseBody('application/json', Buffer.alloc(0))).toBeUndefined();
});

test.each([
  ['{'],
  ["{'a':1}"],
  ['{"a":1}}'],
  ['NaN'],
  [Buffer.from([0x22, 0xff, 0x22])],
  [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  [Buffer.from('{"a":1}', 'utf16le')],
])('%s is malformed', (bytes) => {
  expect(codeOf(bytes)).toBe('malformed_json');
});

test('another character set is another media type', () => {
  expect(codeOf('{}', 'application/json; charset=iso-8859-1')).toBe('unsupported_media_type');
});

test('no nesting is too deep to be answered', () => {
  expect(['fine', 'malformed_json']).toContain(codeOf('['.repeat(4_000_000)));
  expect(codeOf(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)).toBe('fine');
});
