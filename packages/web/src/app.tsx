import { Empty } from './parts/empty.tsx';
import { lazily } from './parts/lazy.tsx';
import { resumeSession, session } from './state/session.ts';
import { useValue } from './state/signal.ts';
import { language, t } from './text/language.ts';

// The page names both for the browser to load ahead, by whether its visitor has a session: see `pages` in vite.config.ts.
const Shell = lazily(() => import('./shell/start.ts').then(({ Shell }) => Shell));
const AccountPage = lazily(() => import('./account/account-page.tsx').then(({ AccountPage }) => AccountPage));

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
