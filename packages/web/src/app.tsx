import { Empty } from './parts/empty.tsx';
import { lazily } from './parts/lazy.tsx';
import { resumeSession, session } from './state/session.ts';
import { wasSignedIn } from './state/settings.ts';
import { useValue } from './state/signal.ts';
import { language, t } from './text/language.ts';

const loadShell = () => import('./shell/start.ts').then(({ Shell }) => Shell);
const loadAccountPage = () => import('./account/account-page.tsx').then(({ AccountPage }) => AccountPage);

const Shell = lazily(loadShell);
const AccountPage = lazily(loadAccountPage);

/** Begins to load what will most likely be drawn, before it is known. */
export function loadLikely(): void {
  const load = wasSignedIn() ? loadShell : loadAccountPage;
  load().catch(() => {}); // It is asked for again when it is drawn.
}

/** Everything. Drawn anew as a whole when the language changes, for texts are no state. */
export function App() {
  const spoken = useValue(language);
  const now = useValue(session);
  switch (now.phase) {
    case 'starting':
      return null;
    case 'unreachable':
      return (
        <main>
          <Empty
            title={t().account.startFailed}
            onRetry={() => {
              session.value = { phase: 'starting' };
              void resumeSession();
            }}
          >
            {t().account.startFailedHelp}
          </Empty>
        </main>
      );
    case 'signedOut':
      return <AccountPage key={spoken} />;
    case 'signedIn':
      return <Shell key={spoken} />;
  }
}
