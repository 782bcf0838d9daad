import { ParlanceError } from '@parlance/sdk';
import { useEffect, useState } from 'react';
import { Empty } from '../parts/empty.tsx';
import styles from '../shell/shell.module.css';
import { session } from '../state/session.ts';
import { sentenceOf, t } from '../text/language.ts';

/** Where the link leads that the server printed at its first start: whoever opens it, signed in, becomes administrator. */
export function FirstAdmin({ link }: { link: string }) {
  const [said, setSaid] = useState<string | null>(null);
  useEffect(() => {
    const now = session.peek();
    if (now.phase !== 'signedIn') return;
    now.client.rest.call('claim_admin', { link }).then(
      () => setSaid(t().firstAdmin.done),
      (error: unknown) => {
        if (!(error instanceof ParlanceError)) throw error;
        setSaid(sentenceOf(error.problem));
      },
    );
  }, [link]);
  return (
    <main id="main" className={styles.nothing} data-region>
      <div role="status">{said !== null && <Empty title={said}>{<a href="/">{t().firstAdmin.toChat}</a>}</Empty>}</div>
    </main>
  );
}
