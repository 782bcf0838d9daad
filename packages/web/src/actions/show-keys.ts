import { dialog } from '../state/dialogs.ts';
import type { Action } from './action.ts';

export const showKeys: Action = {
  id: 'showKeys',
  shortcut: { key: '/', ctrl: true },
  place: 'anywhere',
  isEnabled: () => true,
  run: () => {
    dialog.value = { name: 'keys' };
  },
};
