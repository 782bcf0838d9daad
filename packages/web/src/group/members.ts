import { parseConversationId } from '@parlance/schema/ids';
import { ParlanceError } from '@parlance/sdk';
import { current } from '../conversation/current.ts';
import { learn } from '../state/names.ts';
import { session } from '../state/session.ts';
import { computed, effect, signal, untracked } from '../state/signal.ts';
import { toast } from '../state/toasts.ts';
import { sentenceOf } from '../text/language.ts';
import type { Member } from './member.ts';

// The members of the group that is open. Read when it is opened, and again whenever its history says that they changed.

export interface Members {
  readonly group: string;
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly all: readonly Member[];
  readonly isOpen: boolean;
}

export const members = signal<Members | null>(null);

/** Pages of 200. */
const pagesMax = 25;

/** My own role in the group that is open; null when I have none. */
export const myRole = computed(() => {
  const now = session.value;
  return now.phase === 'signedIn' ? (members.value?.all.find(({ user }) => user === now.client.me)?.role ?? null) : null;
});

/** Follows the group that is open. */
export function startMembers(): void {
  let seenSeq = -1;
  effect(() => {
    const open = current.value;
    const parts = open === null ? undefined : parseConversationId(open.id);
    if (open === null || parts?.kind !== 'group') {
      members.value = null;
      seenSeq = -1;
      return;
    }
    const { left, isLoaded, notices, seq } = open.view.value;
    untracked(() => {
      if (members.peek()?.group !== parts.name) {
        members.value = { group: parts.name, phase: 'loading', all: [], isOpen: false };
        seenSeq = -1;
      }
      if (!isLoaded || left) return;
      const newest = notices.at(-1)?.seq ?? seq;
      if (seenSeq >= newest || (seenSeq !== -1 && notices.length === 0)) return;
      seenSeq = newest;
      void read(parts.name);
    });
  });
}

async function read(group: string): Promise<void> {
  const now = session.peek();
  if (now.phase !== 'signedIn') return;
  const { rest } = now.client;
  try {
    const all: Member[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const answer = await rest.call('list_members', { name: group, limit: 200, ...(cursor !== undefined && { cursor }) });
      all.push(...answer.members);
      if (answer.next_cursor === null) break;
      cursor = answer.next_cursor;
    }
    const { open } = await rest.call('get_group', { name: group });
    learn(all);
    if (members.peek()?.group === group) members.value = { group, phase: 'ready', all, isOpen: open };
  } catch (error) {
    if (!(error instanceof ParlanceError)) throw error;
    const before = members.peek();
    if (before?.group === group && before.phase !== 'ready') members.value = { ...before, phase: 'failed' };
  }
}

/** Carries out a change of a group, and says when it is refused. */
export async function change(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (!(error instanceof ParlanceError)) throw error;
    toast(sentenceOf(error.problem));
    return false;
  }
}
