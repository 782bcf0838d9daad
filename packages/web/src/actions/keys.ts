import { dialog } from '../state/dialogs.ts';
import { session } from '../state/session.ts';
import { editLast } from './edit-last.ts';
import { actions, isPressed } from './table.ts';

/** Listens for the keys of the actions, in the whole window. Keys that a field or a dialog has taken do not come here. */
export function startKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.isComposing || session.peek().phase !== 'signedIn') return;
    const action = actions.find(({ shortcut }) => shortcut !== undefined && isPressed(shortcut, event));
    // ↑ belongs to the composer, which hands it on while it is empty.
    if (action === undefined || action === editLast || !action.isEnabled()) return;
    // An open dialog has its own Esc, and nothing behind it is to be moved.
    if (dialog.peek() !== null) return;
    event.preventDefault();
    action.run();
  });
}
