import type { CallName } from '@parlance/schema/calls';
import type { Handler } from '../context.ts';
import { addUser } from './add-user.ts';
import { changePassword } from './change-password.ts';
import { claimAdmin } from './claim-admin.ts';
import { createGroup } from './create-group.ts';
import { deleteMessage } from './delete-message.ts';
import { editMessage } from './edit-message.ts';
import { endSession } from './end-session.ts';
import { getConversation } from './get-conversation.ts';
import { getGroup } from './get-group.ts';
import { getMe } from './get-me.ts';
import { getUser } from './get-user.ts';
import { importMessages } from './import-messages.ts';
import { listChanges } from './list-changes.ts';
import { listConversations } from './list-conversations.ts';
import { listGroups } from './list-groups.ts';
import { listMembers } from './list-members.ts';
import { listMessages } from './list-messages.ts';
import { listSessions } from './list-sessions.ts';
import { listUsers } from './list-users.ts';
import { logIn } from './log-in.ts';
import { logOut } from './log-out.ts';
import { markRead } from './mark-read.ts';
import { putMember } from './put-member.ts';
import { register } from './register.ts';
import { removeMember } from './remove-member.ts';
import { sendMessage } from './send-message.ts';
import { updateGroup } from './update-group.ts';
import { updateMe } from './update-me.ts';
import { verify } from './verify.ts';

/** The handler of every call. The type makes the table total: a call without a handler does not compile. */
export const handlers: { [N in CallName]: Handler<N> } = {
  register,
  log_in: logIn,
  list_sessions: listSessions,
  log_out: logOut,
  end_session: endSession,
  get_me: getMe,
  update_me: updateMe,
  change_password: changePassword,
  list_users: listUsers,
  get_user: getUser,
  list_conversations: listConversations,
  get_conversation: getConversation,
  create_group: createGroup,
  list_groups: listGroups,
  get_group: getGroup,
  update_group: updateGroup,
  list_members: listMembers,
  put_member: putMember,
  remove_member: removeMember,
  send_message: sendMessage,
  edit_message: editMessage,
  delete_message: deleteMessage,
  list_messages: listMessages,
  list_changes: listChanges,
  mark_read: markRead,
  import_messages: importMessages,
  add_user: addUser,
  verify,
  claim_admin: claimAdmin,
};
