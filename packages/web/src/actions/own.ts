import type { MessageView } from '@parlance/sdk';
import { session } from '../state/session.ts';

export function isOwn({ author }: MessageView): boolean {
  const now = session.peek();
  return now.phase === 'signedIn' && now.client.me === author;
}
