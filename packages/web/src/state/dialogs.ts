import { signal } from './signal.ts';

/** The dialog that is open: at most one. */
export type DialogName =
  | { name: 'switcher' }
  | { name: 'keys' }
  | { name: 'newGroup' }
  | { name: 'confirm'; text: string; action: string; run(): void }
  | { name: 'conflict'; theirs: string; yours: string; onUseYours(): void };

export const dialog = signal<DialogName | null>(null);

export const closeDialog = (): void => {
  dialog.value = null;
};

/** Asks first. */
export const confirm = (text: string, action: string, run: () => void): void => {
  dialog.value = { name: 'confirm', text, action, run };
};

/** Whether the members of the open group are shown beside it. */
export const isPanelOpen = signal(false);
