import { isName } from '@parlance/schema/ids';
import { titleLengthMax } from '@parlance/schema/limits';
import { ParlanceError } from '@parlance/sdk';
import { type FormEvent, useState } from 'react';
import { Button } from '../parts/button.tsx';
import { DialogFrame } from '../parts/dialog-frame.tsx';
import { Field } from '../parts/field.tsx';
import parts from '../parts/parts.module.css';
import { closeDialog } from '../state/dialogs.ts';
import { go, pathOf } from '../state/route.ts';
import { session } from '../state/session.ts';
import { sentenceOf, t } from '../text/language.ts';
import styles from './dialogs.module.css';

/** Makes a group, and opens it. */
export function NewGroup() {
  const [name, setName] = useState('');
  const [title, setTitle] = useState('');
  const [isOpen, setOpen] = useState(false);
  const [error, setError] = useState<string>();
  const [isWorking, setWorking] = useState(false);
  const { group } = t();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const now = session.peek();
    if (now.phase !== 'signedIn') return;
    const folded = name.trim().toLowerCase();
    if (!isName(folded)) return setError(t().account.nameWrong);
    setWorking(true);
    try {
      await now.client.createGroup(folded, { open: isOpen, ...(title.trim() !== '' && { title: title.trim() }) });
      closeDialog();
      go(pathOf(`g:${folded}`, now.client.me));
    } catch (refused) {
      if (!(refused instanceof ParlanceError)) throw refused;
      setWorking(false);
      setError(sentenceOf(refused.problem));
    }
  };

  return (
    <DialogFrame title={group.createTitle}>
      <form className={styles.form} noValidate onSubmit={submit}>
        <Field
          label={group.name}
          name="name"
          value={name}
          onValue={(value) => {
            setName(value);
            setError(undefined);
          }}
          help={group.nameHelp}
          error={error}
          maxLength={32}
          isName
        />
        <Field label={group.title} name="title" value={title} onValue={setTitle} maxLength={titleLengthMax} isOptional />
        <label className={styles.check}>
          <input type="checkbox" checked={isOpen} onChange={(event) => setOpen(event.currentTarget.checked)} />
          {group.open}
        </label>
        <div className={parts.foot}>
          <Button onClick={closeDialog}>{t().cancel}</Button>
          <Button kind="main" type="submit" disabled={isWorking || name.trim() === ''}>
            {group.create}
          </Button>
        </div>
      </form>
    </DialogFrame>
  );
}
