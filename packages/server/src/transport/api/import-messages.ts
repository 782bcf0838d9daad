import type { Input } from '@parlance/schema/calls';
import { foldName, groupId, parseConversationId, resolveConversation } from '@parlance/schema/ids';
import { type ImportItem, keyOfConversation } from '../../journal/command.ts';
import { Refusal } from '../../node/refusal.ts';
import { accountsOf, submitAccount } from '../accounts.ts';
import type { Handler, SignedIn } from '../context.ts';
import { acceptedOf } from '../submit.ts';
import { invalid } from '../validate.ts';

/** Accounts made at once for authors that have none. */
const accountsAtOnce = 16;

export const importMessages: Handler<'import_messages'> = async (context, { conversation: reference, items: given }) => {
  const { node, caller } = context;
  const conversation = resolveConversation(reference, caller.userId)?.id;
  if (conversation === undefined) return new Refusal('conversation_not_found');
  const items = itemsOf(context, conversation, given);
  if (items instanceof Refusal) return items;
  const refusal = (await checkConversation(context, conversation, items)) ?? (await ensureAuthors(context, items));
  if (refusal !== undefined) return refusal;
  const outcome = await node.submit({ kind: 'import', key: keyOfConversation(conversation), conversation, by: caller.userId, items });
  if (outcome instanceof Refusal) return outcome;
  const answers = outcome.results.map((result, index) => {
    const { clientId: client_id, author } = items[index]!;
    const decision = acceptedOf(result);
    return decision instanceof Refusal ? { client_id, author, seq: null, code: decision.code } : { client_id, author, seq: decision.seq };
  });
  return { conversation, items: answers, decided: true };
};

function itemsOf({ node, writes }: SignedIn, conversation: string, given: Input<'import_messages'>['items']): ImportItem[] | Refusal {
  const items: ImportItem[] = [];
  for (const [index, { author: authorInput, client_id, kind, text, time: timeInput }] of given.entries()) {
    const time = Date.parse(timeInput);
    if (time > node.time()) return invalid(`items.${index}.time`, 'lies in the future');
    const author = foldName(authorInput);
    items.push({ ...writes.attempt(conversation, author, client_id, ['import', kind, time, text]), kind, text, time });
  }
  return items;
}

/** An import needs a group that exists, or a direct conversation of users that exist, in which only those two write. */
async function checkConversation(context: SignedIn, conversation: string, items: readonly ImportItem[]): Promise<Refusal | undefined> {
  const parts = parseConversationId(conversation)!;
  if (parts.kind === 'group') {
    const rows = await context.node.store.rows([{ table: 'conversation', conversation }]);
    return rows.length === 0 ? new Refusal('conversation_not_found') : undefined;
  }
  for (const userId of parts.users) if (!(await context.seen.isUser(userId))) return new Refusal('user_not_found');
  const stranger = items.findIndex((item) => !parts.users.includes(item.author));
  return stranger < 0 ? undefined : invalid(`items.${stranger}.author`, 'must be one of the two users of the conversation');
}

/** Makes accounts, which cannot log in until they are given a password, for the authors that have none. */
async function ensureAuthors(context: SignedIn, items: readonly ImportItem[]): Promise<Refusal | undefined> {
  const authors = [...new Set(items.map((item) => item.author))];
  const existing = await accountsOf(context, authors);
  const missing = authors.filter((author) => !existing.has(author));
  const taken = (author: string): Refusal =>
    new Refusal('name_taken', {
      field: `items.${items.findIndex((item) => item.author === author)}.author`,
      detail: 'A group has the name of this author: users and groups share their names.',
    });
  const groups = missing.length === 0 ? [] : await context.node.store.rows(missing.map((author) => ({ table: 'conversation', conversation: groupId(author) })));
  for (const row of groups) if (row.table === 'conversation') return taken(row.conversation.slice('g:'.length));
  for (let from = 0; from < missing.length; from += accountsAtOnce) {
    const made = await Promise.all(missing.slice(from, from + accountsAtOnce).map((author) => ensureAccount(context, author)));
    for (const [index, refusal] of made.entries()) {
      if (refusal !== undefined) return refusal.code === 'user_exists' ? taken(missing[from + index]!) : refusal;
    }
  }
  return undefined;
}

async function ensureAccount(context: SignedIn, userId: string): Promise<Refusal | undefined> {
  const made = await submitAccount(context, { kind: 'register', userId, email: '', displayName: userId, passwordHash: null, byAdmin: true });
  if (!(made instanceof Refusal)) return undefined;
  // Somebody else may have made it since it was looked for, which is as good; or a group of that name.
  return made.code === 'user_exists' && (await context.seen.isUser(userId)) ? undefined : made;
}
