import type { MessageView } from '@parlance/sdk';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { OpenConversation } from '../conversation/open-conversation.ts';
import { Button } from '../parts/button.tsx';
import { focusComposer } from '../state/focus.ts';
import { t } from '../text/language.ts';
import styles from './message.module.css';
import { bytesLeft } from './text-length.ts';

/** Where a message is changed in its place. */
export function MessageEditor({ message, open }: { message: MessageView; open: OpenConversation }) {
  // The message as it was when somebody began: were the newest one changed instead, another's edit that came meanwhile would be written over unseen.
  const [begun] = useState(message);
  const [text, setText] = useState(begun.text ?? '');
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    const { current } = area;
    current?.focus();
    current?.setSelectionRange(current.value.length, current.value.length);
  }, []);

  const cancel = (): void => {
    open.editing.value = null;
    focusComposer();
  };
  const save = (): void => {
    if (text.trim() === '' || bytesLeft(text) < 0) return;
    open.edit(begun, text);
    focusComposer();
  };
  const press = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      save();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      cancel();
    } else if (event.key.startsWith('Arrow') || event.key === 'Home' || event.key === 'End') {
      event.stopPropagation();
    }
  };

  return (
    <div className={styles.editor}>
      <textarea
        ref={area}
        rows={1}
        dir="auto"
        value={text}
        aria-label={t().chat.editLabel}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={press}
        aria-invalid={bytesLeft(text) < 0 || undefined}
      />
      <div className={styles.editorFoot}>
        <span>{bytesLeft(text) < 0 ? t().chat.charactersLeft(bytesLeft(text)) : t().chat.editHint}</span>
        <Button onClick={cancel}>{t().cancel}</Button>
        <Button kind="main" onClick={save} disabled={text.trim() === '' || bytesLeft(text) < 0}>
          {t().save}
        </Button>
      </div>
    </div>
  );
}
