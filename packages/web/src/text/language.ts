import { signal } from '../state/signal.ts';
import type { Catalogue } from './en.ts';

// Which language the app speaks, and how numbers and times are written in it. The catalogue is loaded before the first view is drawn, and views ask for it with
// `t()`; a change of language draws everything anew.

export const languages = { en: 'English', de: 'Deutsch', ar: 'العربية' } as const;
export type Language = keyof typeof languages;

const load: { [L in Language]: () => Promise<Catalogue> } = {
  en: () => import('./en.ts').then(({ en }) => en),
  de: () => import('./de.ts').then(({ de }) => de),
  ar: () => import('./ar.ts').then(({ ar }) => ar),
};

let catalogue: Catalogue;

/** The language whose texts are shown. */
export const language = signal<Language>('en');

/** All texts, in the language that is shown. */
export const t = (): Catalogue => catalogue;

/** The first of the wanted languages that the app speaks; English when there is none. */
export function chooseLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split('-')[0]!;
    if (Object.hasOwn(languages, primary)) return primary as Language;
  }
  return 'en';
}

/** Speaks a language from now on. */
export async function speak(next: Language): Promise<void> {
  catalogue = await load[next]();
  formats.clear();
  document.documentElement.lang = next;
  document.documentElement.dir = next === 'ar' ? 'rtl' : 'ltr';
  language.value = next;
}

const formats = new Map<string, Intl.DateTimeFormat>();

// Dates follow the person's own region where it speaks the language shown.
function format(name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let made = formats.get(name);
  if (made === undefined) {
    const region = navigator.languages.find((tag) => tag.split('-')[0] === language.value) ?? language.value;
    made = new Intl.DateTimeFormat(region, options);
    formats.set(name, made);
  }
  return made;
}

/** “14:03” */
export const clock = (time: Date): string => format('clock', { hour: '2-digit', minute: '2-digit' }).format(time);

/** “14 May 2026, 14:03:07” */
export const exactTime = (time: Date): string => format('exact', { dateStyle: 'medium', timeStyle: 'medium' }).format(time);

/** “Thursday, 14 May”, with the year when it is another than this. Today and yesterday by these words. */
export function dayName(day: Date, now: Date): string {
  const start = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((start(now) - start(day)) / 86_400_000);
  if (days === 0) return t().chat.today;
  if (days === 1) return t().chat.yesterday;
  const isThisYear = day.getFullYear() === now.getFullYear();
  return isThisYear
    ? format('day', { weekday: 'long', day: 'numeric', month: 'long' }).format(day)
    : format('dayOfYear', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).format(day);
}

/** As short as a list wants it: the time of today, the weekday of this week, else the date. */
export function shortTime(time: Date, now: Date): string {
  if (time.toDateString() === now.toDateString()) return clock(time);
  if (now.getTime() - time.getTime() < 6 * 86_400_000) return format('weekday', { weekday: 'short' }).format(time);
  return format('date', { day: 'numeric', month: 'short' }).format(time);
}

/** A sentence for a refusal: the catalogue's, else as the server said it. */
export const sentenceOf = (problem: { code: string; title: string }): string => catalogue.problems[problem.code] ?? problem.title;
