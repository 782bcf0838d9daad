import { signal } from './signal.ts';

// What somebody has begun to write, per conversation, kept over reloads. Written a moment after the last key, and when the page is left.

const keyOf = (user: string): string => `parlance.drafts.${user}`;
const saveAfterMs = 300;

export const drafts = signal<Readonly<Record<string, string>>>({});

let owner: string | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** The drafts of this person. */
export function openDrafts(user: string): void {
  owner = user;
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(keyOf(user)) ?? '{}');
    drafts.value = Object.fromEntries(Object.entries(kept as object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    drafts.value = {};
  }
  addEventListener('pagehide', save);
}

export const draftOf = (conversation: string): string => drafts.peek()[conversation] ?? '';

export function keepDraft(conversation: string, text: string): void {
  if (text === draftOf(conversation)) return;
  const { [conversation]: _, ...others } = drafts.peek();
  drafts.value = text.trim() === '' ? others : { ...others, [conversation]: text };
  clearTimeout(timer);
  timer = setTimeout(save, saveAfterMs);
}

/** For logging out. */
export function forgetDrafts(): void {
  drafts.value = {};
  save();
}

function save(): void {
  clearTimeout(timer);
  if (owner === null) return;
  try {
    if (Object.keys(drafts.peek()).length === 0) localStorage.removeItem(keyOf(owner));
    else localStorage.setItem(keyOf(owner), JSON.stringify(drafts.peek()));
  } catch {
    // Full, or forbidden: it lives as long as the page.
  }
}
