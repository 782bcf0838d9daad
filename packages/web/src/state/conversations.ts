import type { ConversationView, Parlance } from '@parlance/sdk';
import { session } from './session.ts';
import { computed, effect, signal } from './signal.ts';

// The list of conversations: what the replica knows, kept in a signal that changes once for all that changes in a task.

export const inbox = signal<{ phase: 'loading' | 'ready' | 'failed'; all: readonly ConversationView[] }>({ phase: 'loading', all: [] });

/** What comes in where somebody looks is read a moment later: the title does not blink for it, and the browser is not kept from painting the message. */
const titleAfterMs = 500;

/** How many pages of the inbox are read: the server looks at the newest 1,000 conversations. */
const pagesMax = 5;

/** Those that stand in the list: something was said, or it is a group of mine. */
export const listed = computed(() => inbox.value.all.filter((one) => isListed(one)));

const isListed = ({ kind, left, lastMessage, unreadCount }: ConversationView): boolean =>
  left ? unreadCount > 0 : kind === 'group' || lastMessage !== null || unreadCount > 0;

export const unreadTotal = computed(() => listed.value.reduce((sum, { unreadCount }) => sum + unreadCount, 0));

/** Follows the conversations of whoever is signed in. */
export function startConversations(): void {
  effect(() => {
    const now = session.value;
    inbox.value = { phase: 'loading', all: [] };
    if (now.phase !== 'signedIn') return;
    const { client } = now;
    const described = new Set<string>();
    let isAsking = false;
    const follow = (): void => {
      const { phase, all: before } = inbox.peek();
      if (phase === 'loading') return;
      const all = client.conversations;
      if (!isSame(all, before)) inbox.value = { phase, all };
      // News of a conversation that the inbox did not have yet: it is known by its id only, and would be called by it.
      if (all.some((one) => isListed(one) && !described.has(one.id))) void ask();
    };
    const ask = async (): Promise<void> => {
      if (isAsking) return;
      isAsking = true;
      try {
        const { conversations } = await client.inbox({ limit: 50 });
        for (const { conversation } of conversations) described.add(conversation);
        for (const { id } of client.conversations) described.add(id);
      } catch {
        // It is asked again with the next news.
      } finally {
        isAsking = false;
      }
    };
    void readInbox(client, described).then((isRead) => {
      if (session.peek() !== now) return;
      inbox.value = { phase: isRead ? 'ready' : 'failed', all: client.conversations };
    });
    return client.subscribe(follow);
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const title = unreadTotal.value > 0 ? `(${unreadTotal.value}) Parlance` : 'Parlance';
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (document.title !== title) document.title = title;
    }, titleAfterMs);
  });
}

/** Reads the whole list again. */
export async function rereadInbox(): Promise<void> {
  const now = session.peek();
  if (now.phase !== 'signedIn') return;
  const isRead = await readInbox(now.client, new Set());
  if (session.peek() === now) inbox.value = { phase: isRead || inbox.peek().phase === 'ready' ? 'ready' : 'failed', all: now.client.conversations };
}

async function readInbox(client: Parlance, described: Set<string>): Promise<boolean> {
  try {
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const answer = await client.inbox({ limit: 200, ...(cursor !== undefined && { cursor }) });
      for (const { conversation } of answer.conversations) described.add(conversation);
      if (answer.next_cursor === null) break;
      cursor = answer.next_cursor;
    }
    return true;
  } catch {
    return false;
  }
}

// A view is the same object until something changed.
const isSame = (a: readonly ConversationView[], b: readonly ConversationView[]): boolean => a.length === b.length && a.every((one, index) => one === b[index]);
