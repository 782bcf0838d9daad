// The names of things, and the four ways to write a conversation. Plain strings and pure functions, so that
// browsers, command line and server read and write them alike.

/** A user id or a group name: 1-32 characters of `a-z 0-9 . _ -`, the first a letter or digit. One namespace for both. */
export const namePattern = '^[a-z0-9][a-z0-9._-]{0,31}$';

/** What people may type for a name: as `namePattern`, upper case allowed; the server folds it with `foldName`. */
export const nameInputPattern = '^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$';

/** A message id: the `seq` of the message in its conversation, as a decimal string. */
export const messageIdPattern = '^[1-9][0-9]{0,15}$';

/** A client id: 1-64 printable ASCII characters without space. A UUIDv7 is found again fastest. */
export const clientIdPattern = '^[!-~]{1,64}$';

/** Any of the four ways to write a conversation: `@user`, `#group`, `d:a:b`, `g:name`. */
export const conversationPattern =
  '^(@[A-Za-z0-9][A-Za-z0-9._-]{0,31}|#[A-Za-z0-9][A-Za-z0-9._-]{0,31}|g:[a-z0-9][a-z0-9._-]{0,31}|d:[a-z0-9][a-z0-9._-]{0,31}:[a-z0-9][a-z0-9._-]{0,31})$';

const name = new RegExp(namePattern);

export type ConversationKind = 'direct' | 'group';

/** A stable conversation id taken apart. `users` are sorted; for the conversation with oneself both are the same. */
export type ConversationParts = { kind: 'direct'; id: string; users: [string, string] } | { kind: 'group'; id: string; name: string };

/** Whether `value` is a well-formed, already folded user id or group name. */
export const isName = (value: string): boolean => name.test(value);

export const foldName = (value: string): string => value.toLowerCase();

export const groupId = (group: string): string => `g:${group}`;

export const directId = (a: string, b: string): string => (a <= b ? `d:${a}:${b}` : `d:${b}:${a}`);

/**
 * Takes a stable id apart. Returns undefined for anything that is not one, including a direct id whose users are
 * not sorted: one conversation has one id.
 */
export function parseConversationId(id: string): ConversationParts | undefined {
  if (id.startsWith('g:')) {
    const group = id.slice(2);
    return isName(group) ? { kind: 'group', id, name: group } : undefined;
  }
  if (!id.startsWith('d:')) return undefined;
  const [a, b, ...rest] = id.slice(2).split(':');
  if (a === undefined || b === undefined || rest.length > 0) return undefined;
  return isName(a) && isName(b) && a <= b ? { kind: 'direct', id, users: [a, b] } : undefined;
}

/** Resolves what a person wrote (`@user`, `#group`, or a stable id) to the stable parts, as seen by the user `me`. */
export function resolveConversation(reference: string, me: string): ConversationParts | undefined {
  if (reference.startsWith('@')) {
    const user = foldName(reference.slice(1));
    return isName(user) ? { kind: 'direct', id: directId(me, user), users: me <= user ? [me, user] : [user, me] } : undefined;
  }
  if (reference.startsWith('#')) return parseConversationId(groupId(foldName(reference.slice(1))));
  return parseConversationId(reference);
}

/** The other user of a direct conversation, as seen by `me`; oneself for the conversation with oneself. */
export const peerOf = (users: readonly [string, string], me: string): string => (users[0] === me ? users[1] : users[0]);
