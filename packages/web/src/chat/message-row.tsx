import { memo, useState } from 'react';
import type { MessageAction } from '../actions/action.ts';
import { messageActions } from '../actions/table.ts';
import type { OpenConversation } from '../conversation/open-conversation.ts';
import type { MessageRow as Row } from '../conversation/timeline.ts';
import { markdownParser, treeOf } from '../markdown/load.ts';
import { Avatar } from '../parts/avatar.tsx';
import { IconButton } from '../parts/button.tsx';
import { Icon, type IconName } from '../parts/icon.tsx';
import { offlineSince } from '../state/connection.ts';
import { nameOf, names } from '../state/names.ts';
import { pathOf } from '../state/route.ts';
import { useValue } from '../state/signal.ts';
import { clock, exactTime, sentenceOf, t } from '../text/language.ts';
import { MarkdownText } from './markdown-text.tsx';
import styles from './message.module.css';
import { MessageEditor } from './message-editor.tsx';

const icons: Partial<Record<MessageAction['id'], IconName>> = { edit: 'edit', copyText: 'copy', copyLink: 'link', delete: 'trash', retry: 'retry' };

interface Props {
  row: Row;
  open: OpenConversation;
  isDirect: boolean;
  /** The one message that Tab leads to. */
  isTabStop: boolean;
}

/** A message: who, when, what, and, while it is pointed at or has the focus, what can be done with it. */
export const MessageRow = memo(function MessageRow({ row, open, isDirect, isTabStop }: Props) {
  const { message, time, startsRun, endsRun } = row;
  const isLit = useValue(open.lit) === message.seq && message.seq !== null;
  const isEditing = useValue(open.editing) === message.msg_id && message.msg_id !== null;
  const [isActive, setActive] = useState(false);
  useValue(names);
  const name = nameOf(message.author);
  const isOwn = message.author === open.client.me;
  const isFailed = message.state === 'failed';
  return (
    <article
      className={`${styles.row} ${message.kind === 'action' ? styles.action : ''}`}
      aria-label={t().chat.messageBy(name, clock(time))}
      data-key={row.key}
      data-own={isOwn || undefined}
      data-direct={isDirect || undefined}
      data-first={startsRun || undefined}
      data-last={endsRun || undefined}
      data-lit={isLit || undefined}
      data-state={message.state}
      data-deleted={message.deleted === true || message.text === undefined || undefined}
      tabIndex={isTabStop ? 0 : -1}
      onPointerEnter={(event) => event.pointerType === 'mouse' && setActive(true)}
      onPointerLeave={(event) => event.pointerType === 'mouse' && !event.currentTarget.contains(document.activeElement) && setActive(false)}
      onPointerUp={(event) => event.pointerType !== 'mouse' && setActive(true)}
      onFocus={() => setActive(true)}
      onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setActive(false)}
    >
      {!isOwn && !isDirect && startsRun && (
        <span className={styles.avatar}>
          <Avatar id={message.author} name={name} />
        </span>
      )}
      <div className={styles.content}>
        {startsRun && (
          <div className={styles.head}>
            {!isOwn && !isDirect && <bdi className={styles.author}>{name}</bdi>}
            <time className={styles.time} dateTime={time.toISOString()}>
              {clock(time)}
            </time>
          </div>
        )}
        {isEditing ? <MessageEditor message={message} open={open} /> : <Bubble row={row} />}
        {isFailed && <Trouble row={row} />}
      </div>
      {isActive && !isEditing && !isFailed && <Tools row={row} open={open} />}
    </article>
  );
}, isSameRow);

function Bubble({ row: { message, time } }: { row: Row }) {
  useValue(markdownParser);
  const isOffline = useValue(offlineSince) !== null;
  const { chat } = t();
  if (message.deleted === true || message.text === undefined) {
    return (
      <div className={styles.bubble}>
        <span className={styles.stub}>{chat.deleted}</span>
      </div>
    );
  }
  const tree = treeOf(message.text);
  return (
    <div className={styles.bubble}>
      <div className={styles.text} dir="auto" data-text>
        {tree === null ? message.text : <MarkdownText tree={tree} />}
      </div>
      {message.edited_time !== undefined && (
        <span className={styles.mark} title={exactTime(new Date(message.edited_time ?? time))}>
          {chat.edited}
        </span>
      )}
      {message.state === 'sending' && (
        <span className={styles.mark} role="img" aria-label={isOffline ? chat.queued : chat.sending} title={isOffline ? chat.queued : chat.sending}>
          <Icon name="clock" size={13} />
        </span>
      )}
    </div>
  );
}

function Trouble({ row: { message } }: { row: Row }) {
  const { problem } = message;
  return (
    <div className={styles.trouble}>
      <span>
        {t().chat.failed} {problem !== undefined && sentenceOf(problem)}
      </span>
      {messageActions
        .filter((action) => action.isEnabled(message))
        .map((action) => (
          <button key={action.id} type="button" onClick={() => action.run(message)}>
            {t().action[action.id]}
          </button>
        ))}
    </div>
  );
}

function Tools({ row: { message, time }, open }: { row: Row; open: OpenConversation }) {
  if (message.msg_id === null) return null;
  return (
    <div className={styles.tools} role="toolbar" aria-label={t().chat.actions}>
      <a href={pathOf(open.id, open.client.me, message.msg_id)} title={t().chat.idAndTime(message.msg_id, exactTime(time))}>
        <span>{exactTime(time)}</span> · <span>#{message.msg_id}</span>
      </a>
      {messageActions
        .filter((action) => action.isEnabled(message))
        .map((action) => (
          <IconButton key={action.id} icon={icons[action.id] ?? 'more'} size={16} label={t().action[action.id]} onClick={() => action.run(message)} />
        ))}
    </div>
  );
}

// The SDK makes the views of messages anew with every change; what is drawn of them rarely differs.
function isSameRow(a: Props, b: Props): boolean {
  const [one, other] = [a.row.message, b.row.message];
  return (
    a.open === b.open &&
    a.isDirect === b.isDirect &&
    a.isTabStop === b.isTabStop &&
    a.row.key === b.row.key &&
    a.row.startsRun === b.row.startsRun &&
    a.row.endsRun === b.row.endsRun &&
    one.seq === other.seq &&
    one.version === other.version &&
    one.state === other.state &&
    one.text === other.text &&
    one.deleted === other.deleted &&
    one.edited_time === other.edited_time &&
    one.problem === other.problem
  );
}
