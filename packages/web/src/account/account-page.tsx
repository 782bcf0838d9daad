import { nameInputPattern } from '@parlance/schema/ids';
import { passwordLengthMin } from '@parlance/schema/limits';
import { ParlanceError } from '@parlance/sdk';
import { type FormEvent, useRef, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Field } from '../parts/field.tsx';
import { Mark } from '../parts/icon.tsx';
import { go, route } from '../state/route.ts';
import { logIn, register, session } from '../state/session.ts';
import { useValue } from '../state/signal.ts';
import { sentenceOf, t } from '../text/language.ts';
import styles from './account.module.css';

// Registering and logging in. Shown at whatever address somebody came to, so that afterwards they are where they wanted to be.

type FieldName = 'user_id' | 'email' | 'password' | 'display_name';
type Errors = Partial<Record<FieldName | 'form', string>>;

/** Which field a refusal is about; one that is about none is said under the form. */
function errorsOf(error: ParlanceError): Errors {
  const sentence = sentenceOf(error.problem);
  if (error.code === 'wrong_credentials') return { password: sentence };
  if (error.code === 'user_exists') return { user_id: sentence };
  const { field } = error.problem;
  if (error.code !== 'invalid_request' || field === undefined) return { form: sentence };
  const { account } = t();
  const sentences: Record<string, string> = { user_id: account.nameWrong, email: account.emailWrong, password: account.passwordShort };
  return { [field]: sentences[field] ?? sentence };
}

export function AccountPage() {
  const where = useValue(route);
  const now = useValue(session);
  const isRegister = where.name === 'register';
  const [values, setValues] = useState({ user_id: '', email: '', password: '', display_name: '' });
  const [errors, setErrors] = useState<Errors>({});
  const [isWorking, setWorking] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const { account } = t();
  const set = (name: FieldName) => (value: string) => {
    setValues((before) => ({ ...before, [name]: value }));
    if (errors[name] !== undefined) setErrors({ ...errors, [name]: undefined });
  };

  const missing = (): Errors => ({
    ...(values.user_id === '' ? { user_id: account.nameMissing } : !new RegExp(nameInputPattern).test(values.user_id) && { user_id: account.nameWrong }),
    ...(isRegister && !/^[^@\s]+@[^@\s]+$/.test(values.email) && { email: account.emailWrong }),
    ...(values.password === ''
      ? { password: account.passwordMissing }
      : isRegister && values.password.length < passwordLengthMin && { password: account.passwordShort }),
  });

  const refuse = (found: Errors): void => {
    setErrors(found);
    // The first field that something is wrong with has the focus, so that its sentence is read out with it.
    const first = (['user_id', 'email', 'password'] as const).find((name) => found[name] !== undefined);
    if (first !== undefined) form.current?.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
  };

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const found = missing();
    if (Object.keys(found).length > 0) return refuse(found);
    setErrors({});
    setWorking(true);
    const { user_id, email, password, display_name } = values;
    try {
      if (isRegister) await register({ user_id, email, password, ...(display_name.trim() !== '' && { display_name: display_name.trim() }) });
      else await logIn(user_id, password);
      if (where.name === 'logIn' || where.name === 'register') go(returnPath(), { replace: true });
    } catch (error) {
      setWorking(false);
      if (!(error instanceof ParlanceError)) throw error;
      refuse(errorsOf(error));
    }
  };

  return (
    <main className={styles.page}>
      <div className={styles.backdrop} aria-hidden="true">
        <Mark size={760} />
      </div>
      <div className={styles.card}>
        <div className={styles.brand}>
          <Mark />
          {t().appName}
        </div>
        <div className={styles.head}>
          <h1>{isRegister ? account.registerTitle : account.logInTitle}</h1>
          <p>{where.name === 'firstAdmin' ? account.firstAdmin : account.tagline}</p>
        </div>
        {now.phase === 'signedOut' && now.hasEnded && (
          <p className={styles.note} role="status">
            {account.sessionEnded}
          </p>
        )}
        <form ref={form} className={styles.form} method="post" action="/v1/sessions" noValidate onSubmit={submit}>
          <Field
            label={account.userName}
            name="user_id"
            value={values.user_id}
            onValue={set('user_id')}
            error={errors.user_id}
            autoComplete="username"
            maxLength={32}
            isName
            {...(isRegister && { help: account.userNameHelp })}
          />
          {isRegister && (
            <>
              <Field label={account.email} name="email" type="email" value={values.email} onValue={set('email')} error={errors.email} autoComplete="email" />
              <Field
                label={account.displayName}
                name="display_name"
                value={values.display_name}
                onValue={set('display_name')}
                error={errors.display_name}
                autoComplete="name"
                maxLength={64}
                isOptional
              />
            </>
          )}
          <Field
            label={account.password}
            name="password"
            type="password"
            value={values.password}
            onValue={set('password')}
            error={errors.password}
            autoComplete={isRegister ? 'new-password' : 'current-password'}
            {...(isRegister && { help: account.passwordHelp })}
          />
          {errors.form !== undefined && (
            <p className={styles.error} role="alert">
              {errors.form}
            </p>
          )}
          <Button kind="main" type="submit" disabled={isWorking}>
            {isRegister ? account.register : account.logIn}
          </Button>
        </form>
        <p className={styles.other}>
          {isRegister ? account.haveAccount : account.newHere}{' '}
          <a href={isRegister ? returnPath() : '/register'} onClick={() => !isRegister && keepReturnPath()}>
            {isRegister ? account.logIn : account.register}
          </a>
        </p>
      </div>
    </main>
  );
}

// Registering has an address of its own; where somebody came from is kept for when they are in.
let comesFrom = '/';

const keepReturnPath = (): void => {
  if (!['/login', '/register'].includes(location.pathname)) comesFrom = location.pathname;
};
const returnPath = (): string => comesFrom;
