import { current } from '../conversation/current.ts';
import { listed } from '../state/conversations.ts';
import { go, pathOf } from '../state/route.ts';
import { session } from '../state/session.ts';
import type { Action } from './action.ts';
import { stepFrom } from './step-from.ts';

// Through the list with keys: up and down, to every conversation or to the unread ones only.

function run(step: 1 | -1, isUnreadOnly: boolean): void {
  const now = session.peek();
  if (now.phase !== 'signedIn') return;
  const open = current.peek()?.id;
  const ids = listed
    .peek()
    .filter(({ id, unreadCount }) => !isUnreadOnly || unreadCount > 0 || id === open)
    .map(({ id }) => id);
  const next = stepFrom(ids, open, step);
  if (next !== undefined && next !== open) go(pathOf(next, now.client.me));
}

const isEnabled = (): boolean => listed.peek().length > 0;

export const nextConversation: Action = {
  id: 'nextConversation',
  shortcut: { key: 'ArrowDown', alt: true },
  place: 'anywhere',
  isEnabled,
  run: () => run(1, false),
};
export const previousConversation: Action = {
  id: 'previousConversation',
  shortcut: { key: 'ArrowUp', alt: true },
  place: 'anywhere',
  isEnabled,
  run: () => run(-1, false),
};
export const nextUnread: Action = {
  id: 'nextUnread',
  shortcut: { key: 'ArrowDown', alt: true, shift: true },
  place: 'anywhere',
  isEnabled,
  run: () => run(1, true),
};
export const previousUnread: Action = {
  id: 'previousUnread',
  shortcut: { key: 'ArrowUp', alt: true, shift: true },
  place: 'anywhere',
  isEnabled,
  run: () => run(-1, true),
};
