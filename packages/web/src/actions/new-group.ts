import { dialog } from '../state/dialogs.ts';
import type { Action } from './action.ts';

export const newGroup: Action = {
  id: 'newGroup',
  isEnabled: () => true,
  run: () => {
    dialog.value = { name: 'newGroup' };
  },
};
