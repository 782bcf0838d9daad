import { change, members, myRole } from '../group/members.ts';
import { confirm, isPanelOpen } from '../state/dialogs.ts';
import { session } from '../state/session.ts';
import { t } from '../text/language.ts';
import type { Action } from './action.ts';

export const leaveGroup: Action = {
  id: 'leave',
  isEnabled: () => myRole.peek() !== null && myRole.peek() !== 'owner',
  run: () => {
    const now = session.peek();
    const group = members.peek()?.group;
    if (now.phase !== 'signedIn' || group === undefined) return;
    confirm(t().group.leaveSure, t().action.leave, () => {
      isPanelOpen.value = false;
      void change(now.client.leaveGroup(group));
    });
  },
};
