import type { Rest } from '@parlance/sdk';
import { expect, test } from 'vitest';
import { copy } from './export.ts';

const progress = { update: () => undefined, end: () => undefined };

/** A conversation with these seqs, in pages of three. */
const restOf = (seqs: number[], head = seqs.at(-1) ?? 0): Pick<Rest, 'call'> =>
  ({
    call: async (name: string, { after }: { after: number }) => {
      if (name === 'get_conversation') return { seq: head };
      const rest = seqs.filter((seq) => seq > after);
      return { changes: rest.slice(0, 3).map((seq) => ({ seq, kind: 'message', message: { text: 'a\u009bb' } })), next_cursor: rest.length > 3 ? '…' : null };
    },
  }) as unknown as Pick<Rest, 'call'>;

async function exported(seqs: number[], after = 0, head?: number): Promise<{ events: number; lines: string[] }> {
  const written: string[] = [];
  const events = await copy(restOf(seqs, head), '#a', after, async (text) => void written.push(text), progress);
  return { events, lines: written.join('').split('\n').slice(0, -1) };
}

test('every event after the given one is written, a line each', async () => {
  const { events, lines } = await exported([1, 2, 3, 4, 5, 6, 7], 2);
  expect(events).toBe(5);
  expect(lines.map((line) => JSON.parse(line).seq)).toEqual([3, 4, 5, 6, 7]);
  expect(JSON.parse(lines[0]!).message.text).toBe('a\u009bb');
  expect(lines.join('')).not.toMatch(/\p{Cc}/u);
});

test('an empty conversation is an empty export', async () => {
  expect(await exported([])).toEqual({ events: 0, lines: [] });
});

test('a missing event, a repeated one and a missing end are told', async () => {
  await expect(exported([1, 2, 4])).rejects.toThrow('after event 2 came 4');
  await expect(exported([1, 2, 2, 3])).rejects.toThrow('after event 2 came 2');
  await expect(exported([1, 2], 0, 5)).rejects.toThrow('ended with event 2, and 5 is the newest');
});
