import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isName } from '@parlance/schema/ids';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseLine, type Reason } from './line.ts';
import { dateOfName, type Entry, LogError, type Read, readLog, split } from './log.ts';
import { foldNick, userIdOf } from './nick.ts';

describe('a line', () => {
  test.each([
    [
      '[09:14] <|QuaD-> will: totem has caused me no troubles',
      { kind: 'message', seconds: 33_240, nick: '|QuaD-', text: 'will: totem has caused me no troubles' },
    ],
    ['[17:13]  * eagle-101 wonders if', { kind: 'action', seconds: 61_980, nick: 'eagle-101', text: 'wonders if' }],
    ['[17:13] * eagle-101 has joined the club', { kind: 'action', seconds: 61_980, nick: 'eagle-101', text: 'has joined the club' }],
    ['[23:59:58] <@ops>  two spaces ', { kind: 'message', seconds: 86_398, nick: 'ops', text: ' two spaces ' }],
    ['[11:22] <zcat[1] > umm', { kind: 'message', seconds: 40_920, nick: 'zcat[1]', text: 'umm' }],
    ['[04:48] <[cc] smart> got', { kind: 'message', seconds: 17_280, nick: '[cc]smart', text: 'got' }],
    ['[10:00] <a> <b> quoted', { kind: 'message', seconds: 36_000, nick: 'a', text: '<b> quoted' }],
  ])('%s is understood', (line, expected) => {
    expect(parseLine(line)).toEqual(expected);
  });

  test.each<[string, Reason]>([
    ['=== L0sT [~waa3@raptor.ukc.ac.uk]  has joined #ubuntu', 'joined_or_left'],
    ['=== maz1977 [~maz1977@gw-cu.metafora.mi.it]  has left #ubuntu []', 'joined_or_left'],
    ['=== x was kicked off #ubuntu by Amaranth (Amaranth)', 'joined_or_left'],
    ['=== fox[off]  [~FoX@example.org]  has joined #ubuntu', 'joined_or_left'],
    ['=== mode/#ubuntu [+b *!*@example.org]  by nalioth', 'mode'],
    ['=== a_ is now known as a', 'nick_change'],
    ['=== #ubuntu [+o Seveas] by ChanServ', 'mode'],
    ['=== jiyuu0 here to witness...', 'status'],
    ['[05:12] -zaijvjs:#ubuntu- happy', 'notice'],
    ['[09:43] <drcode> ', 'empty_text'],
    ['[09:43] <drcode>', 'empty_text'],
    ['', 'empty_text'],
    ['[24:00] <a> no such time', 'not_understood'],
    ['--- Day changed', 'not_understood'],
    ['[10:00] * ', 'not_understood'],
  ])('%s is left out', (line, reason) => {
    expect(parseLine(line)).toMatchObject({ kind: 'left_out', reason });
  });

  test('whatever stands in it, it is understood or left out', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('[', '0', '1', ':', ']', ' ', '<', '>', '*', '-', '=', 'a', '\u001b', '\n') }), (line) => {
        const understood = parseLine(line);
        if (understood.kind !== 'left_out') expect(understood.nick.length * understood.text.trim().length).toBeGreaterThan(0);
      }),
    );
  });
});

test('a text too long for one message is split between characters, and the parts are the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), fc.integer({ min: 4, max: 20 }), (text, bytesMax) => {
      const parts = split(text, bytesMax);
      expect(parts.join('')).toBe(text);
      for (const part of parts) expect(Buffer.byteLength(part)).toSatisfy((bytes: number) => bytes > 0 && bytes <= bytesMax);
    }),
  );
});

test('the date is taken from the file name, if it is one', () => {
  expect(dateOfName('/logs/2004-12-25.train-c.raw.txt')).toBe('2004-12-25');
  expect(dateOfName('#ubuntu-2006-01-12.log')).toBe('2006-01-12');
  expect(dateOfName('2004-02-31.txt')).toBeUndefined();
  expect(dateOfName('ubuntu.log')).toBeUndefined();
});

async function logOf(content: string | Buffer, name = '2006-01-12.txt'): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-log-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const readAll = async (path: string, date = '2006-01-12', offset = 0): Promise<Read[]> => Array.fromAsync(readLog(path, date, offset));
const entriesOf = (read: Read[]): Entry[] => read.flatMap((line) => ('entries' in line ? line.entries : []));

describe('a log', () => {
  test('a time lower than the one before is of the next day', async () => {
    const path = await logOf('[23:58] <a> one\n[23:59] -n:#c- notice\n[00:01] <b> two\n[00:01] <a> three\n[00:00] <a> four\n');
    expect(entriesOf(await readAll(path)).map(({ time }) => time)).toEqual([
      '2006-01-12T23:58:00.000Z',
      '2006-01-13T00:01:00.000Z',
      '2006-01-13T00:01:00.000Z',
      '2006-01-14T00:00:00.000Z',
    ]);
  });

  test('a clock ahead of UTC is put right', async () => {
    const path = await logOf('[00:30] <a> one');
    expect(entriesOf(await readAll(path, '2006-01-12', 60))[0]!.time).toBe('2006-01-11T23:30:00.000Z');
  });

  test('two equal lines have keys of their own, and the same file has the same keys wherever it lies', async () => {
    const content = '[09:00] <a> hi\n[09:00] <a> hi\n';
    const keys = async (name: string): Promise<string[]> => entriesOf(await readAll(await logOf(content, name))).map(({ clientId }) => clientId);
    const first = await keys('2006-01-12.txt');
    expect(new Set(first).size).toBe(2);
    expect(await keys('2006-01-12.txt')).toEqual(first);
    expect(await keys('2006-01-13.txt')).not.toContain(first[0]);
    expect(first[0]).toMatch(/^[0-9a-f]{32}$/);
  });

  test('a long text becomes several messages with a key each', async () => {
    const text = 'é'.repeat(10_000);
    const entries = entriesOf(await readAll(await logOf(`[09:00] <a> ${text}\n`)));
    expect(entries.map((entry) => entry.text).join('')).toBe(text);
    expect(new Set(entries.map((entry) => entry.clientId)).size).toBe(3);
    expect(new Set(entries.map((entry) => entry.line))).toEqual(new Set([1]));
  });

  test('old encodings, NUL, line ends of other systems and a missing last one are no trouble', async () => {
    const path = await logOf(Buffer.from('\xef\xbb\xbf[09:00] <a> caf\xe9\r\n[09:00] <a> a\0b\u0008\u0085c\r\n[09:01] <b> last', 'latin1'));
    expect(entriesOf(await readAll(path)).map(({ text }) => text)).toEqual(['café', 'a␀b\u0008…c', 'last']);
  });

  test('a line without end is refused, not swallowed', async () => {
    await expect(readAll(await logOf(Buffer.alloc(1_300_000, 0x61)))).rejects.toThrow(LogError);
  });

  test('lines that fall on the edges of what is read at once stay whole', async () => {
    const lines = Array.from({ length: 9000 }, (_, index) => `[09:00] <a> ${index} ${'x'.repeat(index % 97)}`);
    const entries = entriesOf(await readAll(await logOf(lines.join('\n'))));
    expect(entries.map(({ text }) => `[09:00] <a> ${text}`)).toEqual(lines);
  });
});

const corpus = fileURLToPath(new URL('../../../../../shared/data/ubuntu-irc', import.meta.url));
const isThere = existsSync(corpus);
if (!isThere) console.log(`NOT RUN: the real logs of #ubuntu are not at ${corpus}`);

describe.skipIf(!isThere)('thirty days of #ubuntu', () => {
  const files = async (): Promise<string[]> => (await readdir(corpus)).filter((name) => name.endsWith('.raw.txt')).sort();

  test('every line is imported or left out with a reason, and every text is as it stands in the log', async () => {
    const leftOut: Partial<Record<Reason, number>> = {};
    const keys = new Set<string>();
    let lines = 0;
    let imported = 0;
    for (const name of await files()) {
      const raw = (await readFile(join(corpus, name), 'utf8')).split('\n').slice(0, -1);
      const read = await readAll(join(corpus, name), dateOfName(name));
      expect(read.length).toBe(raw.length);
      lines += raw.length;
      for (const [index, line] of read.entries()) {
        if ('leftOut' in line) {
          leftOut[line.leftOut] = (leftOut[line.leftOut] ?? 0) + 1;
          continue;
        }
        imported++;
        const [{ kind, nick, text, clientId } = expect.fail()] = line.entries;
        keys.add(clientId);
        // Without the space that some of the logs have after a ] of the nick.
        const said = raw[index]!.slice('[00:00]'.length).replace(/^ <.*?> /, (shown) => shown.replace(/\] (?!>? ?$)|\] (?=>)/g, ']'));
        expect(said).toBe(kind === 'message' ? ` <${nick}> ${text}` : `  * ${nick} ${text}`);
      }
    }
    expect({ lines, imported, keys: keys.size }).toEqual({ lines: 42_835, imported: keys.size, keys: imported });
    expect(imported + Object.values(leftOut).reduce((sum, count) => sum + count, 0)).toBe(lines);
    console.log(`of ${lines} lines ${imported} are imported; left out: ${JSON.stringify(leftOut)}`);
  });

  test('every nick has a valid id, and no two share one', async () => {
    const nicks = new Set<string>();
    for (const name of await files()) for (const { nick } of entriesOf(await readAll(join(corpus, name), dateOfName(name)))) nicks.add(nick);
    const folded = new Set(Array.from(nicks, foldNick));
    const ids = new Set(Array.from(nicks, (nick) => userIdOf(nick)));
    expect(ids.size).toBe(folded.size);
    expect([...ids].filter((id) => !isName(id))).toEqual([]);
    expect(nicks.size).toBeGreaterThan(1000);
  });
});
