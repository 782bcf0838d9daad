import { directId, resolveConversation } from '@parlance/schema/ids';
import type { CallFrame, ServerFrame } from '@parlance/schema/live';
import type { WriteCommand } from '../../packages/server/src/journal/command.ts';
import { Refusal } from '../../packages/server/src/node/refusal.ts';
import type { Answer, Judge } from './judge.ts';
import { bodyOf } from './rules.ts';

// What was attempted, so that an answer on a socket, which names only the client_id, can be held against the body it answers.

export class Attempts {
  readonly #judge: Judge;
  /** Of sockets, where one client_id has one body: by user and client_id. */
  readonly #onSockets = new Map<string, { conversation: string; body: string }>();

  constructor(judge: Judge) {
    this.#judge = judge;
  }

  made(user: string, frame: CallFrame): void {
    if (frame.type !== 'mark_read') this.#onSockets.set(`${user} ${frame.client_id}`, attemptOf(user, frame.type, frame));
  }

  /** An ack, a refusal, or the push of one's own event, which is an ack. */
  answeredOnSocket(user: string, frame: ServerFrame): void {
    const clientId = 'client_id' in frame ? frame.client_id : undefined;
    if (clientId === undefined || (frame.type === 'event' && frame.by !== user)) return;
    const attempt = this.#onSockets.get(`${user} ${clientId}`);
    if (attempt === undefined) return;
    const answer =
      frame.type === 'refusal'
        ? frame.problem
        : frame.type === 'ack'
          ? (frame.answer as Answer)
          : answerOfPush(frame as Answer & { message?: { version: number } });
    this.#judge.answered(user, attempt.conversation, clientId, attempt.body, answer);
  }

  /** The answer of a call over HTTP. */
  answered(user: string, name: string, params: Record<string, unknown>, answer: unknown): void {
    const { conversation, body } = attemptOf(user, name as CallFrame['type'], params as never);
    this.#judge.answered(user, conversation, params.client_id as string, body, answer instanceof Refusal ? { ...answer } : (answer as Answer));
  }
}

const answerOfPush = (push: Answer & { message?: { version: number } }): Answer => ({
  seq: push.seq,
  msg_id: push.msg_id,
  version: push.version ?? push.message?.version,
  time: push.time,
});

/** The conversation that a frame writes to. */
export const conversationOf = (user: string, frame: { conversation?: string; name?: string }): string =>
  frame.name === undefined ? resolveConversation(frame.conversation!, user)!.id : `g:${frame.name}`;

function attemptOf(
  user: string,
  type: CallFrame['type'],
  frame: Record<string, unknown> & { conversation?: string; name?: string },
): { conversation: string; body: string } {
  const body = (kind: string, fields: Record<string, unknown>) => bodyOf({ kind, ...fields } as unknown as WriteCommand);
  const conversation = conversationOf(user, frame);
  const { text, msg_id, version = null, title = null, open = null, role = null, user: about } = frame;
  switch (type) {
    case 'send_message':
      return { conversation, body: body('send', { text }) };
    case 'edit_message':
      return { conversation, body: body('edit', { messageSeq: Number(msg_id), text, version }) };
    case 'delete_message':
      return { conversation, body: body('delete', { messageSeq: Number(msg_id), version }) };
    case 'create_group':
      return { conversation, body: body('create', { title: title ?? frame.name, open: open ?? false }) };
    case 'update_group':
      return { conversation, body: body('update', { title, open }) };
    case 'put_member':
      return { conversation, body: body('put_member', { user: about, role }) };
    case 'remove_member':
      return { conversation, body: body('remove_member', { user: about }) };
    default:
      throw new Error(`${type} is no write of ${directId(user, user)}`);
  }
}
