import { Refusal } from '../../node/refusal.ts';
import { writable } from '../access.ts';
import type { Handler } from '../context.ts';
import { messageAnswer, submitWrite } from '../submit.ts';

export const sendMessage: Handler<'send_message'> = async (context, { conversation, text, client_id }) => {
  const parts = await writable(context, conversation);
  if (parts instanceof Refusal) return parts;
  const accepted = await submitWrite(context, parts.id, client_id, { kind: 'send', text });
  return accepted instanceof Refusal ? accepted : messageAnswer(accepted);
};
