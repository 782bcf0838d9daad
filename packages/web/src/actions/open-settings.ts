import { go } from '../state/route.ts';
import type { Action } from './action.ts';

export const openSettings: Action = {
  id: 'openSettings',
  shortcut: { key: ',', ctrl: true },
  place: 'anywhere',
  isEnabled: () => true,
  run: () => go('/settings'),
};
