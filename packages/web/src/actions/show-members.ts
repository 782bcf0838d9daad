import { current } from '../conversation/current.ts';
import { isPanelOpen } from '../state/dialogs.ts';
import type { Action } from './action.ts';

export const showMembers: Action = {
  id: 'showMembers',
  shortcut: { key: 'm', alt: true },
  place: 'inChat',
  isEnabled: () => current.peek()?.view.peek().kind === 'group',
  run: () => {
    isPanelOpen.value = !isPanelOpen.peek();
  },
};
