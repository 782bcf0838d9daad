import type { DecidedCode } from '@parlance/schema/errors';
import type { MessageAnswer } from '@parlance/schema/types';
import { keyOfConversation, type WriteCommand } from '../journal/command.ts';
import type { Result } from '../journal/record.ts';
import { Refusal } from '../node/refusal.ts';
import type { DecisionRow } from '../store/rows.ts';
import type { SignedIn } from './context.ts';
import { rfc3339 } from './wire.ts';

// From a validated input to a command, and from what came of it to an answer, in one place for all writes in a conversation.

type Body<C> = C extends WriteCommand ? Omit<C, 'nonce' | 'key' | 'author' | 'clientId' | 'decisionKey' | 'fingerprint' | 'conversation'> : never;

/** What came of a write that was accepted, now or the first time. */
export interface Accepted {
  decision: DecisionRow;
  result: Result;
  /** What every answer to a write begins with. */
  fields: { conversation: string; seq: number | null; time: string; client_id: string; decided: true };
}

/** Submits a write of the caller and waits for what comes of it. A refusal is decided, or says by `decided: false` that nothing was stored. */
export async function submitWrite(context: SignedIn, conversation: string, clientId: string, body: Body<WriteCommand>): Promise<Accepted | Refusal> {
  const { node, writes, caller } = context;
  const attempt = writes.attempt(conversation, caller.userId, clientId, fingerprinted(body));
  const outcome = await node.submit({ ...body, ...attempt, key: keyOfConversation(conversation), conversation });
  if (outcome instanceof Refusal) return outcome;
  const result = outcome.results[0]!;
  const decision = acceptedOf(result);
  if (decision instanceof Refusal) return decision;
  const { seq, time } = decision;
  return { decision, result, fields: { conversation, seq: seq === 0 ? null : seq, time: rfc3339(time), client_id: clientId, decided: true } };
}

/** The decision of a result that was accepted; otherwise the refusal. */
export function acceptedOf({ decision, refusal }: Result): DecisionRow | Refusal {
  if (refusal !== undefined) return new Refusal(refusal);
  if (decision === undefined) throw new Error('a write came back without decision or refusal');
  if (decision.code === null) return decision;
  return new Refusal(decision.code as DecidedCode, { decided: true, ...(decision.version > 0 && { version: decision.version }) });
}

export const messageAnswer = ({ decision, fields }: Accepted): MessageAnswer => ({
  ...fields,
  msg_id: String(decision.messageSeq),
  version: decision.version,
});

/** The seq of a message id. Ids beyond what a number holds exactly are of no message, and so is the one they become. */
export const messageSeqOf = (id: string): number => Math.min(Number(id), Number.MAX_SAFE_INTEGER);

// Every field that makes the write what it is, in a fixed order; what is left out is null, so the fields stay in their places.
function fingerprinted(body: Body<WriteCommand>): (string | number | boolean | null)[] {
  switch (body.kind) {
    case 'send':
      return [body.kind, body.text];
    case 'edit':
      return [body.kind, body.messageSeq, body.version, body.text];
    case 'delete':
      return [body.kind, body.messageSeq, body.version];
    case 'create':
    case 'update':
      return [body.kind, body.title, body.open];
    case 'put_member':
      return [body.kind, body.user, body.role];
    case 'remove_member':
      return [body.kind, body.user];
  }
}
