import { Refusal } from '../../node/refusal.ts';
import { writable } from '../access.ts';
import type { Handler } from '../context.ts';
import { messageAnswer, messageSeqOf, submitWrite } from '../submit.ts';

export const deleteMessage: Handler<'delete_message'> = async (context, { conversation, msg_id, version = null, client_id }) => {
  const parts = await writable(context, conversation);
  if (parts instanceof Refusal) return parts;
  const accepted = await submitWrite(context, parts.id, client_id, { kind: 'delete', messageSeq: messageSeqOf(msg_id), version });
  return accepted instanceof Refusal ? accepted : messageAnswer(accepted);
};
