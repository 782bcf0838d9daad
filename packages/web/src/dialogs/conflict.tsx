import { Button } from '../parts/button.tsx';
import { DialogFrame } from '../parts/dialog-frame.tsx';
import parts from '../parts/parts.module.css';
import { closeDialog } from '../state/dialogs.ts';
import { t } from '../text/language.ts';
import styles from './dialogs.module.css';

/** An edit that came too late: both texts, and the question which of them shall stand. */
export function Conflict({ theirs, yours, onUseYours }: { theirs: string; yours: string; onUseYours(): void }) {
  const { conflict } = t();
  return (
    <DialogFrame title={conflict.title}>
      <p>{conflict.help}</p>
      <figure className={styles.text}>
        <figcaption>{conflict.theirs}</figcaption>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls, also by keys. */}
        <blockquote dir="auto" tabIndex={0}>
          {theirs}
        </blockquote>
      </figure>
      <figure className={styles.text}>
        <figcaption>{conflict.yours}</figcaption>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a long text scrolls, also by keys. */}
        <blockquote dir="auto" tabIndex={0}>
          {yours}
        </blockquote>
      </figure>
      <div className={parts.foot}>
        <Button onClick={closeDialog}>{conflict.keepTheirs}</Button>
        <Button
          kind="main"
          onClick={() => {
            closeDialog();
            onUseYours();
          }}
        >
          {conflict.useYours}
        </Button>
      </div>
    </DialogFrame>
  );
}
