import { current } from '../conversation/current.ts';
import { remove } from '../conversation/removals.ts';
import { myRole } from '../group/members.ts';
import { focusComposer } from '../state/focus.ts';
import type { MessageAction } from './action.ts';
import { isOwn } from './own.ts';

/** One's own; administrators any of their group. One that was not sent is only taken off the screen. */
export const deleteMessage: MessageAction = {
  id: 'delete',
  isEnabled: (message) => {
    const open = current.peek();
    if (open === null || message.deleted === true || message.state === 'sending') return false;
    if (message.state === 'failed') return true;
    const role = myRole.peek();
    return !open.view.peek().left && (isOwn(message) || role === 'owner' || role === 'admin');
  },
  run: ({ msg_id: msgId, client_id: clientId, state }) => {
    const open = current.peek();
    if (open === null) return;
    if (state === 'failed' && clientId !== undefined) open.chat.discard(clientId);
    else if (msgId !== null) remove(open.chat, msgId, () => open.forgetText(msgId));
    focusComposer();
  },
};
