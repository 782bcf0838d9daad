import { parseConversationId, peerOf } from '@parlance/schema/ids';
import type { OpenConversation } from '../conversation/open-conversation.ts';
import { Avatar } from '../parts/avatar.tsx';
import { useValue } from '../state/signal.ts';
import { t } from '../text/language.ts';
import message from './message.module.css';

/** Above the first message there is. */
export function Beginning({ open }: { open: OpenConversation }) {
  const { title, kind } = useValue(open.view);
  const { chat } = t();
  const parts = parseConversationId(open.id);
  const isSelf = parts?.kind === 'direct' && parts.users[0] === parts.users[1];
  const subject = parts === undefined ? open.id : parts.kind === 'group' ? parts.name : peerOf(parts.users, open.client.me);
  return (
    <div className={message.beginning}>
      <Avatar id={subject} name={title} size={64} isGroup={kind === 'group'} />
      <strong>
        <bdi>{title}</bdi>
      </strong>
      <span>{isSelf ? chat.beginningSelf : kind === 'group' ? chat.beginningGroup : chat.beginningDirect}</span>
    </div>
  );
}
