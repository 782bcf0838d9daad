import type { CallName } from '@parlance/schema/calls';
import type { Code } from '@parlance/schema/errors';

// Who may make which call: one row per call and kind of place, one column per caller. Nobody, and somebody whose session has ended, may make the public calls
// and are `not_signed_in` for all others, which stands in `expectedOf`. The same holds over every transport.

export const callers = ['nobody', 'ended', 'outsider', 'former', 'member', 'admin', 'owner', 'peer', 'administrator'] as const;
/**
 * outsider: never in the group. former: was removed from it. member, admin, owner: their role in it. peer: of the owner in the direct conversation, and not in the
 * group. administrator: of the installation, and in none of the conversations. ended: a member whose session has ended.
 */
export type Caller = (typeof callers)[number];
export type Expected = 'ok' | Code;

/** What a row happens in. */
export interface Scene {
  /** The group's name; its people beside the callers are `bystander`, a member, and `deputy`, an admin. */
  group: string;
  bystander: string;
  deputy: string;
  newcomer: string;
  /** The direct conversation of owner and peer, and a message of the owner in it. */
  direct: string;
  ownersInDirect: string;
  owner: string;
  /** Who makes the call. */
  me: string;
  /** A message of mine in the group, if I ever was in it; otherwise the bystander's. */
  mine: string;
  bystanders: string;
  /** A session of mine beside the one that calls; one of somebody else. */
  otherSession: string;
  foreignSession: string;
  /** A name nobody has. */
  freshName: string;
}

export interface Row {
  call: CallName;
  what: string;
  place: 'closed group' | 'open group' | 'elsewhere';
  input(scene: Scene): Record<string, unknown>;
  /** outsider, former, member, admin, owner, peer, administrator. */
  expected: readonly [Expected, Expected, Expected, Expected, Expected, Expected, Expected];
  /** The call ends its own session, so that it needs one for itself. */
  endsSession?: true;
}

export const password = 'a long password';

const everybody = (expected: Expected): Row['expected'] => [expected, expected, expected, expected, expected, expected, expected];
const administrators: Row['expected'] = ['admin_only', 'admin_only', 'admin_only', 'admin_only', 'admin_only', 'admin_only', 'ok'];
const none = 'conversation_not_found';
const peersOnly: Row['expected'] = [none, none, none, none, 'ok', 'ok', none];
const readInside: Row['expected'] = [none, 'ok', 'ok', 'ok', 'ok', none, none];
const readOpen: Row['expected'] = ['not_a_member', 'ok', 'ok', 'ok', 'ok', 'not_a_member', 'not_a_member'];
const writeInside: Row['expected'] = [none, 'not_a_member', 'ok', 'ok', 'ok', none, none];
const writeOpen: Row['expected'] = ['not_a_member', 'not_a_member', 'ok', 'ok', 'ok', 'not_a_member', 'not_a_member'];
const manageInside: Row['expected'] = [none, 'not_a_member', 'role_required', 'ok', 'ok', none, none];
const manageOpen: Row['expected'] = ['not_a_member', 'not_a_member', 'role_required', 'ok', 'ok', 'not_a_member', 'not_a_member'];
const ownInside: Row['expected'] = [none, 'not_a_member', 'role_required', 'role_required', 'ok', none, none];

const inGroup = (call: CallName, what: string, input: Row['input'], closed: Row['expected'], open?: Row['expected']): Row[] => [
  { call, what, place: 'closed group', input, expected: closed },
  ...(open === undefined ? [] : [{ call, what, place: 'open group' as const, input, expected: open }]),
];
const elsewhere = (call: CallName, what: string, input: Row['input'], expected: Row['expected']): Row => ({ call, what, place: 'elsewhere', input, expected });

const groupConversation = ({ group }: Scene) => ({ conversation: `g:${group}` });
const directConversation = ({ direct }: Scene) => ({ conversation: direct });
const account = ({ freshName }: Scene) => ({ user_id: freshName, email: 'somebody@example.org', password });

export const rows: readonly Row[] = [
  elsewhere('register', 'an account', account, everybody('ok')),
  elsewhere('log_in', 'to an account', ({ owner }) => ({ user_id: owner, password }), everybody('ok')),
  elsewhere('list_sessions', 'mine', () => ({}), everybody('ok')),
  { ...elsewhere('log_out', 'of this session', () => ({}), everybody('ok')), endsSession: true },
  elsewhere('end_session', 'one of mine', ({ otherSession }) => ({ session_id: otherSession }), everybody('ok')),
  elsewhere('end_session', 'of somebody else', ({ foreignSession }) => ({ session_id: foreignSession }), everybody('session_not_found')),
  elsewhere('get_me', 'me', () => ({}), everybody('ok')),
  elsewhere('update_me', 'me', () => ({ display_name: 'Me' }), everybody('ok')),
  elsewhere('change_password', 'mine', () => ({ current_password: password, new_password: password }), everybody('ok')),
  elsewhere('change_password', 'without knowing it', () => ({ current_password: 'not the password', new_password: password }), everybody('wrong_credentials')),
  elsewhere('list_users', 'the directory', () => ({}), everybody('ok')),
  elsewhere('get_user', 'somebody', ({ owner }) => ({ user: owner }), everybody('ok')),
  elsewhere('list_conversations', 'mine', () => ({}), everybody('ok')),
  elsewhere('list_groups', 'open ones', () => ({}), everybody('ok')),
  elsewhere('create_group', 'a new one', ({ freshName }) => ({ name: freshName }), everybody('ok')),
  ...inGroup('create_group', 'one that is there', ({ group }) => ({ name: group }), everybody('name_taken')),
  ...inGroup('get_conversation', 'the group', groupConversation, readInside, everybody('ok')),
  elsewhere('get_conversation', 'a direct one', directConversation, peersOnly),
  ...inGroup('get_group', 'the group', ({ group }) => ({ name: group }), [none, none, 'ok', 'ok', 'ok', none, none], everybody('ok')),
  ...inGroup('update_group', 'the title', ({ group }) => ({ name: group, title: 'Another' }), manageInside, manageOpen),
  ...inGroup('list_members', 'of the group', ({ group }) => ({ name: group }), writeInside, writeOpen),
  ...inGroup('put_member', 'somebody new', ({ group, newcomer }) => ({ name: group, user: newcomer }), manageInside, manageOpen),
  ...inGroup('put_member', 'myself', ({ group, me }) => ({ name: group, user: me }), writeInside, everybody('ok')),
  ...inGroup(
    'put_member',
    'myself as admin',
    ({ group, me }) => ({ name: group, user: me, role: 'admin' }),
    [none, 'not_a_member', 'role_required', 'ok', 'last_owner', none, none],
    ['role_required', 'role_required', 'role_required', 'ok', 'last_owner', 'role_required', 'role_required'],
  ),
  ...inGroup('put_member', 'a member as admin', ({ group, bystander }) => ({ name: group, user: bystander, role: 'admin' }), ownInside),
  ...inGroup('put_member', 'a member as owner', ({ group, bystander }) => ({ name: group, user: bystander, role: 'owner' }), ownInside),
  ...inGroup('put_member', 'an admin as member', ({ group, deputy }) => ({ name: group, user: deputy, role: 'member' }), ownInside),
  ...inGroup('remove_member', 'a member', ({ group, bystander }) => ({ name: group, user: bystander }), manageInside, manageOpen),
  ...inGroup('remove_member', 'an admin', ({ group, deputy }) => ({ name: group, user: deputy }), ownInside),
  ...inGroup(
    'remove_member',
    'myself',
    ({ group, me }) => ({ name: group, user: me }),
    [none, 'ok', 'ok', 'ok', 'last_owner', none, none],
    ['ok', 'ok', 'ok', 'ok', 'last_owner', 'ok', 'ok'],
  ),
  ...inGroup('send_message', 'to the group', (scene) => ({ ...groupConversation(scene), text: 'hello' }), writeInside, writeOpen),
  elsewhere('send_message', 'to a direct conversation', (scene) => ({ ...directConversation(scene), text: 'hello' }), peersOnly),
  ...inGroup('edit_message', 'of mine', (scene) => ({ ...groupConversation(scene), msg_id: scene.mine, text: 'mended' }), writeInside),
  ...inGroup(
    'edit_message',
    'of a member',
    (scene) => ({ ...groupConversation(scene), msg_id: scene.bystanders, text: 'mended' }),
    [none, 'not_a_member', 'not_the_author', 'not_the_author', 'not_the_author', none, none],
    ['not_a_member', 'not_a_member', 'not_the_author', 'not_the_author', 'not_the_author', 'not_a_member', 'not_a_member'],
  ),
  elsewhere('edit_message', 'of a peer', (scene) => ({ ...directConversation(scene), msg_id: scene.ownersInDirect, text: 'mended' }), [
    none,
    none,
    none,
    none,
    'ok',
    'not_the_author',
    none,
  ]),
  ...inGroup('delete_message', 'of mine', (scene) => ({ ...groupConversation(scene), msg_id: scene.mine }), writeInside),
  ...inGroup(
    'delete_message',
    'of a member',
    (scene) => ({ ...groupConversation(scene), msg_id: scene.bystanders }),
    [none, 'not_a_member', 'not_the_author', 'ok', 'ok', none, none],
    ['not_a_member', 'not_a_member', 'not_the_author', 'ok', 'ok', 'not_a_member', 'not_a_member'],
  ),
  elsewhere('delete_message', 'of a peer', (scene) => ({ ...directConversation(scene), msg_id: scene.ownersInDirect }), [
    none,
    none,
    none,
    none,
    'ok',
    'not_the_author',
    none,
  ]),
  ...inGroup('list_messages', 'of the group', groupConversation, readInside, readOpen),
  elsewhere('list_messages', 'of a direct conversation', directConversation, peersOnly),
  ...inGroup('list_changes', 'of the group', groupConversation, readInside, readOpen),
  elsewhere('list_changes', 'of a direct conversation', directConversation, peersOnly),
  ...inGroup('mark_read', 'the group', (scene) => ({ ...groupConversation(scene), seq: 1 }), readInside, readOpen),
  elsewhere('mark_read', 'a direct conversation', (scene) => ({ ...directConversation(scene), seq: 1 }), peersOnly),
  ...inGroup(
    'import_messages',
    'into the group',
    (scene) => ({
      ...groupConversation(scene),
      items: [{ author: scene.bystander, client_id: 'line-1', kind: 'message', text: 'of old', time: '2004-10-20T10:00:00.000Z' }],
    }),
    administrators,
  ),
  elsewhere('add_user', 'somebody', account, administrators),
  elsewhere('verify', 'the store', () => ({}), administrators),
  elsewhere('claim_admin', 'a second time', () => ({ link: 'the-link-of-the-security-test' }), everybody('admin_exists')),
];

/** What a caller is to be answered. */
export function expectedOf(row: Row, caller: Caller, access: 'public' | 'session' | 'admin'): Expected {
  if (caller === 'nobody' || caller === 'ended') return access === 'public' ? 'ok' : 'not_signed_in';
  return row.expected[callers.indexOf(caller) - 2]!;
}
