import { ParlanceError } from '@parlance/sdk';
import { current } from '../conversation/current.ts';
import { focusComposer } from '../state/focus.ts';
import type { MessageAction } from './action.ts';

export const retryMessage: MessageAction = {
  id: 'retry',
  isEnabled: ({ state }) => state === 'failed',
  run: ({ client_id: clientId }) => {
    const open = current.peek();
    if (open === null || clientId === undefined) return;
    open.chat.retry(clientId).catch((error: unknown) => {
      // It stays in the conversation, marked again.
      if (!(error instanceof ParlanceError)) throw error;
    });
    focusComposer();
  },
};
