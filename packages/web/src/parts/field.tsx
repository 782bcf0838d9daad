import { type HTMLInputAutoCompleteAttribute, useId, useState } from 'react';
import { t } from '../text/language.ts';
import { IconButton } from './button.tsx';
import styles from './parts.module.css';

export interface FieldProps {
  label: string;
  name: string;
  value: string;
  onValue(value: string): void;
  type?: 'text' | 'email' | 'password';
  help?: string;
  error?: string | undefined;
  isOptional?: boolean;
  autoComplete?: HTMLInputAutoCompleteAttribute;
  maxLength?: number;
  isName?: boolean;
  isFirst?: boolean;
}

/** One field of a form: label, input, a word of help, and the sentence that says what is wrong with it, tied to it. */
export function Field({
  label,
  name,
  value,
  onValue,
  type = 'text',
  help,
  error,
  isOptional = false,
  autoComplete = 'off',
  maxLength,
  isName = false,
  isFirst = false,
}: FieldProps) {
  const id = useId();
  const [isShown, setShown] = useState(false);
  const described = [error !== undefined ? `${id}-error` : help !== undefined ? `${id}-help` : ''].filter(Boolean).join(' ');
  const input = (
    <input
      id={id}
      name={name}
      className={styles.input}
      type={type === 'password' && isShown ? 'text' : type}
      value={value}
      onChange={(event) => onValue(event.currentTarget.value)}
      autoComplete={autoComplete}
      aria-invalid={error !== undefined || undefined}
      aria-describedby={described || undefined}
      data-first={isFirst || undefined}
      dir={isName || type === 'email' ? 'ltr' : 'auto'}
      {...(maxLength !== undefined && { maxLength })}
      {...((isName || type !== 'text') && { autoCapitalize: 'none', autoCorrect: 'off', spellCheck: false })}
    />
  );
  return (
    <div className={styles.field}>
      <div>
        <label className={styles.label} htmlFor={id}>
          {label}
        </label>
        {isOptional && <span className={styles.optional}> · {t().account.optional}</span>}
      </div>
      {type === 'password' ? (
        <div className={styles.withButton}>
          {input}
          <IconButton icon={isShown ? 'eyeOff' : 'eye'} label={t().account.showPassword} aria-pressed={isShown} onClick={() => setShown(!isShown)} />
        </div>
      ) : (
        input
      )}
      {error !== undefined ? (
        <p className={styles.error} id={`${id}-error`} role="alert">
          {error}
        </p>
      ) : (
        help !== undefined && (
          <p className={styles.help} id={`${id}-help`}>
            {help}
          </p>
        )
      )}
    </div>
  );
}
