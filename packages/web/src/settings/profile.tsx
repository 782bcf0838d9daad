import { displayNameLengthMax } from '@parlance/schema/limits';
import { type Answer, type Parlance, ParlanceError } from '@parlance/sdk';
import { type FormEvent, useEffect, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { learn } from '../state/names.ts';
import { toast } from '../state/toasts.ts';
import { sentenceOf, t } from '../text/language.ts';
import styles from './settings.module.css';

/** One's own name, as others see it. */
export function Profile({ client }: { client: Parlance }) {
  const [me, setMe] = useState<Answer<'get_me'>>();
  const [name, setName] = useState('');
  const [error, setError] = useState<string>();
  const { settings } = t();
  useEffect(() => {
    client.rest.call('get_me', {}).then(
      (account) => {
        setMe(account);
        setName(account.display_name);
      },
      () => {}, // The field stays empty, and cannot be saved.
    );
  }, [client]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    try {
      const account = await client.rest.call('update_me', { display_name: name.trim() });
      setMe(account);
      learn([{ user: account.user_id, display_name: account.display_name }]);
      toast(settings.saved);
    } catch (refused) {
      if (!(refused instanceof ParlanceError)) throw refused;
      setError(sentenceOf(refused.problem));
    }
  };

  return (
    <section className={styles.part}>
      <h2>{settings.profile}</h2>
      <form className={styles.form} onSubmit={submit}>
        <Field
          label={settings.displayName}
          name="display_name"
          value={name}
          onValue={(value) => {
            setName(value);
            setError(undefined);
          }}
          error={error}
          maxLength={displayNameLengthMax}
          autoComplete="name"
        />
        <Button type="submit" disabled={me === undefined || name.trim() === '' || name.trim() === me.display_name}>
          {t().save}
        </Button>
      </form>
      {me !== undefined && (
        <p className={styles.note}>
          <bdi>@{me.user_id}</bdi> · <bdi>{me.email}</bdi>
          {me.admin && ` · ${settings.admin}`}
        </p>
      )}
    </section>
  );
}
