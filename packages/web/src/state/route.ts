import { directId, parseConversationId, peerOf, resolveConversation } from '@parlance/schema/ids';
import { signal } from './signal.ts';

// Where the person is: the address, taken apart. The one place that knows what addresses look like.
//
//   /                        the list            /settings            settings
//   /c/REFERENCE             a conversation      /login, /register
//   /c/REFERENCE/m/MSG_ID    at a message        /first-admin/LINK    the first administrator's link
//   /people, /groups         the other tabs of the list

export type Route =
  | { name: 'home' }
  | { name: 'people' }
  | { name: 'groups' }
  | { name: 'conversation'; reference: string; msgId: string | null }
  | { name: 'settings' }
  | { name: 'logIn' }
  | { name: 'register' }
  | { name: 'firstAdmin'; link: string }
  | { name: 'unknown' };

const messageId = /^[1-9][0-9]{0,15}$/;

/** What an address means. Anything that is no address of the app is `unknown`. */
export function parseRoute(path: string): Route {
  let parts: string[];
  try {
    parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return { name: 'unknown' };
  }
  const [first, second, third, fourth] = parts;
  if (first === undefined) return { name: 'home' };
  if (first === 'c' && second !== undefined && resolveConversation(second, 'me') !== undefined) {
    if (third === undefined) return { name: 'conversation', reference: second, msgId: null };
    return third === 'm' && fourth !== undefined && messageId.test(fourth) && parts.length === 4
      ? { name: 'conversation', reference: second, msgId: fourth }
      : { name: 'unknown' };
  }
  if (first === 'first-admin' && second !== undefined && parts.length === 2) return { name: 'firstAdmin', link: second };
  if (parts.length > 1) return { name: 'unknown' };
  switch (first) {
    case 'people':
    case 'groups':
    case 'settings':
    case 'register':
      return { name: first };
    case 'login':
      return { name: 'logIn' };
    default:
      return { name: 'unknown' };
  }
}

/** The address of a conversation as `me` sees it, by its stable id; with `msgId` at that message. */
export function pathOf(id: string, me: string, msgId?: string | null): string {
  const parts = parseConversationId(id);
  const reference = parts === undefined ? id : parts.kind === 'group' ? `#${parts.name}` : `@${peerOf(parts.users, me)}`;
  const path = `/c/${encodeURIComponent(reference)}`;
  return msgId === undefined || msgId === null ? path : `${path}/m/${msgId}`;
}

/** The address of the direct conversation with a user. */
export const pathWith = (user: string, me: string): string => pathOf(directId(user, me), me);

export const route = signal<Route>({ name: 'home' });

/** Counts journeys to an address, also to the one that is shown: whoever follows a link to a message again is taken there again. */
export const arrivals = signal(0);

const read = (): void => {
  route.value = parseRoute(location.pathname);
  arrivals.value++;
};

/** Begins to follow the address bar, and links of the app as they are clicked. */
export function startRouting(): void {
  read();
  addEventListener('popstate', read);
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest?.('a[href]') as HTMLAnchorElement | null;
    if (link === null || link.target !== '' || link.origin !== location.origin || parseRoute(link.pathname).name === 'unknown') return;
    event.preventDefault();
    go(link.pathname);
  });
}

/** Goes to an address of the app. */
export function go(path: string, { replace = false }: { replace?: boolean } = {}): void {
  if (replace || path === location.pathname) history.replaceState(null, '', path);
  else history.pushState(null, '', path);
  read();
}
