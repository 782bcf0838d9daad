import { chooseLanguage, type Language, languages } from '../text/language.ts';
import { effect, signal } from './signal.ts';

// What this browser remembers of how somebody likes it. Kept here and not with the account: the next device may be another kind of thing.

export type Theme = 'system' | 'light' | 'dark';
export type SendKey = 'enter' | 'ctrlEnter';

const one = <T extends string>(key: string, allowed: readonly T[], otherwise: T): T => {
  const kept = read(key) as T | null;
  return kept !== null && allowed.includes(kept) ? kept : otherwise;
};

export const theme = signal<Theme>(one('theme', ['system', 'light', 'dark'], 'system'));
export const sendKey = signal<SendKey>(one('sendKey', ['enter', 'ctrlEnter'], 'enter'));
/** null: as the browser says. */
export const chosenLanguage = signal(one<Language | ''>('language', [...(Object.keys(languages) as Language[]), ''], '') || null);

/** The language to speak. */
export const wantedLanguage = (): Language => chosenLanguage.value ?? chooseLanguage(navigator.languages);

/** Keeps the settings, and shows the theme. */
export function startSettings(): void {
  effect(() => {
    const { dataset } = document.documentElement;
    if (theme.value === 'system') delete dataset.theme;
    else dataset.theme = theme.value;
    write('theme', theme.value);
  });
  effect(() => write('sendKey', sendKey.value));
  effect(() => write('language', chosenLanguage.value ?? ''));
}

// A browser may refuse to keep anything; then nothing is kept.
function read(key: string): string | null {
  try {
    return localStorage.getItem(`parlance.${key}`);
  } catch {
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    if (read(key) !== value) localStorage.setItem(`parlance.${key}`, value);
  } catch {
    // As above.
  }
}
