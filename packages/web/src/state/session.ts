import { type outbox, Parlance, ParlanceError, platform, Rest, restDefaults } from '@parlance/sdk';
import { openOutbox } from './kept-outbox.ts';
import { signal } from './signal.ts';

// Who is signed in, and the SDK's client that stands for them. Everything else of the state hangs on it and is made anew with it.

export type Session =
  | { phase: 'starting' }
  /** The server could not be asked. */
  | { phase: 'unreachable' }
  /** `hasEnded`: there was a session, and it was ended from elsewhere. */
  | { phase: 'signedOut'; hasEnded: boolean }
  | { phase: 'signedIn'; client: Parlance };

export const session = signal<Session>({ phase: 'starting' });

const options = { url: location.origin };

/** Calls that need no session. */
export const publicRest = new Rest({ ...restDefaults, url: options.url, environment: platform(), token: null });

let forgetOutbox = (): void => {};

/** Finds out whether the browser holds a session, and connects with it. A page that was asked for without one says so, and nobody is asked again. */
export async function resumeSession(): Promise<void> {
  if (document.documentElement.dataset.visitor === 'signed-out') {
    session.value = { phase: 'signedOut', hasEnded: false };
    return;
  }
  try {
    // Asked before the client is made, for the outbox of whom to look for.
    const { user_id } = await publicRest.call('get_me', {});
    await connect(user_id);
  } catch (error) {
    if (!(error instanceof ParlanceError)) throw error;
    session.value = error.status === 401 ? { phase: 'signedOut', hasEnded: false } : { phase: 'unreachable' };
  }
}

/** Logs in; throws ParlanceError when refused. The server sets the cookie. */
export async function logIn(user_id: string, password: string): Promise<void> {
  const answer = await publicRest.call('log_in', { user_id, password });
  await connect(answer.user_id);
}

/** Makes an account and logs in to it; throws ParlanceError when refused. */
export async function register(account: { user_id: string; email: string; password: string; display_name?: string }): Promise<void> {
  await publicRest.call('register', account);
  await logIn(account.user_id, account.password);
}

/** Ends the session here and on the server. What waited is forgotten, for the next person at this browser may be another. */
export async function logOut(): Promise<void> {
  const now = session.peek();
  if (now.phase !== 'signedIn') return;
  await now.client.logOut();
  forgetOutbox();
}

async function connect(user: string): Promise<void> {
  let client: Parlance | undefined;
  const kept = await openOutbox(user, (writes) => client !== undefined && adopt(client, writes));
  client = await Parlance.withCookie({ ...options, outbox: kept.waiting });
  const { me } = client;
  if (me !== user) return connect(me); // Another tab logged in as somebody else meanwhile.
  let wasEmpty = false;
  client.subscribe((it) => {
    // Once it has ended, the client has given up what waited. What is kept stays as it was, for the next time.
    if (it.status === 'signed_out') {
      if (session.peek().phase === 'signedIn') session.value = { phase: 'signedOut', hasEnded: it.closeCode !== 0 };
      return;
    }
    if (it.status === 'stopped') return;
    const state = it.outbox();
    const isEmpty = Object.keys(state.queues).length === 0;
    if (!isEmpty || !wasEmpty) kept.keep(state);
    wasEmpty = isEmpty;
  });
  forgetOutbox = kept.forget;
  session.value = { phase: 'signedIn', client };
}

/** Goes on with what a tab left that has just ended. A write of a tab that is sent again carries its own client_id: the server decides it once. */
function adopt(client: Parlance, writes: readonly outbox.Write[]): void {
  for (const { frame } of writes) {
    if (frame.type === 'mark_read') continue;
    client.write(frame.type === 'send_message' || 'conversation' in frame ? frame.conversation : `g:${frame.name}`, frame).catch(() => {
      // A refused message stays in its conversation, marked.
    });
  }
}
