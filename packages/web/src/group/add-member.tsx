import { type KeyboardEvent, useId, useState } from 'react';
import { Avatar } from '../parts/avatar.tsx';
import parts from '../parts/parts.module.css';
import { useDirectory } from '../shell/use-directory.ts';
import { session } from '../state/session.ts';
import { t } from '../text/language.ts';
import styles from './group.module.css';
import { change, members } from './members.ts';

/** Adds somebody, found by the beginning of the user name. */
export function AddMember({ group }: { group: string }) {
  const [typed, setTyped] = useState('');
  const [at, setAt] = useState(0);
  const id = useId();
  const people = useDirectory(typed.trim().replace(/^@/, ''), async (page, signal) => {
    const now = session.peek();
    if (now.phase !== 'signedIn' || page.prefix === undefined) return { rows: [], next: null };
    const { users } = await now.client.rest.call('list_users', { ...page, limit: 20 }, { signal });
    return { rows: users, next: null };
  });
  const isMember = new Set(members.peek()?.all.map(({ user }) => user));
  const found = typed.trim() === '' ? [] : people.rows.filter(({ user_id }) => !isMember.has(user_id)).slice(0, 8);
  const chosen = Math.min(at, found.length - 1);

  const add = (user: string | undefined): void => {
    const now = session.peek();
    if (user === undefined || now.phase !== 'signedIn') return;
    setTyped('');
    setAt(0);
    void change(now.client.putMember(group, user));
  };

  const press = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      setAt((chosen + step + found.length) % found.length);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      add(found[chosen]?.user_id);
    } else if (event.key === 'Escape' && typed !== '') {
      event.preventDefault();
      setTyped('');
    }
  };

  const isOpen = typed.trim() !== '';
  return (
    <div className={styles.add}>
      <label className={parts.label} htmlFor={id}>
        {t().group.addPerson}
      </label>
      <input
        id={id}
        className={parts.input}
        role="combobox"
        aria-expanded={isOpen}
        aria-controls={`${id}-found`}
        aria-autocomplete="list"
        aria-activedescendant={found.length > 0 ? `${id}-${chosen}` : undefined}
        placeholder={t().group.addPersonHelp}
        dir="ltr"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={press}
      />
      {isOpen && (
        <div id={`${id}-found`} role="listbox" aria-label={t().switcher.results} className={styles.found}>
          {found.map(({ user_id: user, display_name: name }, index) => (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field above has the keys.
            <div
              key={user}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === chosen}
              tabIndex={-1}
              className={styles.option}
              onPointerMove={() => setAt(index)}
              onClick={() => add(user)}
            >
              <Avatar id={user} name={name} size={30} />
              <span className={styles.lines}>
                <bdi className={styles.name}>{name}</bdi>
                {name !== user && <bdi className={styles.role}>@{user}</bdi>}
              </span>
            </div>
          ))}
          {found.length === 0 && (
            <div role="option" aria-selected="false" aria-disabled="true" tabIndex={-1} className={styles.option}>
              {people.phase === 'loading' ? t().loading : t().group.noOne}
            </div>
          )}
        </div>
      )}
    </div>
  );
}
