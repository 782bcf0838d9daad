import { current } from '../conversation/current.ts';
import { rereadInbox } from '../state/conversations.ts';
import { session } from '../state/session.ts';
import type { Action } from './action.ts';

/** Reads again what is shown. Nothing should need it, for everything comes by itself; it is for who wants to be sure. */
export const refresh: Action = {
  id: 'refresh',
  shortcut: { key: 'r', alt: true },
  place: 'anywhere',
  isEnabled: () => true,
  run: () => {
    const now = session.peek();
    if (now.phase !== 'signedIn') return;
    now.client.wake();
    void rereadInbox();
    const open = current.peek();
    if (open?.timeline.peek().phase === 'failed') open.reload();
    else void open?.reread();
  },
};
