import './style/base.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { startRouting } from './state/route.ts';
import { resumeSession } from './state/session.ts';
import { chosenLanguage, startSettings, wantedLanguage } from './state/settings.ts';
import { effect } from './state/signal.ts';
import { speak } from './text/language.ts';

// The order of the start: what needs the server is asked for at once, what is drawn waits for its texts only.

startSettings();
startRouting();
void resumeSession();
await speak(wantedLanguage());
effect(() => {
  chosenLanguage.value;
  void speak(wantedLanguage());
});
addEventListener('languagechange', () => void speak(wantedLanguage()));

createRoot(document.getElementById('app')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
