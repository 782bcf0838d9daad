import { current } from '../conversation/current.ts';
import type { MessageAction } from './action.ts';
import { isOwn } from './own.ts';

export const editMessage: MessageAction = {
  id: 'edit',
  isEnabled: (message) => message.seq !== null && message.deleted !== true && isOwn(message) && current.peek()?.view.peek().left === false,
  run: ({ msg_id }) => {
    const open = current.peek();
    if (open !== null) open.editing.value = msg_id;
  },
};
