import type { Change, Conversation, Message } from '@parlance/schema/types';
import { plainLine, plainText } from '../plain-text.ts';

// What a conversation looks like as lines of text. A message of several lines is indented after its first, so that nobody can write one that
// looks like two.

/** One message, as `[2006-01-12 11:14] #17 bob: text`, and its further lines. */
export function messageLines(message: Pick<Message, 'seq' | 'kind' | 'author' | 'text' | 'time' | 'deleted' | 'version'>): string[] {
  const { seq, kind, author, text = '', time, deleted, version } = message;
  const [first = '', ...others] = deleted ? ['(deleted)'] : plainText(text).split('\n');
  const name = plainLine(author);
  const said = kind === 'action' ? `* ${name} ${first}` : `${name}: ${first}`;
  const edited = version > 1 && !deleted ? ' (edited)' : '';
  const lines = [`[${shortTime(time)}] #${seq} ${said}`, ...others.map((line) => `    ${line}`)];
  lines[lines.length - 1] += edited;
  return lines;
}

/** An event that is no message, as a sentence; undefined for edits and deletes, which show in the message itself. */
export function noticeLine({ kind, by, user, role, title, open, time }: Change): string | undefined {
  const sentence = ((): string | undefined => {
    switch (kind) {
      case 'created':
        return `${by} created this group`;
      case 'joined':
        return `${user ?? by} joined`;
      case 'added':
        return `${by} added ${user}`;
      case 'role':
        return `${by} made ${user} ${role}`;
      case 'removed':
        return `${by} removed ${user}`;
      case 'left':
        return `${user ?? by} left`;
      case 'updated':
        return `${by} changed the group: ${[title, open === undefined ? undefined : open ? 'open' : 'closed'].filter((part) => part !== undefined).join(', ')}`;
      default:
        return undefined;
    }
  })();
  return sentence === undefined ? undefined : plainLine(`[${shortTime(time)}] -- ${sentence}`);
}

/** A conversation in a list. */
export function headline({ kind, user, name, title, unread_count, left, last_activity }: Conversation): string {
  const address = kind === 'group' ? `#${name}` : `@${user}`;
  const more = [
    title === name || title === user ? undefined : title,
    left ? 'left' : undefined,
    unread_count > 0 ? `${unread_count} unread` : undefined,
    last_activity === null ? undefined : shortTime(last_activity),
  ].filter((part) => part !== undefined);
  return plainLine([address, ...more].join('  '));
}

/** In the time zone of whoever reads. */
function shortTime(time: string): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}
