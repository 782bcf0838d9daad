import { startKeys } from '../actions/keys.ts';
import { startCurrent } from '../conversation/current.ts';
import { startMembers } from '../group/members.ts';
import { startConnection } from '../state/connection.ts';
import { startConversations } from '../state/conversations.ts';
import { openDrafts } from '../state/drafts.ts';
import { startNames } from '../state/names.ts';
import { session } from '../state/session.ts';
import { effect, untracked } from '../state/signal.ts';

// The state of somebody who is signed in, in the chunk of what draws it. It is started once, when that chunk is loaded, and follows whoever signs in and out.

effect(() => {
  const now = session.value;
  untracked(() => now.phase === 'signedIn' && openDrafts(now.client.me));
});
startNames();
startConnection();
startConversations();
startCurrent();
startMembers();
startKeys();

export { Shell } from './shell.tsx';
