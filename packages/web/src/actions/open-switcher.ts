import { dialog } from '../state/dialogs.ts';
import type { Action } from './action.ts';

export const openSwitcher: Action = {
  id: 'openSwitcher',
  shortcut: { key: 'k', ctrl: true },
  place: 'anywhere',
  isEnabled: () => true,
  run: () => {
    dialog.value = { name: 'switcher' };
  },
};
