import { dialog } from '../state/dialogs.ts';
import { useValue } from '../state/signal.ts';
import { Confirm } from './confirm.tsx';
import { Conflict } from './conflict.tsx';
import { Keys } from './keys.tsx';
import { NewGroup } from './new-group.tsx';
import { Switcher } from './switcher.tsx';

/** The dialog that is open, if any. */
export function Dialogs() {
  const open = useValue(dialog);
  switch (open?.name) {
    case 'switcher':
      return <Switcher />;
    case 'keys':
      return <Keys />;
    case 'newGroup':
      return <NewGroup />;
    case 'confirm':
      return <Confirm {...open} />;
    case 'conflict':
      return <Conflict {...open} />;
    default:
      return null;
  }
}
