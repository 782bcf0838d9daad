import { IconButton } from '../parts/button.tsx';
import { go } from '../state/route.ts';
import { session } from '../state/session.ts';
import { chosenLanguage, sendKey, theme } from '../state/settings.ts';
import { useValue } from '../state/signal.ts';
import { type Language, language, languages, t } from '../text/language.ts';
import { Choice } from './choice.tsx';
import { Devices } from './devices.tsx';
import { Password } from './password.tsx';
import { Profile } from './profile.tsx';
import styles from './settings.module.css';

/** How somebody is called, gets in, and likes it. */
export function Settings() {
  const now = useValue(session);
  const spoken = useValue(language);
  const isTheme = useValue(theme);
  const sendsWith = useValue(sendKey);
  const { settings } = t();
  if (now.phase !== 'signedIn') return null;
  const { client } = now;
  return (
    <main id="main" className={styles.page} data-region>
      <div className={styles.column}>
        <div className={styles.title}>
          <IconButton icon="back" label={t().back} isTurned onClick={() => go('/')} />
          <h1>{settings.title}</h1>
        </div>
        <Profile client={client} />
        <section className={styles.part}>
          <h2>{settings.appearance}</h2>
          <Choice
            title={settings.theme}
            name="theme"
            value={isTheme}
            options={[
              ['system', settings.system],
              ['light', settings.light],
              ['dark', settings.dark],
            ]}
            onChoose={(value) => {
              theme.value = value;
            }}
          />
          <Choice
            title={settings.language}
            name="language"
            value={spoken}
            options={Object.entries(languages) as [Language, string][]}
            onChoose={(value) => {
              chosenLanguage.value = value;
            }}
          />
          <Choice
            title={settings.sendWith}
            name="sendKey"
            value={sendsWith}
            options={[
              ['enter', settings.enter],
              ['ctrlEnter', settings.ctrlEnter],
            ]}
            onChoose={(value) => {
              sendKey.value = value;
            }}
          />
        </section>
        <Password client={client} />
        <Devices client={client} />
      </div>
    </main>
  );
}
