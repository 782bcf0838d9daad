import { Chat } from '../chat/chat.tsx';
import { current } from '../conversation/current.ts';
import { Empty } from '../parts/empty.tsx';
import { Mark } from '../parts/icon.tsx';
import { lazily } from '../parts/lazy.tsx';
import { Toasts } from '../parts/toasts.tsx';
import { offlineSince, status } from '../state/connection.ts';
import { dialog, isPanelOpen } from '../state/dialogs.ts';
import { focusFirst } from '../state/focus.ts';
import { route } from '../state/route.ts';
import { useValue } from '../state/signal.ts';
import { clock, t } from '../text/language.ts';
import styles from './shell.module.css';
import { Sidebar } from './sidebar.tsx';

const Dialogs = lazily(() => import('../dialogs/dialogs.tsx').then(({ Dialogs }) => Dialogs));
const GroupPanel = lazily(() => import('../group/group-panel.tsx').then(({ GroupPanel }) => GroupPanel));
const Settings = lazily(() => import('../settings/settings.tsx').then(({ Settings }) => Settings));
const FirstAdmin = lazily(() => import('../account/first-admin.tsx').then(({ FirstAdmin }) => FirstAdmin));

/** The window of somebody who is signed in. */
export function Shell() {
  const where = useValue(route);
  const open = useValue(current);
  const isPanel = useValue(isPanelOpen) && open?.view.peek().kind === 'group';
  const isDialog = useValue(dialog) !== null;
  const shows = ['conversation', 'settings', 'firstAdmin'].includes(where.name) ? 'main' : 'list';
  return (
    <div className={styles.shell}>
      <div>
        {/* biome-ignore lint/a11y/useValidAnchor: it leads to a place of this page, and the focus must go there too. */}
        <a
          className={styles.skip}
          href="#main"
          onClick={(event) => {
            event.preventDefault();
            const main = document.querySelector<HTMLElement>('main');
            if (main !== null) focusFirst(main);
          }}
        >
          {t().skipToMessages}
        </a>
        <Connection />
      </div>
      <div className={styles.panes} data-shows={shows}>
        <Sidebar />
        {where.name === 'settings' ? (
          <Settings />
        ) : where.name === 'firstAdmin' ? (
          <FirstAdmin link={where.link} />
        ) : open !== null ? (
          <main id="main" className={styles.main} data-panel={isPanel || undefined} data-region>
            <Chat key={open.id} open={open} />
            {isPanel && <GroupPanel key={open.id} open={open} />}
          </main>
        ) : (
          <main id="main" className={styles.nothing} data-region>
            <div>
              <Mark size={52} />
              <Empty title={t().chat.pick}>{t().chat.pickHelp}</Empty>
            </div>
          </main>
        )}
      </div>
      {isDialog && <Dialogs />}
      <Toasts />
    </div>
  );
}

/** The thin bar that says since when there is no connection. The element is always there: what comes into it is read out. */
function Connection() {
  const since = useValue(offlineSince);
  const isStopped = useValue(status) === 'stopped';
  return (
    <div className={styles.offline} role="status" data-offline={since !== null || undefined}>
      {isStopped ? (
        <>
          {t().connection.stopped}
          <button type="button" onClick={() => location.reload()}>
            {t().connection.reload}
          </button>
        </>
      ) : (
        since !== null && t().connection.offlineSince(clock(since))
      )}
    </div>
  );
}
