import { type ReactNode, useEffect, useId, useRef } from 'react';
import { closeDialog, dialog } from '../state/dialogs.ts';
import { t } from '../text/language.ts';
import { IconButton } from './button.tsx';
import styles from './parts.module.css';

interface Props {
  title: string;
  /** Without a head. */
  isBare?: boolean;
  /** There is only text in it: the body takes the focus itself, for the arrow keys to scroll it. */
  isText?: boolean;
  children: ReactNode;
}

/** A native modal dialog: it keeps the focus, gives it back, and closes on Esc and on a press beside it. */
export function DialogFrame({ title, isBare = false, isText = false, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  const own = useRef(dialog.peek());
  // Of a dialog that is closed, the browser tells in a task of its own: by then another may be open, which is to stay.
  const close = (): void => {
    if (dialog.peek() === own.current) closeDialog();
  };
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
      onClose={close}
      // At once, for what a key does next may be to open another.
      onCancel={close}
      onClick={(event) => event.target === element.current && close()}
    >
      {isBare ? (
        children
      ) : (
        <>
          <div className={styles.dialogHead}>
            <h2 id={id}>{title}</h2>
            <IconButton icon="close" label={t().close} onClick={close} />
          </div>
          {isText ? (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls and has nothing in it that takes the focus takes it itself.
            <section className={styles.dialogBody} aria-labelledby={id} tabIndex={0}>
              {children}
            </section>
          ) : (
            <div className={styles.dialogBody}>{children}</div>
          )}
        </>
      )}
    </dialog>
  );
}
