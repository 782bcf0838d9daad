import type { ReactNode } from 'react';
import { t } from '../text/language.ts';
import { Button } from './button.tsx';
import styles from './parts.module.css';

/** Where there is nothing, or something went wrong: what that means and what to do about it. */
export function Empty({ title, children, onRetry }: { title: string; children?: ReactNode; onRetry?: () => void }) {
  return (
    <div className={styles.empty} role={onRetry === undefined ? undefined : 'alert'}>
      <strong>{title}</strong>
      {children !== undefined && <span>{children}</span>}
      {onRetry !== undefined && <Button onClick={onRetry}>{t().retry}</Button>}
    </div>
  );
}
