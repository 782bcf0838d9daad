import { directId, parseConversationId, peerOf } from '@parlance/schema/ids';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { Avatar } from '../parts/avatar.tsx';
import { DialogFrame } from '../parts/dialog-frame.tsx';
import { bestMatches } from '../shell/fuzzy.ts';
import { useDirectory } from '../shell/use-directory.ts';
import { inbox } from '../state/conversations.ts';
import { closeDialog } from '../state/dialogs.ts';
import { focusComposer } from '../state/focus.ts';
import { go, pathOf } from '../state/route.ts';
import { session } from '../state/session.ts';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import styles from './dialogs.module.css';

const shownMax = 12;

interface Choice {
  id: string;
  subject: string;
  title: string;
  isGroup: boolean;
}

/** Goes to a conversation or a person by a few letters of the name. */
export function Switcher() {
  const now = useValue(session);
  const { all } = useValue(inbox);
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();
  const me = now.phase === 'signedIn' ? now.client.me : '';
  const people = useDirectory(typed.trim().replace(/^[@#]/, ''), async (page, signal) => {
    if (now.phase !== 'signedIn' || page.prefix === undefined) return { rows: [], next: null };
    const { users } = await now.client.rest.call('list_users', { ...page, limit: shownMax }, { signal });
    return { rows: users, next: null };
  });

  const known = all.map((view): Choice => {
    const ids = parseConversationId(view.id);
    return {
      id: view.id,
      subject: ids?.kind === 'group' ? ids.name : ids === undefined ? view.id : peerOf(ids.users, me),
      title: view.title,
      isGroup: view.kind === 'group',
    };
  });
  const knownIds = new Set(known.map((one) => one.id));
  const found = typed.trim() === '' ? known : bestMatches(typed.replace(/^[@#]/, ''), known, ({ title, subject }) => [title, subject]);
  const strangers = people.rows
    .map(({ user_id, display_name }): Choice => ({ id: directId(user_id, me), subject: user_id, title: display_name, isGroup: false }))
    .filter((one) => !knownIds.has(one.id));
  const choices = [...found, ...strangers].slice(0, shownMax);
  const chosen = Math.min(at, choices.length - 1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is chosen is brought into view when it changes.
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);

  const choose = (choice: Choice | undefined): void => {
    if (choice === undefined) return;
    closeDialog();
    go(pathOf(choice.id, me));
    // The dialog gives the focus back to where it was; one came here to write.
    setTimeout(focusComposer);
  };

  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && choices.length > 0) {
      event.preventDefault();
      setAt((chosen + step + choices.length) % choices.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      choose(choices[chosen]);
    }
  };

  return (
    <DialogFrame title={t().switcher.title} isBare>
      <input
        className={styles.query}
        role="combobox"
        aria-label={t().switcher.label}
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={choices.length > 0 ? `${id}-${chosen}` : undefined}
        aria-autocomplete="list"
        placeholder={t().switcher.hint}
        dir="auto"
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      <div ref={list} id={id} role="listbox" aria-label={t().switcher.results} className={styles.choices}>
        {choices.map((choice, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys.
          <div
            key={choice.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            tabIndex={-1}
            className={styles.choice}
            onPointerMove={() => setAt(index)}
            onClick={() => choose(choice)}
          >
            <Avatar id={choice.subject} name={choice.title} size={30} isGroup={choice.isGroup} />
            <bdi>{choice.title}</bdi>
            <span className={styles.subject}>{choice.isGroup ? `#${choice.subject}` : `@${choice.subject}`}</span>
          </div>
        ))}
      </div>
      {choices.length === 0 && people.phase === 'ready' && <p className={styles.none}>{t().list.noMatch}</p>}
    </DialogFrame>
  );
}
