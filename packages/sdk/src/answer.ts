import { parseConversationId } from '@parlance/schema/ids';
import type { CallFrame } from '@parlance/schema/live';
import type { Change } from '@parlance/schema/types';

/** What a write is answered with when the push of its own event is the ack: the same as the call answers over HTTP. */
export function answerOfEvent(frame: CallFrame, change: Change): unknown {
  const { conversation, seq, time } = change;
  const answer = { conversation, seq, time, client_id: frame.client_id, decided: true };
  switch (frame.type) {
    case 'send_message':
    case 'edit_message':
    case 'delete_message':
      return { ...answer, msg_id: change.msg_id ?? change.message?.msg_id ?? String(seq), version: change.version ?? change.message?.version ?? 1 };
    case 'put_member':
    case 'remove_member':
      return { ...answer, user: change.user ?? frame.user, role: frame.type === 'remove_member' ? null : (change.role ?? frame.role ?? 'member') };
    case 'create_group':
    case 'update_group': {
      const parts = parseConversationId(conversation);
      const name = parts?.kind === 'group' ? parts.name : frame.name;
      return { ...answer, name, title: change.title ?? frame.title ?? name, open: change.open ?? frame.open ?? false };
    }
    case 'mark_read':
      return answer; // A mark has no event.
  }
}
