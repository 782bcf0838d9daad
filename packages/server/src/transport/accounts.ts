import type { Account, Me } from '@parlance/schema/types';
import type { AccountCommand } from '../journal/command.ts';
import { Refusal } from '../node/refusal.ts';
import type { AccountRow } from '../store/rows.ts';
import type { Services, SignedIn } from './context.ts';
import { rfc3339 } from './wire.ts';

// What the calls about accounts share.

export async function accountOf({ node }: Services, userId: string): Promise<AccountRow | undefined> {
  const [row] = await node.store.rows([{ table: 'account', userId }]);
  return row?.table === 'account' ? row : undefined;
}

/** The accounts of these users that exist, by user id. */
export async function accountsOf({ node }: Services, userIds: readonly string[]): Promise<Map<string, AccountRow>> {
  const found = new Map<string, AccountRow>();
  if (userIds.length === 0) return found;
  for (const row of await node.store.rows(userIds.map((userId) => ({ table: 'account', userId })))) if (row.table === 'account') found.set(row.userId, row);
  return found;
}

type Body<C> = C extends { userId: string } & AccountCommand ? Omit<C, 'nonce' | 'key'> : never;

/** Submits a command about one account; answers the account as it is after it. */
export async function submitAccount({ node }: Services, body: Body<AccountCommand>): Promise<AccountRow | Refusal> {
  const outcome = await node.submit({ ...body, key: body.userId });
  if (outcome instanceof Refusal) return outcome;
  const { event, refusal } = outcome.results[0]!;
  if (refusal !== undefined) return new Refusal(refusal);
  if (event === undefined || !('account' in event)) throw new Error(`${body.kind} came back without an account`);
  return event.account;
}

export const toAccount = ({ userId, displayName }: AccountRow): Account => ({ user_id: userId, display_name: displayName });

export async function toMe(context: SignedIn, account: AccountRow): Promise<Me> {
  return {
    ...toAccount(account),
    email: account.email,
    admin: await context.sessions.isAdmin(account.userId),
    created_time: rfc3339(account.createdTime),
    session_id: context.caller.sessionId,
  };
}
