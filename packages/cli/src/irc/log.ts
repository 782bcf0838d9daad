import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { textBytesMax } from '@parlance/schema/limits';
import type { MessageKind } from '@parlance/schema/types';
import { parseLine, type Reason } from './line.ts';

// A log file as the messages to import, in order, each with the key under which the server decides it once. What a key is made of is a
// promise: with another recipe, importing the same file again would bring every message a second time.

/** One message as it is to be imported; its author is still a nick. */
export interface Entry {
  /** In the file, from 1. */
  line: number;
  nick: string;
  kind: MessageKind;
  text: string;
  /** RFC 3339, UTC. */
  time: string;
  clientId: string;
}

/** What one line came to: one entry, or several when the text was too long for one message, or none and why. */
export type Read = { entries: Entry[] } | { leftOut: Reason };

/** A line longer than this is no line of a chat. */
const lineBytesMax = 1_048_576;

/** The file cannot be read as a log. The message is one sentence. */
export class LogError extends Error {}

/** The date in the name of a file, YYYY-MM-DD, if there is one that exists. */
export function dateOfName(name: string): string | undefined {
  const date = /(?:^|\D)(\d{4}-\d\d-\d\d)(?:\D|$)/.exec(basename(name))?.[1];
  return date !== undefined && isDate(date) ? date : undefined;
}

/** Whether `value` is a day of the calendar, YYYY-MM-DD. */
export const isDate = (value: string): boolean => {
  const time = new Date(`${value}T00:00:00Z`);
  return /^\d{4}-\d\d-\d\d$/.test(value) && !Number.isNaN(time.getTime()) && time.toISOString().startsWith(value);
};

/**
 * Reads a log: what every line of it came to, in order. Throws LogError.
 *
 * `date` is the day of the first line. The lines run in time order, so a time lower than the one before means the next day; a log kept with a
 * 12-hour clock is therefore taken to pass midnight at noon. Times decide nothing but what is shown. `utcOffsetMinutes` is how far the clock
 * of the log was ahead of UTC.
 */
export async function* readLog(path: string, date: string, utcOffsetMinutes = 0): AsyncGenerator<Read> {
  const name = basename(path);
  const midnight = Date.parse(`${date}T00:00:00Z`) - utcOffsetMinutes * 60_000;
  let days = 0;
  let secondsBefore = 0;
  let number = 0;
  for await (const bytes of linesOf(path)) {
    number++;
    const line = parseLine(decode(bytes, number === 1));
    if (line.seconds !== undefined) {
      if (line.seconds < secondsBefore) days++;
      secondsBefore = line.seconds;
    }
    if (line.kind === 'left_out') {
      yield { leftOut: line.reason };
      continue;
    }
    const { kind, nick, text, seconds } = line;
    const time = new Date(midnight + (days * 86_400 + seconds) * 1000).toISOString();
    const texts = split(text);
    yield {
      entries: texts.map((part, index) => ({
        line: number,
        nick,
        kind,
        text: part,
        time,
        clientId: clientIdOf(name, number, bytes, texts.length > 1 ? index + 1 : undefined),
      })),
    };
  }
}

/** The first 32 hexadecimal digits of the SHA-256 of file name, line number and line, and of the part's number when the text is split, with NUL between them. */
function clientIdOf(name: string, number: number, line: Uint8Array, part: number | undefined): string {
  const hash = createHash('sha256').update(`${name}\0${number}\0`).update(line);
  if (part !== undefined) hash.update(`\0${part}`);
  return hash.digest('hex').slice(0, 32);
}

const byteOrderMark = [0xef, 0xbb, 0xbf];
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const windows1252 = new TextDecoder('windows-1252');

/**
 * The line as text. What is not UTF-8 was written by a client of before: its line is read as Windows-1252, of which nothing is invalid. NUL,
 * which no message may hold, becomes its picture ␀; other control characters (IRC's colours are some) stay, and whoever shows them strips them.
 */
function decode(line: Uint8Array, isFirst: boolean): string {
  const bytes = isFirst && byteOrderMark.every((byte, index) => line[index] === byte) ? line.subarray(byteOrderMark.length) : line;
  try {
    return utf8.decode(bytes).replaceAll('\0', '␀');
  } catch {
    return windows1252.decode(bytes).replaceAll('\0', '␀');
  }
}

/** The text in parts of at most `bytesMax` bytes of UTF-8, none of which splits a character; put together again they are the text. */
export function split(text: string, bytesMax = textBytesMax): string[] {
  if (Buffer.byteLength(text) <= bytesMax) return [text];
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  for (let from = 0; from < bytes.length; ) {
    let to = Math.min(from + bytesMax, bytes.length);
    // 10xxxxxx continues a character.
    while (to < bytes.length && (bytes[to]! & 0xc0) === 0x80) to--;
    parts.push(bytes.toString('utf8', from, to));
    from = to;
  }
  return parts;
}

/** How many lines a log has. Throws LogError. */
export async function countLines(path: string): Promise<number> {
  let lines = 0;
  for await (const _ of linesOf(path)) lines++;
  return lines;
}

/** The lines of a file as bytes, without LF or CRLF: a line of a log may hold any other character that somebody might take for a line's end. */
async function* linesOf(path: string): AsyncGenerator<Uint8Array> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let from = 0;
    for (let end = rest.indexOf(0x0a); end !== -1; end = rest.indexOf(0x0a, from)) {
      yield withoutReturn(rest.subarray(from, end));
      from = end + 1;
    }
    rest = rest.subarray(from);
    if (rest.length > lineBytesMax) throw new LogError(`${path} has a line of more than ${lineBytesMax} bytes: it is no log of a chat.`);
  }
  if (rest.length > 0) yield withoutReturn(rest);
}

const withoutReturn = (line: Buffer): Buffer => (line.at(-1) === 0x0d ? line.subarray(0, -1) : line);
