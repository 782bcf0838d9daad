import { useValue } from '../state/signal.ts';
import { toasts } from '../state/toasts.ts';
import styles from './parts.module.css';

/** Short words at the foot of the window. */
export function Toasts() {
  const all = useValue(toasts);
  return (
    <div className={styles.toasts} role="status">
      {all.map(({ id, text, action }) => (
        <div key={id} className={styles.toast}>
          <span>{text}</span>
          {action !== undefined && (
            <button type="button" onClick={action.run}>
              {action.label}
            </button>
          )}
        </div>
      ))}
    </div>
  );
}
