import { isName } from '@parlance/schema/ids';
import { pageDefault } from '@parlance/schema/limits';
import type { Refusal } from '../node/refusal.ts';
import { invalid } from './validate.ts';

/** One page of a list: one row more than asked for is read, which tells whether there is a next one. */
export async function pageOf<R>(
  limit = pageDefault,
  read: (max: number) => Promise<R[]>,
  cursorOf: (row: R) => string,
): Promise<{ rows: R[]; next_cursor: string | null }> {
  const rows = await read(limit + 1);
  if (rows.length <= limit) return { rows, next_cursor: null };
  rows.length = limit;
  return { rows, next_cursor: cursorOf(rows.at(-1)!) };
}

/** The cursor of a list that is ordered by names: the last name of the page before. */
export const nameCursor = (cursor: string | undefined): string | undefined | Refusal => (cursor === undefined || isName(cursor) ? cursor : badCursor());

export const badCursor = (): Refusal => invalid('cursor', 'must be the next_cursor of the page before');
