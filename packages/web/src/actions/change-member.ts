import { change, members, myRole } from '../group/members.ts';
import { confirm } from '../state/dialogs.ts';
import { nameOf } from '../state/names.ts';
import { session } from '../state/session.ts';
import { t } from '../text/language.ts';
import type { MemberAction, MemberTarget } from './action.ts';

// What may be done to a member. The server decides; what it would refuse is not offered.

const client = () => {
  const now = session.peek();
  return now.phase === 'signedIn' ? now.client : undefined;
};
const isMe = ({ user }: MemberTarget): boolean => client()?.me === user;
const isOwner = (): boolean => myRole.peek() === 'owner';
const isAtLeastAdmin = (): boolean => isOwner() || myRole.peek() === 'admin';

function put(user: string, role: 'owner' | 'admin' | 'member'): void {
  const group = members.peek()?.group;
  if (group !== undefined) void change(client()!.putMember(group, user, role));
}

export const makeAdmin: MemberAction = {
  id: 'makeAdmin',
  isEnabled: (target) => isOwner() && target.role === 'member',
  run: ({ user }) => put(user, 'admin'),
};
export const makeMember: MemberAction = {
  id: 'makeMember',
  isEnabled: (target) => isOwner() && target.role === 'admin',
  run: ({ user }) => put(user, 'member'),
};
export const makeOwner: MemberAction = {
  id: 'makeOwner',
  isEnabled: (target) => isOwner() && !isMe(target),
  run: ({ user }) => confirm(t().group.handOverSure(nameOf(user)), t().action.makeOwner, () => put(user, 'owner')),
};
export const removeMember: MemberAction = {
  id: 'remove',
  isEnabled: (target) => !isMe(target) && isAtLeastAdmin() && target.role !== 'owner' && (isOwner() || target.role === 'member'),
  run: ({ user }) => {
    const group = members.peek()?.group;
    if (group !== undefined) void change(client()!.removeMember(group, user));
  },
};
