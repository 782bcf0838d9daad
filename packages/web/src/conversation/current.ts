import { resolveConversation } from '@parlance/schema/ids';
import { arrivals, route } from '../state/route.ts';
import { session } from '../state/session.ts';
import { effect, signal, untracked } from '../state/signal.ts';
import { OpenConversation } from './open-conversation.ts';

/** The conversation that is shown; null when there is none. */
export const current = signal<OpenConversation | null>(null);

/** Opens what the address says, and closes what it no longer says. */
export function startCurrent(): void {
  effect(() => {
    const now = session.value;
    const where = route.value;
    arrivals.value;
    untracked(() => {
      const id = now.phase === 'signedIn' && where.name === 'conversation' ? resolveConversation(where.reference, now.client.me)?.id : undefined;
      const target = where.name === 'conversation' && where.msgId !== null ? Number(where.msgId) : null;
      const open = current.peek();
      if (open !== null && open.id === id && now.phase === 'signedIn' && open.client === now.client) {
        if (target !== null) void open.goTo(target);
        return;
      }
      open?.close();
      if (id === undefined || now.phase !== 'signedIn') {
        current.value = null;
        return;
      }
      const next = new OpenConversation(now.client, id);
      current.value = next;
      next.open(target);
    });
  });
}
