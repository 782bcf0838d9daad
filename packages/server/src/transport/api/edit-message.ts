import { Refusal } from '../../node/refusal.ts';
import { writable } from '../access.ts';
import type { Handler } from '../context.ts';
import { messageAnswer, messageSeqOf, submitWrite } from '../submit.ts';

export const editMessage: Handler<'edit_message'> = async (context, { conversation, msg_id, text, version = null, client_id }) => {
  const parts = await writable(context, conversation);
  if (parts instanceof Refusal) return parts;
  const accepted = await submitWrite(context, parts.id, client_id, { kind: 'edit', messageSeq: messageSeqOf(msg_id), text, version });
  return accepted instanceof Refusal ? accepted : messageAnswer(accepted);
};
