import { type ReactNode, useEffect, useId, useRef } from 'react';
import { closeDialog } from '../state/dialogs.ts';
import { t } from '../text/language.ts';
import { IconButton } from './button.tsx';
import styles from './parts.module.css';

/** A native modal dialog: it keeps the focus, gives it back, and closes on Esc and on a press beside it. */
export function DialogFrame({ title, isBare = false, children }: { title: string; isBare?: boolean; children: ReactNode }) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const { current } = element;
    const before = document.activeElement;
    current?.showModal();
    return () => {
      current?.close();
      if (document.activeElement === document.body && before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the key for it is Esc, which the dialog has by itself.
    <dialog
      ref={element}
      className={styles.dialog}
      data-top={isBare || undefined}
      aria-labelledby={isBare ? undefined : id}
      aria-label={isBare ? title : undefined}
      onClose={closeDialog}
      onClick={(event) => event.target === element.current && closeDialog()}
    >
      {isBare ? (
        children
      ) : (
        <>
          <div className={styles.dialogHead}>
            <h2 id={id}>{title}</h2>
            <IconButton icon="close" label={t().close} onClick={closeDialog} />
          </div>
          <div className={styles.dialogBody}>{children}</div>
        </>
      )}
    </dialog>
  );
}
