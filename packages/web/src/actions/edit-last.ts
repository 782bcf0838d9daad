import { current } from '../conversation/current.ts';
import type { Action } from './action.ts';

/** The composer takes this key only while it is empty. */
export const editLast: Action = {
  id: 'editLast',
  shortcut: { key: 'ArrowUp' },
  place: 'inChat',
  isEnabled: () => current.peek()?.lastOwn() !== undefined,
  run: () => {
    const open = current.peek();
    const last = open?.lastOwn();
    if (open !== null && open !== undefined && last !== undefined) open.editing.value = last.msg_id;
  },
};
