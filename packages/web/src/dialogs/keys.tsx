import type { Action, Shortcut } from '../actions/action.ts';
import { actions } from '../actions/table.ts';
import { DialogFrame } from '../parts/dialog-frame.tsx';
import { t } from '../text/language.ts';
import styles from './dialogs.module.css';

const arrows: Record<string, string> = { ArrowUp: '↑', ArrowDown: '↓' };

function Shown({ shortcut }: { shortcut: Shortcut }) {
  const { keys } = t();
  const key = arrows[shortcut.key] ?? (shortcut.key === 'Escape' ? keys.escape : shortcut.key.length === 1 ? shortcut.key.toUpperCase() : shortcut.key);
  const all = [shortcut.ctrl && keys.ctrl, shortcut.alt && keys.alt, shortcut.shift && keys.shift, key].filter((one) => typeof one === 'string');
  return (
    <span className={styles.shortcut} dir="ltr">
      {all.map((one) => (
        <kbd key={one}>{one}</kbd>
      ))}
    </span>
  );
}

/** What can be done with keys: made from the actions themselves. */
export function Keys() {
  const { keys, action } = t();
  const part = (title: string, place: Action['place']) => (
    <section>
      <h3 className={styles.heading}>{title}</h3>
      <dl className={styles.keys}>
        {actions
          .filter((one) => one.place === place && one.shortcut !== undefined)
          .map(({ id, shortcut }) => (
            <div key={id}>
              <dt>{action[id]}</dt>
              <dd>
                <Shown shortcut={shortcut!} />
              </dd>
            </div>
          ))}
      </dl>
    </section>
  );
  return (
    <DialogFrame title={keys.title} isText>
      {part(keys.anywhere, 'anywhere')}
      {part(keys.inChat, 'inChat')}
    </DialogFrame>
  );
}
