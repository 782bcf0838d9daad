import Type, { type Static } from 'typebox';
import * as ids from './ids.ts';
import * as limits from './limits.ts';

// The shapes that calls, pushes and documents share. Times are RFC 3339 in UTC with milliseconds; they are for people to read and order
// nothing. What orders is `seq`.

/** An object that takes no field but its own: an unknown field is an error that names it, not a silent loss. */
export const Closed = <P extends Type.TProperties>(properties: P, options: Type.TObjectOptions = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

const NullOr = <T extends Type.TSchema>(type: T, description: string) => Type.Union([type, Type.Null()], { description });

export const UserId = Type.String({ pattern: ids.nameInputPattern, description: 'User id, 1-32 of a-z 0-9 . _ -, folded to lower case.' });
export const GroupName = Type.String({ pattern: ids.nameInputPattern, description: 'Group name, 1-32 of a-z 0-9 . _ -, folded to lower case.' });
export const ConversationRef = Type.String({
  pattern: ids.conversationPattern,
  description: '@user, #group (percent-encoded in a path), or a stable id: d:a:b, g:name.',
});
export const ConversationId = Type.String({ pattern: ids.conversationPattern, description: 'Stable conversation id: d:a:b (sorted) or g:name.' });
export const MessageId = Type.String({ pattern: ids.messageIdPattern, description: 'Message id: the seq of the message, as a decimal string.' });
export const ClientId = Type.String({
  pattern: ids.clientIdPattern,
  description: 'Key of one write: repeating it gives the first decision again. Best a UUIDv7.',
});
export const Seq = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Place in the order of the conversation, dense from 1.' });
export const Version = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Version of the message: 1 when sent, one more with each edit.',
});
export const Text = Type.String({
  format: 'message-text',
  minLength: 1,
  maxLength: limits.textBytesMax,
  description: `Text of a message, 1 to ${limits.textBytesMax} bytes of UTF-8 without NUL.`,
});
export const Title = Type.String({ format: 'one-line', minLength: 1, maxLength: limits.titleLengthMax, description: 'Title of a group, one line.' });
export const DisplayName = Type.String({
  format: 'one-line',
  minLength: 1,
  maxLength: limits.displayNameLengthMax,
  description: 'Name shown to people, one line.',
});
export const Email = Type.String({ format: 'mail-address', maxLength: limits.emailLengthMax, description: 'E-mail address. Shown to its owner only.' });
export const Password = Type.String({
  format: 'well-formed',
  minLength: limits.passwordLengthMin,
  maxLength: limits.passwordLengthMax,
  description: 'Password.',
});
export const Time = Type.String({ format: 'date-time', description: 'RFC 3339 time, UTC.' });
export const Role = Type.Union([Type.Literal('owner'), Type.Literal('admin'), Type.Literal('member')], { description: 'Role in a group.' });
export const Limit = Type.Integer({ minimum: 1, maximum: limits.pageMax, description: `Rows wanted, ${limits.pageDefault} when left out.` });
export const Cursor = Type.String({ minLength: 1, maxLength: 256, pattern: '^[!-~]+$', description: 'The next_cursor of the page before.' });
export const NextCursor = NullOr(Type.String(), 'Where the next page starts; null when there is none.');

export const MessageKind = Type.Union([Type.Literal('message'), Type.Literal('action')], {
  description: 'message, or action: third-person text (“waves”), as imports bring them.',
});

export const Message = Closed(
  {
    msg_id: MessageId,
    seq: Seq,
    kind: MessageKind,
    author: Type.String(),
    text: Type.Optional(Type.String({ description: 'Absent when deleted.' })),
    version: Version,
    time: Time,
    edited_time: Type.Optional(Time),
    deleted: Type.Optional(Type.Literal(true)),
  },
  { title: 'Message', description: 'A message as it is now.' },
);

export const EventKind = Type.Union(
  [
    Type.Literal('message'),
    Type.Literal('action'),
    Type.Literal('edit'),
    Type.Literal('delete'),
    Type.Literal('created'),
    Type.Literal('joined'),
    Type.Literal('added'),
    Type.Literal('role'),
    Type.Literal('removed'),
    Type.Literal('left'),
    Type.Literal('updated'),
  ],
  { description: 'What happened.' },
);

export const eventFields = {
  conversation: ConversationId,
  seq: Seq,
  kind: EventKind,
  time: Time,
  by: Type.String({ description: 'Who did it.' }),
  msg_id: Type.Optional(MessageId),
  version: Type.Optional(Version),
  message: Type.Optional(Message),
  user: Type.Optional(Type.String({ description: 'Whose membership changed.' })),
  role: Type.Optional(Role),
  title: Type.Optional(Type.String()),
  open: Type.Optional(Type.Boolean()),
};

export const Change = Closed(eventFields, { title: 'Change', description: 'One event of a conversation; a message or edit carries the message as it is now.' });

export const Account = Closed(
  { user_id: Type.String(), display_name: Type.String() },
  { title: 'Account', description: 'What anyone signed in sees of a user.' },
);
export const Me = Closed(
  { user_id: Type.String(), display_name: Type.String(), email: Type.String(), admin: Type.Boolean(), created_time: Time, session_id: Type.String() },
  { title: 'Me' },
);
export const Session = Closed(
  { session_id: Type.String(), created_time: Time, expires_time: Time, current: Type.Boolean(), user_agent: Type.String() },
  { title: 'Session' },
);
export const Member = Closed({ user: Type.String(), display_name: Type.String(), role: Role, joined_seq: Seq }, { title: 'Member' });

export const Group = Closed(
  {
    conversation: ConversationId,
    name: Type.String(),
    title: Type.String(),
    open: Type.Boolean(),
    member_count: Type.Integer({ minimum: 0 }),
  },
  { title: 'Group', description: 'What anyone signed in sees of an open group.' },
);

export const Conversation = Closed(
  {
    conversation: ConversationId,
    kind: Type.Union([Type.Literal('direct'), Type.Literal('group')]),
    user: Type.Optional(Type.String({ description: 'The other user of a direct conversation.' })),
    name: Type.Optional(Type.String({ description: 'The name of a group.' })),
    title: Type.String({ description: 'Title of the group, or display name of the other user.' }),
    open: Type.Optional(Type.Boolean()),
    member_count: Type.Optional(Type.Integer({ minimum: 0 })),
    role: NullOr(Role, 'My role in a group; null in a direct conversation or when left.'),
    left: Type.Boolean({ description: 'I am no longer a member and read no further than `seq`.' }),
    seq: Type.Integer({ minimum: 0, description: 'Newest seq that I may read.' }),
    last_message: NullOr(Message, 'Newest message; null when there is none.'),
    last_activity: NullOr(Time, 'Time of the newest event; null when there is none.'),
    read_seq: Type.Integer({ minimum: 0, description: 'How far I have read.' }),
    unread_count: Type.Integer({ minimum: 0, description: 'Messages after read_seq.' }),
  },
  { title: 'Conversation', description: 'A conversation as one of its people sees it.' },
);

/** Every answer to a write in a conversation begins with these. */
export const writeFields = {
  conversation: ConversationId,
  seq: NullOr(Seq, 'The event’s own place in the order; null when nothing had to change.'),
  time: NullOr(Time, 'When it was decided.'),
  client_id: ClientId,
  decided: Type.Literal(true),
};
export const MessageAnswer = Closed({ ...writeFields, msg_id: MessageId, version: Version }, { title: 'MessageAnswer' });
export const MemberAnswer = Closed(
  { ...writeFields, user: Type.String(), role: NullOr(Role, 'The role; null when no longer a member.') },
  { title: 'MemberAnswer' },
);
export const GroupAnswer = Closed({ ...writeFields, name: Type.String(), title: Type.String(), open: Type.Boolean() }, { title: 'GroupAnswer' });

export const ProblemDetails = Type.Object(
  {
    type: Type.String({ description: 'Address of the page about this code.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What happened here and what to do.' }),
    code: Type.String(),
    request_id: Type.String(),
    decided: Type.Boolean({
      description: 'true: the refusal is the stored answer to this client_id; false: nothing was stored and nothing is said about any attempt.',
    }),
    field: Type.Optional(Type.String()),
    version: Type.Optional(Version),
    client_id: Type.Optional(Type.String()),
    retry_after: Type.Optional(Type.Integer({ description: 'Seconds to wait.' })),
  },
  { title: 'Problem', description: 'RFC 9457 problem details.' },
);

export type Message = Static<typeof Message>;
export type Change = Static<typeof Change>;
export type EventKind = Static<typeof EventKind>;
export type MessageKind = Static<typeof MessageKind>;
export type Role = Static<typeof Role>;
export type Account = Static<typeof Account>;
export type Me = Static<typeof Me>;
export type Session = Static<typeof Session>;
export type Member = Static<typeof Member>;
export type Group = Static<typeof Group>;
export type Conversation = Static<typeof Conversation>;
export type MessageAnswer = Static<typeof MessageAnswer>;
export type MemberAnswer = Static<typeof MemberAnswer>;
export type GroupAnswer = Static<typeof GroupAnswer>;
export type ProblemDetails = Static<typeof ProblemDetails>;
