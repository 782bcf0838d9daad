import { passwordLengthMin } from '@parlance/schema/limits';
import { type Parlance, ParlanceError } from '@parlance/sdk';
import { type FormEvent, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { toast } from '../state/toasts.ts';
import { sentenceOf, t } from '../text/language.ts';
import styles from './settings.module.css';

/** Changes the password. */
export function Password({ client }: { client: Parlance }) {
  const [before, setBefore] = useState('');
  const [next, setNext] = useState('');
  const [errors, setErrors] = useState<{ before?: string; next?: string }>({});
  const { settings, account } = t();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (next.length < passwordLengthMin) return setErrors({ next: account.passwordShort });
    try {
      await client.rest.call('change_password', { current_password: before, new_password: next });
      setBefore('');
      setNext('');
      setErrors({});
      toast(settings.changed);
    } catch (refused) {
      if (!(refused instanceof ParlanceError)) throw refused;
      setErrors({ before: sentenceOf(refused.problem) });
    }
  };

  return (
    <section className={styles.part}>
      <h2>{settings.password}</h2>
      <form className={styles.form} method="post" action="/settings" onSubmit={submit}>
        {/* For password managers, which want to know whose password it is. */}
        <input type="text" name="username" autoComplete="username" value={client.me} readOnly hidden />
        <Field
          label={settings.currentPassword}
          name="current"
          type="password"
          value={before}
          onValue={setBefore}
          error={errors.before}
          autoComplete="current-password"
        />
        <Field
          label={settings.newPassword}
          name="next"
          type="password"
          value={next}
          onValue={setNext}
          error={errors.next}
          help={account.passwordHelp}
          autoComplete="new-password"
        />
        <Button type="submit" disabled={before === '' || next === ''}>
          {settings.change}
        </Button>
      </form>
    </section>
  );
}
