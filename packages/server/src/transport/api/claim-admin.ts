import { installationKey } from '../../journal/command.ts';
import { Refusal } from '../../node/refusal.ts';
import { hashSecret } from '../../node/sessions.ts';
import { accountOf, toMe } from '../accounts.ts';
import type { Handler } from '../context.ts';

export const claimAdmin: Handler<'claim_admin'> = async (context, { link }) => {
  const { userId } = context.caller;
  // By hash, so that neither the journal nor the time of a comparison tells anything about the link.
  const outcome = await context.node.submit({ kind: 'claim_admin', key: installationKey, userId, linkHash: hashSecret(link) });
  if (outcome instanceof Refusal) return outcome;
  const { refusal } = outcome.results[0]!;
  if (refusal !== undefined) return new Refusal(refusal);
  const account = await accountOf(context, userId);
  return account === undefined ? new Refusal('not_signed_in') : toMe(context, account);
};
