// The closed catalogue of everything that can be refused. A code is for ever; the sentence may be improved. Each has a page at
// /docs/errors/CODE made from this table, and a test holds the table, the calls that name codes and docs/errors.md together.

export interface Problem {
  /** HTTP status of the answer. */
  status: number;
  /** One short sentence, the same for every occurrence. */
  title: string;
  /** What the person or program should do about it. */
  help: string;
}

const problem = (status: number, title: string, help: string): Problem => ({ status, title, help });

export const problems = {
  malformed_json: problem(400, 'The body is not valid JSON.', 'Send one JSON object in UTF-8 with the content type application/json.'),
  invalid_request: problem(
    400,
    'A field is missing, unknown or not as described.',
    'Mend the field named in `field`; the description of every call is at /docs.',
  ),
  idempotency_mismatch: problem(400, 'Idempotency-Key and client_id differ.', 'Send one of them, or the same value in both.'),
  not_signed_in: problem(
    401,
    'This call needs a session.',
    'Log in with POST /v1/sessions and send the token as `Authorization: Bearer …` or the cookie it set.',
  ),
  wrong_credentials: problem(401, 'The user id or the password is wrong.', 'Check both. After several failures wait as long as Retry-After says.'),
  origin_refused: problem(403, 'A page of another origin may not do this with your cookie.', 'Call from the server’s own pages, or use a bearer token.'),
  admin_only: problem(
    403,
    'Only an administrator may do this.',
    'Ask an administrator; the first one is made with the link printed when the server first started.',
  ),
  registration_closed: problem(403, 'Registration is closed on this server.', 'Ask an administrator to add your account.'),
  not_a_member: problem(403, 'You are not a member of this conversation.', 'Join it if it is open, or ask one of its administrators to add you.'),
  not_the_author: problem(403, 'Only the author may do this to the message.', 'Administrators of a group may delete, but nobody edits another’s message.'),
  role_required: problem(403, 'Your role in this group does not allow it.', 'Ask an administrator or the owner of the group.'),
  not_found: problem(404, 'There is nothing at this address.', 'Check method and path; every call is listed at /docs.'),
  conversation_not_found: problem(404, 'There is no such conversation, or it is not for you.', 'Check the name. A closed group is seen by its members only.'),
  message_not_found: problem(404, 'There is no such message in this conversation.', 'Check msg_id: it is the one the send was answered with.'),
  user_not_found: problem(404, 'There is no such user.', 'Check the user id; the directory is at GET /v1/users.'),
  session_not_found: problem(404, 'You have no such session.', 'List yours with GET /v1/sessions.'),
  member_not_found: problem(404, 'This user is not a member of the group.', 'List the members with GET /v1/groups/{name}/members.'),
  method_not_allowed: problem(405, 'This address does not take this method.', 'The Allow header lists the methods it takes.'),
  request_timeout: problem(408, 'The request did not arrive in time.', 'Send it again, faster or in smaller parts.'),
  user_exists: problem(409, 'This name is taken.', 'Choose another: users and groups share their names, and a name is never given twice.'),
  name_taken: problem(409, 'This name is taken.', 'Choose another: users and groups share their names, and a name is never given twice.'),
  client_id_reused: problem(
    409,
    'This client_id was used for a different write.',
    'Make a new client_id for each new write; repeat the same one only with the same body.',
  ),
  last_owner: problem(409, 'The owner cannot leave the group or give up the role.', 'Hand the ownership over first: PUT another member with the role owner.'),
  admin_exists: problem(409, 'The first administrator has already been made.', 'The link works once. Ask the administrator.'),
  link_invalid: problem(404, 'This administrator link is not valid.', 'Use the newest link the server printed when it started.'),
  credentials_changed: problem(409, 'The password was changed at the same time.', 'Log in with the new password.'),
  message_deleted: problem(410, 'The message has been deleted.', 'Nothing more can be done with it.'),
  version_mismatch: problem(
    412,
    'The message has changed since you read it.',
    'Read it again, look at both texts, and repeat with the `version` given here and a new client_id.',
  ),
  body_too_large: problem(413, 'The body is larger than this call takes.', 'The limits are at /docs.'),
  unsupported_media_type: problem(415, 'The body is not application/json.', 'Send JSON with the content type application/json.'),
  earlier_write_failed: problem(
    424,
    'An earlier write of this socket to the same conversation was not decided, so this one was not tried.',
    'Repeat both, the earlier one first, with the same client_ids.',
  ),
  upgrade_required: problem(426, 'This address speaks WebSocket only.', 'Open it as a WebSocket; the frames are described at /asyncapi.json.'),
  rate_limited: problem(429, 'Too many requests.', 'Wait as long as Retry-After says, then repeat with the same client_id.'),
  headers_too_large: problem(431, 'The headers of the request are too large.', 'Send fewer or shorter headers.'),
  internal: problem(500, 'Something broke on our side.', 'Repeat with the same client_id. If it goes on, give the operator the request_id.'),
  unavailable: problem(503, 'The outcome is unknown.', 'Repeat with the same client_id: whatever was decided the first time is the answer.'),
  overloaded: problem(503, 'The server has more to do than it can take just now.', 'Wait as long as Retry-After says, then repeat with the same client_id.'),
  draining: problem(503, 'This server is shutting down.', 'Repeat with the same client_id; another server or the restarted one will answer.'),
} as const satisfies Record<string, Problem>;

export type Code = keyof typeof problems;

/** Refusals decided at their place in the order of a conversation and kept under the write’s `client_id` for ever. */
export const decidedCodes = [
  'not_a_member',
  'not_the_author',
  'role_required',
  'message_not_found',
  'member_not_found',
  'message_deleted',
  'version_mismatch',
  'last_owner',
  'name_taken',
] as const satisfies Code[];

export type DecidedCode = (typeof decidedCodes)[number];
