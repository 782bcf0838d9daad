import { focusRegion } from '../state/focus.ts';
import type { Action } from './action.ts';

export const nextRegion: Action = { id: 'nextRegion', shortcut: { key: 'F6' }, place: 'anywhere', isEnabled: () => true, run: () => focusRegion(1) };
export const previousRegion: Action = {
  id: 'previousRegion',
  shortcut: { key: 'F6', shift: true },
  place: 'anywhere',
  isEnabled: () => true,
  run: () => focusRegion(-1),
};
