import { foldName, groupId } from '@parlance/schema/ids';
import { Refusal } from '../../node/refusal.ts';
import type { Handler } from '../context.ts';
import { nameCursor, pageOf } from '../page.ts';
import { toGroup } from './get-group.ts';

export const listGroups: Handler<'list_groups'> = async ({ node }, { prefix = '', cursor, limit }) => {
  const after = nameCursor(cursor);
  if (after instanceof Refusal) return after;
  const read = (max: number) => node.store.openGroups(foldName(prefix), max, after === undefined ? undefined : groupId(after));
  const { rows, next_cursor } = await pageOf(limit, read, (row) => toGroup(row).name);
  return { groups: rows.map(toGroup), next_cursor };
};
