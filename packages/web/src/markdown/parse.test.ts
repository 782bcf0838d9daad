import { expect, it } from 'vitest';
import { mayHaveMarkup } from './detect.ts';
import type { Node } from './node.ts';
import { parse } from './parse.ts';

const show = (nodes: readonly Node[]): string =>
  nodes.map((node) => (typeof node === 'string' ? node : `<${node.type}${node.href === undefined ? '' : ` ${node.href}`}>${show(node.children)}</>`)).join('');
const hrefs = (nodes: readonly Node[]): string[] =>
  nodes.flatMap((node) => (typeof node === 'string' ? [] : [...(node.href === undefined ? [] : [node.href]), ...hrefs(node.children)]));

it.each([
  ['**bold** and *soft* and ~~gone~~', '<paragraph><strong>bold</> and <em>soft</> and <del>gone</></>'],
  ['one\ntwo', '<paragraph>one<break></>two</>'],
  ['`a < b`', '<paragraph><code>a < b</></>'],
  ['```js\nlet x;\n```', '<block>let x;</>'],
  ['- one\n- two', '<bullets><item>one</><item>two</></>'],
  ['> said\n\nanswered', '<quote><paragraph>said</></><paragraph>answered</>'],
  ['[here](https://example.org/a)', '<paragraph><link https://example.org/a>here</></>'],
  ['see https://example.org/b.', '<paragraph>see <link https://example.org/b>https://example.org/b</>.</>'],
  ['# no heading', '<paragraph># no heading</>'],
  ['<b>no html</b> &amp; no entity', '<paragraph><b>no html</b> &amp; no entity</>'],
  ['![no picture](https://example.org/x.png)', '<paragraph>!<link https://example.org/x.png>no picture</></>'],
])('reads %j', (text, tree) => {
  expect(show(parse(text))).toBe(tree);
});

it('makes a link to the web or a mailbox only', () => {
  for (const href of [
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    '//elsewhere/x',
    '/c/@bob',
    '&#106;avascript:alert(1)',
  ]) {
    expect(hrefs(parse(`[click](${href})`)), href).toEqual([]);
  }
  expect(hrefs(parse('[a]: javascript:alert(1)\n\n[a]'))).toEqual([]);
  expect(hrefs(parse('<mailto:a@example.org> and <https://example.org>'))).toEqual(['mailto:a@example.org', 'https://example.org']);
});

it('takes what is hostile in time that nobody notices', () => {
  const hostile = [
    '['.repeat(4000),
    '*'.repeat(8000),
    `${'>'.repeat(4000)} x`,
    '`'.repeat(7999),
    '_a'.repeat(4000),
    `${'['.repeat(900)}x${'](x)'.repeat(900)}`,
  ];
  const began = performance.now();
  for (const text of hostile) parse(text);
  expect(performance.now() - began).toBeLessThan(2000);
});

it('knows a text without markup from one that may have some', () => {
  for (const text of ['Good morning!', 'Ten to 12, then 1.5 hours.', 'a - b', 'what? (really)', 'two\nlines', '30 °C'])
    expect(mayHaveMarkup(text), text).toBe(false);
  for (const text of ['**b**', '_i_', '`c`', '- item', 'first\n- item', '1. item', '> quote', 'https://example.org', '[a](b)', '~~x~~', 'a\n\n```\nb\n```']) {
    expect(mayHaveMarkup(text), text).toBe(true);
  }
});
