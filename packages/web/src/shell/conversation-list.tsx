import { parseConversationId, peerOf } from '@parlance/schema/ids';
import type { ConversationView } from '@parlance/sdk';
import { memo, useState } from 'react';
import { current } from '../conversation/current.ts';
import { Avatar } from '../parts/avatar.tsx';
import { Hidden } from '../parts/button.tsx';
import { Empty } from '../parts/empty.tsx';
import parts from '../parts/parts.module.css';
import { inbox, listed, rereadInbox } from '../state/conversations.ts';
import { drafts } from '../state/drafts.ts';
import { nameOf, names } from '../state/names.ts';
import { pathOf } from '../state/route.ts';
import { session } from '../state/session.ts';
import { useValue } from '../state/signal.ts';
import { shortTime, t } from '../text/language.ts';
import { matchScore } from './fuzzy.ts';
import styles from './sidebar.module.css';

/** Drawn at once; the rest when asked for. */
const shownFirst = 150;

/** My conversations, the last active first. */
export function ConversationList({ filter }: { filter: string }) {
  const { phase } = useValue(inbox);
  const all = useValue(listed);
  const open = useValue(current);
  const begun = useValue(drafts);
  const [isMore, setMore] = useState(false);
  const now = useValue(session);
  if (now.phase !== 'signedIn') return null;
  if (phase === 'loading') return <Skeletons />;
  if (phase === 'failed' && all.length === 0) return <Empty title={t().list.failed} onRetry={() => void rereadInbox()} />;
  const matching = filter.trim() === '' ? all : all.filter(({ title, id }) => matchScore(filter, title) !== null || matchScore(filter, id.slice(2)) !== null);
  if (matching.length === 0) return filter === '' ? <Empty title={t().list.none}>{t().list.noneHelp}</Empty> : <Empty title={t().list.noMatch} />;
  return (
    <>
      <ul>
        {(isMore ? matching : matching.slice(0, shownFirst)).map((view) => (
          <li key={view.id}>
            <Item view={view} me={now.client.me} isCurrent={open?.id === view.id} draft={begun[view.id]} />
          </li>
        ))}
      </ul>
      {!isMore && matching.length > shownFirst && (
        <button type="button" className={styles.more} onClick={() => setMore(true)}>
          {t().list.more}
        </button>
      )}
    </>
  );
}

interface ItemProps {
  view: ConversationView;
  me: string;
  isCurrent: boolean;
  draft: string | undefined;
}

const Item = memo(function Item({ view, me, isCurrent, draft }: ItemProps) {
  useValue(names);
  const { id, kind, title, lastMessage, lastActivity } = view;
  // What somebody is looking at needs no number; the line in it says where the new begins.
  const unreadCount = isCurrent && document.hasFocus() ? 0 : view.unreadCount;
  const ids = parseConversationId(id);
  const subject = ids === undefined ? id : ids.kind === 'group' ? ids.name : peerOf(ids.users, me);
  const author =
    lastMessage === null || lastMessage.deleted === true ? '' : lastMessage.author === me ? t().list.you : kind === 'group' ? nameOf(lastMessage.author) : '';
  return (
    <a className={styles.item} href={pathOf(id, me)} aria-current={isCurrent ? 'page' : undefined} data-unread={unreadCount > 0 || undefined}>
      <Avatar id={subject} name={title} size={42} isGroup={kind === 'group'} />
      <span className={styles.lines}>
        <bdi className={styles.title}>{title}</bdi>
        <span className={styles.preview} dir="auto">
          {draft !== undefined && !isCurrent ? (
            <>
              <span className={styles.draft}>{t().list.draft}:</span> <bdi>{draft}</bdi>
            </>
          ) : lastMessage === null ? (
            t().list.noMessages
          ) : (
            <>
              {author !== '' && (
                <>
                  <bdi>{author}</bdi>:{' '}
                </>
              )}
              <bdi>{lastMessage.deleted === true ? t().list.deleted : plain(lastMessage.text ?? '')}</bdi>
            </>
          )}
        </span>
      </span>
      <span className={styles.side}>
        {lastActivity !== null && <time className={styles.when}>{shortTime(new Date(lastActivity), new Date())}</time>}
        {unreadCount > 0 && (
          <span className={styles.badge}>
            <span aria-hidden="true">{unreadCount > 999 ? '999+' : unreadCount}</span>
            <Hidden>{t().list.unread(unreadCount)}</Hidden>
          </span>
        )}
      </span>
    </a>
  );
});

/** One line of a text, without the signs of its markup. */
const plain = (text: string): string =>
  text
    .slice(0, 200)
    .replace(/(\*\*|__|~~|`+)/g, '')
    .replace(/\s+/g, ' ');

function Skeletons() {
  return (
    <div aria-busy="true">
      {Array.from({ length: 7 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same.
        <div key={index} className={styles.skeleton}>
          <span className={parts.skeleton} />
          <span className={parts.skeleton} />
        </div>
      ))}
    </div>
  );
}
