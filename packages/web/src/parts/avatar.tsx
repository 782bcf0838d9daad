import type { CSSProperties } from 'react';
import styles from './parts.module.css';

const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The first letters of a name's first and last word. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s._-]+/).filter((word) => /^[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  const first = (word: string | undefined): string => (word === undefined ? '' : ([...segments.segment(word)][0]?.segment ?? ''));
  const letters = words.length > 1 ? first(words[0]) + first(words.at(-1)) : first(words[0]);
  return (letters || first(name) || '?').toLocaleUpperCase();
}

/** A round sign for a person, a square one for a group, of a colour that is always the same for the same id. */
export function Avatar({ id, name, size = 36, isGroup = false }: { id: string; name: string; size?: number; isGroup?: boolean }) {
  let hash = 7;
  for (const character of id) hash = (hash * 31 + character.codePointAt(0)!) >>> 0;
  const style = { '--hue': String((hash % 24) * 15), '--size': `${size}px` } as CSSProperties;
  return (
    <span className={styles.avatar} style={style} data-group={isGroup || undefined} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
