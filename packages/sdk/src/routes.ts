import type { Call, CallName } from '@parlance/schema/calls';

// Method and path of every call, as plain data: the schema's own table would bring its validator along. A test holds the two together.

type Route = readonly [method: Call['method'], path: string];

export const routes: { readonly [N in CallName]: Route } = {
  register: ['POST', '/v1/accounts'],
  log_in: ['POST', '/v1/sessions'],
  list_sessions: ['GET', '/v1/sessions'],
  log_out: ['DELETE', '/v1/sessions/current'],
  end_session: ['DELETE', '/v1/sessions/{session_id}'],
  get_me: ['GET', '/v1/me'],
  update_me: ['PATCH', '/v1/me'],
  change_password: ['PUT', '/v1/me/password'],
  list_users: ['GET', '/v1/users'],
  get_user: ['GET', '/v1/users/{user}'],
  list_conversations: ['GET', '/v1/conversations'],
  get_conversation: ['GET', '/v1/conversations/{conversation}'],
  create_group: ['POST', '/v1/groups'],
  list_groups: ['GET', '/v1/groups'],
  get_group: ['GET', '/v1/groups/{name}'],
  update_group: ['PATCH', '/v1/groups/{name}'],
  list_members: ['GET', '/v1/groups/{name}/members'],
  put_member: ['PUT', '/v1/groups/{name}/members/{user}'],
  remove_member: ['DELETE', '/v1/groups/{name}/members/{user}'],
  send_message: ['POST', '/v1/conversations/{conversation}/messages'],
  edit_message: ['PATCH', '/v1/conversations/{conversation}/messages/{msg_id}'],
  delete_message: ['DELETE', '/v1/conversations/{conversation}/messages/{msg_id}'],
  list_messages: ['GET', '/v1/conversations/{conversation}/messages'],
  list_changes: ['GET', '/v1/conversations/{conversation}/changes'],
  mark_read: ['PUT', '/v1/conversations/{conversation}/read'],
  import_messages: ['POST', '/v1/conversations/{conversation}/import'],
  add_user: ['POST', '/v1/admin/users'],
  verify: ['POST', '/v1/admin/verify'],
  claim_admin: ['GET', '/first-admin/{link}'],
};

/** Answered as JSON lines: progress, then the answer itself as the last line. */
export const streamed: ReadonlySet<CallName> = new Set<CallName>(['verify']);

/** Changes that may be repeated without a client_id of their own: a mark never goes back, and an import's items carry their own. */
export const repeatable: ReadonlySet<CallName> = new Set<CallName>(['mark_read', 'import_messages']);
