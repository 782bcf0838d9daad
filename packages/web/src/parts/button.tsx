import type { ButtonHTMLAttributes, ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';
import styles from './parts.module.css';

type Rest = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'children' | 'className'>;

/** A button that is a sign, with its name for those who point at it and those who listen. */
export function IconButton({ icon, label, size, isTurned, ...rest }: { icon: IconName; label: string; size?: number; isTurned?: boolean } & Rest) {
  return (
    <button type="button" className={styles.iconButton} aria-label={label} title={label} {...rest}>
      <Icon name={icon} {...(size !== undefined && { size })} {...(isTurned !== undefined && { isTurned })} />
    </button>
  );
}

export function Button({ kind, type = 'button', children, ...rest }: { kind?: 'main' | 'danger'; children: ReactNode } & Rest) {
  return (
    <button type={type} className={styles.button} data-kind={kind} {...rest}>
      {children}
    </button>
  );
}

/** For screen readers only. */
export const Hidden = ({ children }: { children: ReactNode }) => <span className={styles.hidden}>{children}</span>;
