import Type, { type Static } from 'typebox';
import type { Code } from './errors.ts';
import * as limits from './limits.ts';
import * as t from './types.ts';

// Every call of the server, once: name, address, who may make it, what goes in, what comes out, what it may refuse. HTTP routes,
// validation, OpenAPI, the live frames, the SDK's types and the table of the security tests are all made from this.
//
// `input` is flat: fields named in the path come from the path; of the others GET reads the query, POST, PUT and PATCH the body,
// and DELETE either. `write` marks a write in a conversation: it takes a client_id (or Idempotency-Key), and is a live frame of its name too.

export type Access = 'public' | 'session' | 'admin';

export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  path: string;
  summary: string;
  access: Access;
  input: Type.TObject;
  answer: Type.TSchema;
  /** Status of success, 200 when left out. */
  status?: 200 | 201 | 204;
  write?: true;
  /** Also a frame on the live socket. Every `write` is. */
  live?: true;
  bodyBytesMax?: number;
  /** The answer comes as JSON lines: any number of `{"rows": n}` while it works, then the answer itself as the last line. */
  stream?: true;
  /** What it may refuse beyond what every call may (see `commonCodes`). */
  refusals: readonly Code[];
}

const call = <const C extends Call>(definition: C): C => definition;
const list = <K extends string, T extends Type.TSchema>(key: K, item: T) =>
  t.Closed({ [key]: Type.Array(item), next_cursor: t.NextCursor } as { [P in K]: Type.TArray<T> } & { next_cursor: typeof t.NextCursor });
const page = { cursor: Type.Optional(t.Cursor), limit: Type.Optional(t.Limit) };
const clientId = { client_id: Type.Optional(t.ClientId) };
const Prefix = Type.Optional(Type.String({ maxLength: 32, pattern: '^[A-Za-z0-9._-]*$', description: 'Only names that begin so.' }));
const Empty = t.Closed({});

const inConversation = ['conversation_not_found'] as const;
const writing = ['conversation_not_found', 'user_not_found', 'client_id_reused', 'idempotency_mismatch'] as const;

export const ImportItem = t.Closed(
  {
    author: t.UserId,
    client_id: t.ClientId,
    kind: t.MessageKind,
    text: t.Text,
    time: t.Time,
  },
  { title: 'ImportItem' },
);

export const calls = {
  register: call({
    method: 'POST',
    path: '/v1/accounts',
    access: 'public',
    status: 201,
    summary: 'Make an account.',
    input: t.Closed({ user_id: t.UserId, email: t.Email, password: t.Password, display_name: Type.Optional(t.DisplayName) }),
    answer: t.Account,
    refusals: ['user_exists', 'registration_closed', 'origin_refused'],
  }),
  log_in: call({
    method: 'POST',
    path: '/v1/sessions',
    access: 'public',
    status: 201,
    summary: 'Log in: start a session.',
    input: t.Closed({ user_id: t.UserId, password: Type.String({ format: 'well-formed', maxLength: limits.passwordLengthMax }) }),
    answer: t.Closed({
      token: Type.String({ description: 'Shown this once. Send it as `Authorization: Bearer …`.' }),
      session_id: Type.String(),
      user_id: Type.String(),
      expires_time: t.Time,
    }),
    refusals: ['wrong_credentials', 'origin_refused'],
  }),
  list_sessions: call({
    method: 'GET',
    path: '/v1/sessions',
    access: 'session',
    summary: 'My sessions, oldest first.',
    input: Empty,
    answer: list('sessions', t.Session),
    refusals: [],
  }),
  log_out: call({
    method: 'DELETE',
    path: '/v1/sessions/current',
    access: 'session',
    status: 204,
    summary: 'Log out: end this session.',
    input: Empty,
    answer: Type.Null(),
    refusals: [],
  }),
  end_session: call({
    method: 'DELETE',
    path: '/v1/sessions/{session_id}',
    access: 'session',
    status: 204,
    summary: 'End one of my sessions.',
    input: t.Closed({ session_id: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }) }),
    answer: Type.Null(),
    refusals: ['session_not_found'],
  }),
  get_me: call({
    method: 'GET',
    path: '/v1/me',
    access: 'session',
    summary: 'My own account.',
    input: Empty,
    answer: t.Me,
    refusals: [],
  }),
  update_me: call({
    method: 'PATCH',
    path: '/v1/me',
    access: 'session',
    summary: 'Change my display name.',
    input: t.Closed({ display_name: t.DisplayName }),
    answer: t.Me,
    refusals: [],
  }),
  change_password: call({
    method: 'PUT',
    path: '/v1/me/password',
    access: 'session',
    status: 204,
    summary: 'Change my password; all my other sessions end.',
    input: t.Closed({ current_password: Type.String({ format: 'well-formed', maxLength: limits.passwordLengthMax }), new_password: t.Password }),
    answer: Type.Null(),
    refusals: ['wrong_credentials', 'credentials_changed'],
  }),
  list_users: call({
    method: 'GET',
    path: '/v1/users',
    access: 'session',
    summary: 'The directory, by user id.',
    input: t.Closed({ prefix: Prefix, ...page }),
    answer: list('users', t.Account),
    refusals: [],
  }),
  get_user: call({
    method: 'GET',
    path: '/v1/users/{user}',
    access: 'session',
    summary: 'One user of the directory.',
    input: t.Closed({ user: t.UserId }),
    answer: t.Account,
    refusals: ['user_not_found'],
  }),
  list_conversations: call({
    method: 'GET',
    path: '/v1/conversations',
    access: 'session',
    summary: 'My inbox: my conversations, the last active first.',
    input: t.Closed(page),
    answer: list('conversations', t.Conversation),
    refusals: [],
  }),
  get_conversation: call({
    method: 'GET',
    path: '/v1/conversations/{conversation}',
    access: 'session',
    summary: 'One conversation as I see it.',
    input: t.Closed({ conversation: t.ConversationRef }),
    answer: t.Conversation,
    refusals: ['conversation_not_found', 'user_not_found'],
  }),
  create_group: call({
    method: 'POST',
    path: '/v1/groups',
    access: 'session',
    status: 201,
    write: true,
    summary: 'Create a group; I am its owner.',
    input: t.Closed({
      name: t.GroupName,
      title: Type.Optional(t.Title),
      open: Type.Optional(Type.Boolean({ description: 'Anyone signed in may find and join it. Default false.' })),
      ...clientId,
    }),
    answer: t.GroupAnswer,
    refusals: ['name_taken', 'client_id_reused', 'idempotency_mismatch'],
  }),
  list_groups: call({
    method: 'GET',
    path: '/v1/groups',
    access: 'session',
    summary: 'Open groups, by name.',
    input: t.Closed({ prefix: Prefix, ...page }),
    answer: list('groups', t.Group),
    refusals: [],
  }),
  get_group: call({
    method: 'GET',
    path: '/v1/groups/{name}',
    access: 'session',
    summary: 'One group: an open one, or one of mine.',
    input: t.Closed({ name: t.GroupName }),
    answer: t.Group,
    refusals: inConversation,
  }),
  update_group: call({
    method: 'PATCH',
    path: '/v1/groups/{name}',
    access: 'session',
    write: true,
    summary: 'Change title or openness of a group.',
    input: t.Closed({ name: t.GroupName, title: Type.Optional(t.Title), open: Type.Optional(Type.Boolean()), ...clientId }),
    answer: t.GroupAnswer,
    refusals: [...writing, 'not_a_member', 'role_required'],
  }),
  list_members: call({
    method: 'GET',
    path: '/v1/groups/{name}/members',
    access: 'session',
    summary: 'Members of a group of mine, by user id.',
    input: t.Closed({ name: t.GroupName, ...page }),
    answer: list('members', t.Member),
    refusals: ['conversation_not_found', 'not_a_member'],
  }),
  put_member: call({
    method: 'PUT',
    path: '/v1/groups/{name}/members/{user}',
    access: 'session',
    write: true,
    summary: 'Join an open group, add a member, change a role, or (role owner) hand the ownership over.',
    input: t.Closed({ name: t.GroupName, user: t.UserId, role: Type.Optional(t.Role), ...clientId }),
    answer: t.MemberAnswer,
    refusals: [...writing, 'not_a_member', 'member_not_found', 'role_required', 'last_owner'],
  }),
  remove_member: call({
    method: 'DELETE',
    path: '/v1/groups/{name}/members/{user}',
    access: 'session',
    write: true,
    summary: 'Leave a group, or remove a member.',
    input: t.Closed({ name: t.GroupName, user: t.UserId, ...clientId }),
    answer: t.MemberAnswer,
    refusals: [...writing, 'not_a_member', 'role_required', 'last_owner'],
  }),
  send_message: call({
    method: 'POST',
    path: '/v1/conversations/{conversation}/messages',
    access: 'session',
    status: 201,
    write: true,
    summary: 'Send a message.',
    input: t.Closed({ conversation: t.ConversationRef, text: t.Text, ...clientId }),
    answer: t.MessageAnswer,
    refusals: [...writing, 'not_a_member'],
  }),
  edit_message: call({
    method: 'PATCH',
    path: '/v1/conversations/{conversation}/messages/{msg_id}',
    access: 'session',
    write: true,
    summary: 'Edit a message of mine.',
    input: t.Closed({ conversation: t.ConversationRef, msg_id: t.MessageId, text: t.Text, version: Type.Optional(t.Version), ...clientId }),
    answer: t.MessageAnswer,
    refusals: [...writing, 'not_a_member', 'not_the_author', 'message_not_found', 'message_deleted', 'version_mismatch'],
  }),
  delete_message: call({
    method: 'DELETE',
    path: '/v1/conversations/{conversation}/messages/{msg_id}',
    access: 'session',
    write: true,
    summary: 'Delete a message of mine; administrators any of their group.',
    input: t.Closed({ conversation: t.ConversationRef, msg_id: t.MessageId, version: Type.Optional(t.Version), ...clientId }),
    answer: t.MessageAnswer,
    refusals: [...writing, 'not_a_member', 'not_the_author', 'message_not_found', 'message_deleted', 'version_mismatch'],
  }),
  list_messages: call({
    method: 'GET',
    path: '/v1/conversations/{conversation}/messages',
    access: 'session',
    summary: 'History, oldest first: the newest page, or the page before, after or around a message. next_cursor goes where before (or after) went.',
    input: t.Closed({
      conversation: t.ConversationRef,
      before: Type.Optional(t.MessageId),
      after: Type.Optional(Type.String({ pattern: '^(0|[1-9][0-9]{0,15})$' })),
      around: Type.Optional(t.MessageId),
      limit: Type.Optional(t.Limit),
    }),
    answer: list('messages', t.Message),
    refusals: ['conversation_not_found', 'user_not_found', 'not_a_member'],
  }),
  list_changes: call({
    method: 'GET',
    path: '/v1/conversations/{conversation}/changes',
    access: 'session',
    summary: 'Every event after a seq, in order and without a gap. next_cursor is the next `after`.',
    input: t.Closed({ conversation: t.ConversationRef, after: Type.Optional(t.Seq), limit: Type.Optional(t.Limit) }),
    answer: list('changes', t.Change),
    refusals: ['conversation_not_found', 'user_not_found', 'not_a_member'],
  }),
  mark_read: call({
    method: 'PUT',
    path: '/v1/conversations/{conversation}/read',
    access: 'session',
    live: true,
    summary: 'I have read up to seq. A mark never goes back.',
    input: t.Closed({ conversation: t.ConversationRef, seq: t.Seq }),
    answer: t.Closed({ conversation: t.ConversationId, read_seq: Type.Integer(), unread_count: Type.Integer() }),
    refusals: ['conversation_not_found', 'user_not_found', 'not_a_member'],
  }),
  import_messages: call({
    method: 'POST',
    path: '/v1/conversations/{conversation}/import',
    access: 'admin',
    bodyBytesMax: limits.importBodyBytesMax,
    summary: 'Bring messages from elsewhere, with their authors and times, decided in order in one command. Unknown authors get accounts without a password.',
    input: t.Closed({ conversation: t.ConversationRef, items: Type.Array(ImportItem, { minItems: 1, maxItems: limits.importItemsMax }) }),
    answer: t.Closed({
      conversation: t.ConversationId,
      items: Type.Array(
        t.Closed({
          client_id: t.ClientId,
          author: Type.String(),
          seq: Type.Union([t.Seq, Type.Null()]),
          code: Type.Optional(Type.String({ description: 'Why this item was refused.' })),
        }),
        { description: 'One for each item, in order. A repeated item answers the seq it already has.' },
      ),
      decided: Type.Literal(true),
    }),
    refusals: ['conversation_not_found', 'name_taken', 'user_not_found'],
  }),
  add_user: call({
    method: 'POST',
    path: '/v1/admin/users',
    access: 'admin',
    status: 201,
    summary: 'Make an account for somebody, also when registration is closed; or give an imported account its e-mail and password.',
    input: t.Closed({ user_id: t.UserId, email: t.Email, password: t.Password, display_name: Type.Optional(t.DisplayName) }),
    answer: t.Account,
    refusals: ['user_exists'],
  }),
  verify: call({
    method: 'POST',
    path: '/v1/admin/verify',
    access: 'admin',
    stream: true,
    summary: 'Read the whole store and check its invariants.',
    input: Empty,
    answer: t.Closed({
      rows: Type.Integer(),
      conversations: Type.Integer(),
      messages: Type.Integer(),
      findings: Type.Array(t.Closed({ rule: Type.String(), row: Type.String(), detail: Type.String() }), {
        description: 'What is wrong; empty when nothing is. At most 1,000.',
      }),
    }),
    refusals: [],
  }),
  claim_admin: call({
    method: 'GET',
    path: '/first-admin/{link}',
    access: 'session',
    summary: 'The one-time link of the first start: makes the signed-in account that opens it administrator.',
    input: t.Closed({ link: Type.String({ pattern: '^[A-Za-z0-9_-]{16,128}$' }) }),
    answer: t.Me,
    refusals: ['admin_exists', 'link_invalid'],
  }),
} as const satisfies Record<string, Call>;

export type CallName = keyof typeof calls;
export type Input<N extends CallName> = Static<(typeof calls)[N]['input']>;
export type Answer<N extends CallName> = Static<(typeof calls)[N]['answer']>;
export type WriteName = { [N in CallName]: (typeof calls)[N] extends { write: true } ? N : never }[CallName];
export type LiveName = WriteName | 'mark_read';

export const callNames = Object.keys(calls) as CallName[];

export const isLive = (name: string): name is LiveName => {
  const found: Call | undefined = Object.hasOwn(calls, name) ? calls[name as CallName] : undefined;
  return found !== undefined && (found.write === true || found.live === true);
};

/** What any call may refuse, beside its own `refusals`. */
export const commonCodes: readonly Code[] = [
  'malformed_json',
  'invalid_request',
  'unsupported_media_type',
  'body_too_large',
  'headers_too_large',
  'request_timeout',
  'not_found',
  'method_not_allowed',
  'rate_limited',
  'internal',
  'unavailable',
  'overloaded',
  'draining',
];
