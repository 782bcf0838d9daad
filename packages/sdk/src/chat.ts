import type { Answer } from '@parlance/schema/calls';
import type { CallFrame } from '@parlance/schema/live';
import type { MessageAnswer } from '@parlance/schema/types';
import { checkCount, checkMessageId, checkText } from './check.ts';
import type { Parlance } from './client.ts';
import { markQueue } from './session.ts';
import type { ConversationView } from './view.ts';

/**
 * One conversation, as a program handles it. Any number of these may be made of one conversation; they hold nothing themselves. Every write
 * is in the view at once, is kept in order with the others of this conversation and retried until decided; its promise resolves with the
 * answer or rejects with ParlanceError.
 */
export class Chat {
  /** Stable id. */
  readonly id: string;
  readonly #client: Parlance;

  constructor(client: Parlance, id: string) {
    this.id = id;
    this.#client = client;
  }

  /** What is to be shown now. The same object until something changed. */
  get view(): ConversationView {
    return this.#client.view(this.id);
  }

  /** Loads the conversation, keeps it up to date, and calls `listener` whenever its view changed. Returns how to end that. */
  subscribe(listener: (view: ConversationView) => void): () => void {
    return this.#client.watch(this.id, listener);
  }

  /** Loads the newest page, unless that has been done. From then on the conversation is kept up to date. */
  load(): Promise<void> {
    return this.#client.load(this.id);
  }

  /** Puts an older page in front. Resolves with whether there is more. */
  loadOlder(limit = this.#client.pageSize): Promise<boolean> {
    return this.#client.loadOlder(this.id, limit);
  }

  /** `clientId` is for repeating a write from an earlier run. */
  async send(text: string, { clientId = this.#client.clientId() }: { clientId?: string } = {}): Promise<MessageAnswer> {
    return this.#write({ type: 'send_message', conversation: this.id, text: checkText(text), client_id: clientId });
  }

  /** With `version`, refused with `version_mismatch` when it is no longer the message's. */
  async edit(msg_id: string, text: string, { version }: { version?: number } = {}): Promise<MessageAnswer> {
    return this.#write({
      type: 'edit_message',
      conversation: this.id,
      msg_id: checkMessageId(msg_id),
      text: checkText(text),
      client_id: this.#client.clientId(),
      ...(version === undefined ? {} : { version: checkCount('version', version, 1) }),
    });
  }

  async delete(msg_id: string, { version }: { version?: number } = {}): Promise<MessageAnswer> {
    return this.#write({
      type: 'delete_message',
      conversation: this.id,
      msg_id: checkMessageId(msg_id),
      client_id: this.#client.clientId(),
      ...(version === undefined ? {} : { version: checkCount('version', version, 1) }),
    });
  }

  /** I have read up to `seq`, by default all that is here. */
  async markRead(seq = this.view.seq): Promise<Answer<'mark_read'>> {
    const frame: CallFrame = { type: 'mark_read', conversation: this.id, seq: checkCount('seq', seq, 0), client_id: this.#client.clientId() };
    const answer = this.#client.write<Answer<'mark_read'>>(markQueue(this.id), frame);
    this.#client.showRead(this.id, seq);
    return answer;
  }

  /** Tries a failed message again: with the same client_id where its outcome is open, with a new one where it was refused. */
  async retry(clientId: string): Promise<MessageAnswer> {
    const failed = this.#client.discard(this.id, clientId);
    if (failed === undefined) throw new Error(`no failed message of ${this.id} has the client_id ${clientId}`);
    return this.#write(failed.isDecided ? { ...failed.frame, client_id: this.#client.clientId() } : failed.frame);
  }

  /** Takes a failed message out of the view. */
  discard(clientId: string): void {
    this.#client.discard(this.id, clientId);
  }

  #write(frame: CallFrame): Promise<MessageAnswer> {
    return this.#client.write<MessageAnswer>(this.id, frame);
  }
}
