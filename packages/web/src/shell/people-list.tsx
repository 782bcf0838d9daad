import { Avatar } from '../parts/avatar.tsx';
import { Empty } from '../parts/empty.tsx';
import { learn } from '../state/names.ts';
import { pathWith } from '../state/route.ts';
import { session } from '../state/session.ts';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import styles from './sidebar.module.css';
import { useDirectory } from './use-directory.ts';

/** Everybody on this server, by user name. */
export function PeopleList({ prefix }: { prefix: string }) {
  const now = useValue(session);
  const directory = useDirectory(prefix, async (page, signal) => {
    if (now.phase !== 'signedIn') return { rows: [], next: null };
    const { users, next_cursor } = await now.client.rest.call('list_users', page, { signal });
    learn(users.map(({ user_id, display_name }) => ({ user: user_id, display_name })));
    return { rows: users, next: next_cursor };
  });
  if (now.phase !== 'signedIn') return null;
  if (directory.phase === 'failed') return <Empty title={t().list.failed} onRetry={directory.again} />;
  if (directory.phase === 'ready' && directory.rows.length === 0) return <Empty title={t().list.noMatch} />;
  const { me } = now.client;
  return (
    <>
      <ul aria-busy={directory.phase === 'loading'}>
        {directory.rows.map(({ user_id: user, display_name: name }) => (
          <li key={user}>
            <a className={styles.item} href={pathWith(user, me)}>
              <Avatar id={user} name={name} size={42} />
              <span className={styles.lines}>
                <bdi className={styles.title}>{name}</bdi>
                <span className={styles.preview}>{user === me ? t().list.noteToSelf : `@${user}`}</span>
              </span>
            </a>
          </li>
        ))}
      </ul>
      {directory.hasMore && (
        <button type="button" className={styles.more} onClick={directory.more}>
          {t().list.more}
        </button>
      )}
    </>
  );
}
