import { change } from '../group/members.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Button } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import { inbox } from '../state/conversations.ts';
import { go, pathOf } from '../state/route.ts';
import { session } from '../state/session.ts';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import styles from './sidebar.module.css';
import { useDirectory } from './use-directory.ts';

/** The groups I am in, and the open ones that I could join. */
export function GroupList({ prefix }: { prefix: string }) {
  const now = useValue(session);
  const { all } = useValue(inbox);
  const directory = useDirectory(prefix, async (page, signal) => {
    if (now.phase !== 'signedIn') return { rows: [], next: null };
    const { groups, next_cursor } = await now.client.rest.call('list_groups', page, { signal });
    return { rows: groups, next: next_cursor };
  });
  if (now.phase !== 'signedIn') return null;
  const { client } = now;
  const { list } = t();
  const mine = all.filter(
    ({ kind, left, id, title }) => kind === 'group' && !left && (id.slice(2).startsWith(prefix) || title.toLowerCase().startsWith(prefix.toLowerCase())),
  );
  const isMine = new Set(all.filter(({ kind, left }) => kind === 'group' && !left).map(({ id }) => id));
  const others = directory.rows.filter(({ conversation }) => !isMine.has(conversation));
  const join = async (name: string): Promise<void> => {
    if (await change(client.joinGroup(name))) go(pathOf(`g:${name}`, client.me));
  };
  return (
    <>
      <h2>{list.myGroups}</h2>
      {mine.length === 0 ? (
        <Empty title={list.noGroups} />
      ) : (
        <ul>
          {mine.map(({ id, title }) => (
            <li key={id}>
              <a className={styles.item} href={pathOf(id, client.me)}>
                <Avatar id={id.slice(2)} name={title} size={42} isGroup />
                <span className={styles.lines}>
                  <bdi className={styles.title}>{title}</bdi>
                  <span className={styles.preview}>#{id.slice(2)}</span>
                </span>
              </a>
            </li>
          ))}
        </ul>
      )}
      <h2>{list.openGroups}</h2>
      {directory.phase === 'failed' ? (
        <Empty title={list.failed} onRetry={directory.again} />
      ) : others.length === 0 && directory.phase === 'ready' ? (
        <Empty title={list.noOpenGroups} />
      ) : (
        <ul aria-busy={directory.phase === 'loading'}>
          {others.map(({ name, title, member_count: count }) => (
            <li key={name} className={styles.item}>
              <Avatar id={name} name={title} size={42} isGroup />
              <span className={styles.lines}>
                <bdi className={styles.title}>{title}</bdi>
                <span className={styles.preview}>{t().chat.members(count)}</span>
              </span>
              <Button onClick={() => void join(name)}>{list.join}</Button>
            </li>
          ))}
        </ul>
      )}
      {directory.hasMore && (
        <button type="button" className={styles.more} onClick={directory.more}>
          {list.more}
        </button>
      )}
    </>
  );
}
