import type { Action, MemberAction, MessageAction, Shortcut } from './action.ts';
import { makeAdmin, makeMember, makeOwner, removeMember } from './change-member.ts';
import { copyLink, copyText } from './copy.ts';
import { deleteMessage } from './delete-message.ts';
import { editLast } from './edit-last.ts';
import { editMessage } from './edit-message.ts';
import { jumpToLatest } from './jump-to-latest.ts';
import { logOut } from './log-out.ts';
import { newGroup } from './new-group.ts';
import { nextRegion, previousRegion } from './next-region.ts';
import { openSettings } from './open-settings.ts';
import { openSwitcher } from './open-switcher.ts';
import { refresh } from './refresh.ts';
import { retryMessage } from './retry-message.ts';
import { showKeys } from './show-keys.ts';
import { showMembers } from './show-members.ts';
import { stepBack } from './step-back.ts';
import { nextConversation, nextUnread, previousConversation, previousUnread } from './step-conversation.ts';

/** What can be done whatever has the focus, in the order in which the list of keys names it. */
export const actions: readonly Action[] = [
  openSwitcher,
  nextConversation,
  previousConversation,
  nextUnread,
  previousUnread,
  newGroup,
  openSettings,
  showKeys,
  nextRegion,
  previousRegion,
  refresh,
  stepBack,
  logOut,
  editLast,
  jumpToLatest,
  showMembers,
];

/** What can be done to a message, in the order of its buttons. */
export const messageActions: readonly MessageAction[] = [retryMessage, editMessage, copyText, copyLink, deleteMessage];

/** What can be done to a member, in the order of the menu. */
export const memberActions: readonly MemberAction[] = [makeAdmin, makeMember, makeOwner, removeMember];

/** Whether a key press is this one. */
export const isPressed = ({ key, ctrl, alt, shift }: Shortcut, event: KeyboardEvent): boolean =>
  event.key.toLowerCase() === key.toLowerCase() &&
  (event.ctrlKey || event.metaKey) === (ctrl === true) &&
  event.altKey === (alt === true) &&
  event.shiftKey === (shift === true);

/** One text for one shortcut: two actions may not have the same. */
export const keyOf = ({ key, ctrl, alt, shift }: Shortcut): string => [ctrl && 'Ctrl', alt && 'Alt', shift && 'Shift', key].filter(Boolean).join('+');
