import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { editLast } from '../actions/edit-last.ts';
import type { OpenConversation } from '../conversation/open-conversation.ts';
import { mayHaveMarkup } from '../markdown/detect.ts';
import { loadMarkdown } from '../markdown/load.ts';
import { Icon } from '../parts/icon.tsx';
import { draftOf, keepDraft } from '../state/drafts.ts';
import { nameOf, names } from '../state/names.ts';
import { sendKey } from '../state/settings.ts';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import styles from './composer.module.css';
import { bytesLeft, nearEnd } from './text-length.ts';

const growsByItself = CSS.supports('field-sizing', 'content');

/** Where one writes. What is begun is kept for each conversation. */
export function Composer({ open }: { open: OpenConversation }) {
  const { title, left, problem } = useValue(open.view);
  const phase = useValue(open.timeline).phase;
  const sendsWith = useValue(sendKey);
  const [text, setText] = useState(() => draftOf(open.id));
  const [isSendWished, setSendWished] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const why = useWhyLeft(open);
  const isClosed = left || phase === 'failed' || problem !== null;

  // On a screen that is touched, the focus would bring the keyboard up over what one came to read.
  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) area.current?.focus({ preventScroll: true });
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text.
  useLayoutEffect(() => {
    const { current } = area;
    if (growsByItself || current === null) return;
    current.style.height = 'auto';
    current.style.height = `${current.scrollHeight}px`;
  }, [text]);

  const write = (next: string): void => {
    setText(next);
    setSendWished(false);
    keepDraft(open.id, next);
    // The parser is there before the message needs it.
    if (mayHaveMarkup(next)) void loadMarkdown();
  };

  const left_ = bytesLeft(text);
  const canSend = !isClosed && phase === 'ready' && text.trim() !== '' && left_ >= 0;
  const send = (): void => {
    // Until the messages are there, what is to be sent waits where it was written; a further key takes the wish back.
    setSendWished(!canSend && phase === 'loading' && problem === null);
    if (!canSend) return;
    open.send(text);
    write('');
    area.current?.focus();
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: the messages are there; `send` is new with every rendering.
  useEffect(() => {
    if (isSendWished) send();
  }, [phase]);

  const press = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const isHeld = event.ctrlKey || event.metaKey;
    if (event.key === 'Enter' && !event.altKey && (sendsWith === 'enter' ? !event.shiftKey : isHeld)) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && text === '' && !isHeld && !event.altKey && !event.shiftKey && editLast.isEnabled()) {
      event.preventDefault();
      editLast.run();
    }
  };

  const label = t().chat.messageTo(title);
  return (
    <div className={styles.composer}>
      <div className={styles.box} data-closed={isClosed || undefined}>
        <textarea
          ref={area}
          rows={1}
          dir="auto"
          data-composer
          data-first
          aria-label={label}
          placeholder={isClosed ? why : label}
          value={isClosed ? '' : text}
          readOnly={isClosed}
          onChange={(event) => write(event.currentTarget.value)}
          onKeyDown={press}
          aria-invalid={left_ < 0 || undefined}
          enterKeyHint={sendsWith === 'enter' ? 'send' : 'enter'}
        />
        {!isClosed && (
          <button type="button" className={styles.send} aria-label={t().chat.send} title={t().chat.send} disabled={!canSend} onClick={send}>
            <Icon name="send" size={19} />
          </button>
        )}
      </div>
      {left_ < nearEnd && (
        <p className={styles.left} data-over={left_ < 0 || undefined} role="status">
          {t().chat.charactersLeft(left_)}
        </p>
      )}
    </div>
  );
}

/** Why one cannot write here. */
function useWhyLeft(open: OpenConversation): string {
  const { notices, left } = useValue(open.view);
  useValue(names);
  const { chat } = t();
  if (!left) return chat.notMember;
  const last = notices.findLast(({ kind, user }) => (kind === 'removed' || kind === 'left') && user === open.client.me);
  if (last === undefined) return chat.left;
  return last.kind === 'removed' && last.by !== open.client.me ? chat.leftWhy(nameOf(last.by)) : chat.leftSelf;
}
