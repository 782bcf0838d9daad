import type { Change } from '@parlance/sdk';
import type { ReactNode } from 'react';
import { nameOf, names } from '../state/names.ts';
import { useValue } from '../state/signal.ts';
import type { NoticeText } from '../text/en.ts';
import { t } from '../text/language.ts';
import styles from './message.module.css';

/** Which line says it; undefined for what has none. */
export function noticeText(change: Change): NoticeText | undefined {
  switch (change.kind) {
    case 'created':
    case 'joined':
    case 'added':
    case 'removed':
    case 'left':
      return change.kind;
    case 'role':
      return change.role;
    case 'updated':
      return change.title !== undefined ? 'renamed' : change.open === true ? 'opened' : 'closed';
    default:
      return undefined;
  }
}

/** A line of the history about something else than a message. */
export function Notice({ change }: { change: Change }) {
  useValue(names);
  const which = noticeText(change);
  if (which === undefined) return null;
  const values = [nameOf(change.by), which === 'renamed' ? (change.title ?? '') : nameOf(change.user ?? change.by)];
  const parts: ReactNode[] = t().notice[which].flatMap((text, index, all) => [
    text,
    index < all.length - 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence have no other name.
      <b key={index}>
        <bdi>{values[index]}</bdi>
      </b>
    ) : null,
  ]);
  return <p className={styles.notice}>{parts}</p>;
}
