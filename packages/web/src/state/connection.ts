import type { Status } from '@parlance/sdk';
import { session } from './session.ts';
import { effect, signal } from './signal.ts';

/** What the live connection does. */
export const status = signal<Status>('connecting');

/** Since when there has been no connection; null while there is one, and for the first moments without. */
export const offlineSince = signal<Date | null>(null);

// A connection that is changed for another, as when a node is restarted, is no news to anybody.
const toleratedMs = 1200;

/** Follows the connection of whoever is signed in. */
export function startConnection(): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let downSince: Date | null = null;
  effect(() => {
    const now = session.value;
    clearTimeout(timer);
    downSince = null;
    offlineSince.value = null;
    if (now.phase !== 'signedIn') return;
    const { client } = now;
    const look = (): void => {
      status.value = client.status;
      if (client.status === 'live') {
        clearTimeout(timer);
        downSince = null;
        offlineSince.value = null;
      } else if (downSince === null) {
        downSince = new Date();
        timer = setTimeout(() => {
          offlineSince.value = downSince;
        }, toleratedMs);
      }
    };
    look();
    return client.subscribe(look);
  });
}
