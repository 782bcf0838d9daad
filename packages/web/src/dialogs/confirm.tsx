import { Button } from '../parts/button.tsx';
import { DialogFrame } from '../parts/dialog-frame.tsx';
import parts from '../parts/parts.module.css';
import { closeDialog } from '../state/dialogs.ts';
import { t } from '../text/language.ts';

/** Asks before something that cannot be taken back. */
export function Confirm({ text, action, run }: { text: string; action: string; run(): void }) {
  return (
    <DialogFrame title={action}>
      <p>{text}</p>
      <div className={parts.foot}>
        <Button onClick={closeDialog}>{t().cancel}</Button>
        <Button
          kind="main"
          onClick={() => {
            closeDialog();
            run();
          }}
        >
          {action}
        </Button>
      </div>
    </DialogFrame>
  );
}
