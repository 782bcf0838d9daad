import { groupId } from '@parlance/schema/ids';
import { sessionDays, sessionsMax } from '@parlance/schema/limits';
import type { AccountCommand } from '../journal/command.ts';
import type { AccountEvent, Result } from '../journal/record.ts';
import type { Facts } from '../store/facts.ts';
import type { AccountRow, SessionRow } from '../store/rows.ts';

// The rules of accounts, sessions and the installation's administrators, as a pure function like `conversation/decide.ts`. Nothing here
// is kept under a client_id: a repeated log-in opens a new session, a repeated registration answers `user_exists`.

const sessionMs = sessionDays * 86_400_000;

export function decide(facts: Facts, command: AccountCommand, now: number): Result[] {
  return [decideOne(facts, command, now)];
}

function decideOne(facts: Facts, command: AccountCommand, now: number): Result {
  if (command.kind === 'register') return decideRegister(facts, command, now);
  if (command.kind === 'set_admin_link' || command.kind === 'claim_admin') return decideAdmin(facts, command);
  const account = facts.account(command.userId);
  if (account === undefined) return { refusal: 'user_not_found' };
  switch (command.kind) {
    case 'start_session': {
      if (account.passwordHash === null) return { refusal: 'wrong_credentials' };
      // The password was checked before this place in the order; a change in between makes that check worthless.
      if (account.credentialVersion !== command.credentialVersion) return { refusal: 'credentials_changed' };
      const { sessionId, tokenHash, userAgent } = command;
      const open = account.sessions.filter((session) => session.createdTime > now - sessionMs).slice(-(sessionsMax - 1));
      return changed('session_started', account, { sessions: [...open, { sessionId, tokenHash, createdTime: now, userAgent }] });
    }
    case 'end_session': {
      const sessions = account.sessions.filter((session) => session.sessionId !== command.sessionId);
      if (sessions.length === account.sessions.length) return { refusal: 'session_not_found' };
      return changed('session_ended', account, { sessions });
    }
    case 'change_password': {
      if (account.credentialVersion !== command.credentialVersion) return { refusal: 'credentials_changed' };
      return changed('password_changed', account, {
        passwordHash: command.passwordHash,
        credentialVersion: account.credentialVersion + 1,
        sessions: account.sessions.filter((session) => session.sessionId === command.keepSessionId),
      });
    }
    case 'set_display_name':
      return changed('display_name_changed', account, { displayName: command.displayName });
  }
}

function decideRegister(facts: Facts, command: AccountCommand & { kind: 'register' }, now: number): Result {
  const { userId, email, displayName, passwordHash } = command;
  const existing = facts.account(userId);
  if (existing === undefined && facts.conversation(groupId(userId)) === undefined) {
    const account: AccountRow = { table: 'account', userId, displayName, email, passwordHash, credentialVersion: 1, createdTime: now, sessions: [] };
    return { event: { kind: 'registered', account, sessions: [] } };
  }
  const isClaim = command.byAdmin && existing?.passwordHash === null && passwordHash !== null;
  if (!isClaim) return { refusal: 'user_exists' };
  return changed('password_changed', existing, { email, displayName, passwordHash, credentialVersion: existing.credentialVersion + 1 });
}

function decideAdmin(facts: Facts, command: AccountCommand & { kind: 'set_admin_link' | 'claim_admin' }): Result {
  const installation = facts.installation() ?? { table: 'installation' as const, adminLinkHash: '', admins: [] };
  if (installation.admins.length > 0) return { refusal: 'admin_exists' };
  if (command.kind === 'set_admin_link') {
    return { event: { kind: 'installation_changed', installation: { ...installation, adminLinkHash: command.linkHash } } };
  }
  if (installation.adminLinkHash === '' || installation.adminLinkHash !== command.linkHash) return { refusal: 'link_invalid' };
  return { event: { kind: 'installation_changed', installation: { ...installation, admins: [command.userId] } } };
}

/** The account as it is after the change, with a row for every session that began or ended by it. */
function changed(kind: AccountEvent['kind'], before: AccountRow, change: Partial<AccountRow>): Result {
  const account = { ...before, ...change };
  const row = (session: AccountRow['sessions'][number], ended: boolean): SessionRow => ({
    table: 'session',
    tokenHash: session.tokenHash,
    sessionId: session.sessionId,
    userId: account.userId,
    createdTime: session.createdTime,
    ended,
  });
  const begun = account.sessions.filter((session) => !before.sessions.includes(session)).map((session) => row(session, false));
  const ended = before.sessions.filter((session) => !account.sessions.includes(session)).map((session) => row(session, true));
  return { event: { kind, account, sessions: [...begun, ...ended] } };
}
