import { parseConversationId, peerOf } from '@parlance/schema/ids';
import { showMembers } from '../actions/show-members.ts';
import { announcement } from '../conversation/announcer.ts';
import type { OpenConversation } from '../conversation/open-conversation.ts';
import { members } from '../group/members.ts';
import { Avatar } from '../parts/avatar.tsx';
import { IconButton } from '../parts/button.tsx';
import { Icon } from '../parts/icon.tsx';
import parts from '../parts/parts.module.css';
import { isPanelOpen } from '../state/dialogs.ts';
import { go } from '../state/route.ts';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import styles from './chat.module.css';
import { Composer } from './composer.tsx';
import { MessageList } from './message-list.tsx';

/** The conversation that is open. */
export function Chat({ open }: { open: OpenConversation }) {
  return (
    <div className={styles.chat}>
      <Head open={open} />
      <section className={styles.body} aria-label={t().chat.messages}>
        <MessageList open={open} />
      </section>
      <Composer open={open} />
      <Announcements />
    </div>
  );
}

function Head({ open }: { open: OpenConversation }) {
  const { title, kind, left } = useValue(open.view);
  const all = useValue(members);
  const isPanel = useValue(isPanelOpen);
  const ids = parseConversationId(open.id);
  const isGroup = kind === 'group';
  const subject = ids === undefined ? open.id : ids.kind === 'group' ? ids.name : peerOf(ids.users, open.client.me);
  const count = all?.all.length ?? 0;
  return (
    <header className={styles.head}>
      <span className={styles.back}>
        <IconButton icon="back" label={t().back} isTurned onClick={() => go('/')} />
      </span>
      <Avatar id={subject} name={title} size={40} isGroup={isGroup} />
      <div className={styles.headText}>
        <h1>
          <bdi>{title}</bdi>
        </h1>
        <p>
          <bdi>{isGroup ? `#${subject}` : `@${subject}`}</bdi>
        </p>
      </div>
      {isGroup && !left && (
        <button type="button" className={styles.membersButton} aria-expanded={isPanel} onClick={() => showMembers.run()}>
          <Icon name="people" />
          {count > 0 ? t().chat.members(count) : t().chat.membersLabel}
        </button>
      )}
    </header>
  );
}

/** The one log that screen readers follow: live messages of this conversation, said no faster than they can be heard. */
function Announcements() {
  const said = useValue(announcement);
  return (
    <div className={parts.hidden} role="log" aria-live="polite">
      {said !== null && <p key={said.id}>{said.text}</p>}
    </div>
  );
}
