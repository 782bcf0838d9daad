import type { AccountEvent, InstallationEvent } from '../journal/record.ts';
import type { Row } from '../store/rows.ts';

/** The rows that an event makes: it carries them whole. */
export const fold = (event: AccountEvent | InstallationEvent): Row[] =>
  event.kind === 'installation_changed' ? [event.installation] : [event.account, ...event.sessions];
