import { current } from '../conversation/current.ts';
import type { Action } from './action.ts';

export const jumpToLatest: Action = {
  id: 'jumpToLatest',
  shortcut: { key: 'End', ctrl: true },
  place: 'inChat',
  isEnabled: () => current.peek() !== null,
  run: () => current.peek()?.jumpToLatest(),
};
