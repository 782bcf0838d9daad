import { type Chat, ParlanceError } from '@parlance/sdk';
import { signal } from '../state/signal.ts';
import { toast } from '../state/toasts.ts';
import { sentenceOf, t } from '../text/language.ts';

// A message that is deleted is gone from the screen at once, and from the server eight seconds later: until then it can be had back. Who leaves the page leaves
// no time to think it over: then it is sent at once, and the outbox sees to the rest.

const undoMs = 8000;

interface Removal {
  readonly commit: () => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

const waiting = new Map<string, Removal>();

const keyOf = (conversation: string, msgId: string): string => `${conversation} ${msgId}`;

/** Messages that are shown as deleted, and are not yet so on the server. */
export const removed = signal<ReadonlySet<string>>(new Set());

export const isRemoved = (conversation: string, msgId: string): boolean => removed.value.has(keyOf(conversation, msgId));

/** Deletes a message, in a while. */
export function remove(chat: Chat, msgId: string, onDone: () => void): void {
  const key = keyOf(chat.id, msgId);
  if (removed.peek().has(key)) return;
  const show = (isShown: boolean): void => {
    const next = new Set(removed.peek());
    if (isShown) next.add(key);
    else next.delete(key);
    removed.value = next;
  };
  const commit = (): void => {
    clearTimeout(waiting.get(key)?.timer);
    waiting.delete(key);
    endToast();
    chat
      .delete(msgId)
      .then(onDone, (error: unknown) => {
        if (!(error instanceof ParlanceError)) throw error;
        if (error.code !== 'message_deleted' && error.code !== 'signed_out') toast(sentenceOf(error.problem));
      })
      .finally(() => show(false));
  };
  const undo = (): void => {
    clearTimeout(waiting.get(key)?.timer);
    waiting.delete(key);
    show(false);
  };
  show(true);
  waiting.set(key, { commit, timer: setTimeout(commit, undoMs) });
  const endToast = toast(t().chat.undoDeleted, { action: { label: t().chat.undo, run: undo }, forMs: undoMs });
}

/** Sends what waits, at once. */
export function commitRemovals(): void {
  for (const { commit } of [...waiting.values()]) commit();
}

addEventListener('pagehide', commitRemovals);
