import { current } from '../conversation/current.ts';
import { isPanelOpen } from '../state/dialogs.ts';
import { focusComposer } from '../state/focus.ts';
import { go, route } from '../state/route.ts';
import type { Action } from './action.ts';

/** The Esc ladder: each press undoes the uppermost thing. An open dialog or menu takes the key before it comes here. */
export const stepBack: Action = {
  id: 'stepBack',
  shortcut: { key: 'Escape' },
  place: 'anywhere',
  isEnabled: () => true,
  run: () => {
    const open = current.peek();
    if (open?.editing.peek()) {
      open.editing.value = null;
      focusComposer();
    } else if (isPanelOpen.peek() && open !== null) {
      isPanelOpen.value = false;
      focusComposer();
    } else if (route.peek().name === 'settings') {
      go('/');
    } else if (open !== null && (!open.isAtEnd.peek() || open.timeline.peek().hasNewer)) {
      open.jumpToLatest();
      focusComposer();
    } else {
      focusComposer();
    }
  },
};
