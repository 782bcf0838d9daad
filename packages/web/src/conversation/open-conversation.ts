import { type Change, Chat, type ConversationView, type Message, type MessageView, type Parlance, ParlanceError, type ProblemDetails } from '@parlance/sdk';
import { isShowable, loadMarkdown } from '../markdown/load.ts';
import { dialog } from '../state/dialogs.ts';
import { nameOf } from '../state/names.ts';
import { effect, signal, untracked } from '../state/signal.ts';
import { toast } from '../state/toasts.ts';
import { sentenceOf, t } from '../text/language.ts';
import { announce, hush } from './announcer.ts';
import * as fold from './history.ts';
import { type Page, Pages } from './pages.ts';
import { isRemoved } from './removals.ts';
import { type Row, storedKeys, timelineOf } from './timeline.ts';

// The conversation that somebody looks at: the replica's newest messages and the history before them, as one list of rows, and what may be done with it. Views draw
// the rows and say where somebody has scrolled to; they decide nothing.

/** Where the list is to be scrolled to. Each is a wish of its own, granted once. */
export type Place = { readonly at: 'end' } | { readonly at: 'unread' } | { readonly at: 'message'; readonly seq: number };

export interface Timeline {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly rows: readonly Row[];
  /** Rows came or went at the front only. */
  readonly isShifted: boolean;
  /** Another number: other rows altogether, to be drawn from scratch. */
  readonly generation: number;
  readonly hasOlder: boolean;
  /** The newest messages are not among the rows. */
  readonly hasNewer: boolean;
  readonly place: Place | null;
  readonly problem: ProblemDetails | null;
}

const pageSize = 50;
const rereadSize = 200;
/** Rows of context above the first unread message when it lies deep in history. */
const contextSize = 20;

export class OpenConversation {
  readonly id: string;
  readonly chat: Chat;
  readonly client: Parlance;
  readonly view;
  readonly timeline = signal<Timeline>({
    phase: 'loading',
    rows: [],
    isShifted: false,
    generation: 0,
    hasOlder: false,
    hasNewer: false,
    place: null,
    problem: null,
  });
  /** The message that is lit up, by seq. */
  readonly lit = signal<number | null>(null);
  /** The last message is in sight. Set by the list. */
  readonly isAtEnd = signal(true);
  /** The message that is being edited, by id. */
  readonly editing = signal<string | null>(null);
  /** Messages of others that came while one was further up. */
  readonly newCount = signal(0);
  readonly #pages: Pages;
  readonly #stops: (() => void)[] = [];
  #history = fold.noHistory;
  #tailNotices: readonly Change[] = [];
  #keys = new Map<number, string>();
  #edits = new Map<string, string>();
  #generation = 0;
  #place: Place | null = null;
  #unreadAfter: number | null = null;
  #shownSeq = 0;
  #isReady = false;
  #isBusy = false;
  #isClosed = false;
  #markTimer: ReturnType<typeof setTimeout> | undefined;
  #seenSeq = 0;
  #litTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Parlance, id: string) {
    this.id = id;
    this.client = client;
    this.chat = new Chat(client, id);
    this.view = signal<ConversationView>(this.chat.view);
    this.#pages = new Pages(client.rest, id);
  }

  /** Loads it and follows it until `close`. `target`: the message to open at, by seq. */
  open(target: number | null): void {
    this.#stops.push(this.chat.subscribe((view) => this.#follow(view)));
    this.#stops.push(
      effect(() => {
        // Reads what changes rows without news from the server.
        isRemoved(this.id, '');
        isShowable('**');
        untracked(() => this.#isReady && this.#publish());
      }),
    );
    const seen = (): void => this.#markSeen();
    for (const name of ['focus', 'visibilitychange'] as const) {
      (name === 'focus' ? window : document).addEventListener(name, seen);
      this.#stops.push(() => (name === 'focus' ? window : document).removeEventListener(name, seen));
    }
    this.#start(target).catch((error: unknown) => this.#fail(error));
  }

  close(): void {
    this.#isClosed = true;
    hush();
    clearTimeout(this.#litTimer);
    if (this.#markTimer !== undefined) {
      clearTimeout(this.#markTimer);
      this.#mark();
    }
    for (const stop of this.#stops) stop();
  }

  /** Tries again after it could not be loaded. */
  reload(): void {
    this.timeline.value = { ...this.timeline.peek(), phase: 'loading', problem: null };
    this.#start(null).catch((error: unknown) => this.#fail(error));
  }

  /** Reads again the messages that the replica does not hold; of its own it has every change. */
  async reread(): Promise<void> {
    const { messages } = this.#history;
    const [first, last] = [messages[0]?.seq, messages.at(-1)?.seq];
    if (this.#isBusy || !this.#isReady || first === undefined || last === undefined) return;
    await this.#busily(async () => {
      for (let after = first - 1; after < last; ) {
        const page = await this.#pages.after(after, rereadSize);
        this.#publishHistory(fold.withCurrent(this.#history, page.messages));
        after = page.messages.at(-1)?.seq ?? last;
      }
    });
  }

  /** Goes to a message and lights it up, loading what lies around it if need be. */
  async goTo(seq: number): Promise<void> {
    if (!this.#isReady) return;
    try {
      if (!this.timeline.peek().rows.some((row) => row.type === 'message' && row.message.seq === seq)) await this.#openAround(seq);
      this.#light(seq);
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Goes to the newest message. */
  jumpToLatest(): void {
    if (!this.#isReady) return;
    if (!this.#history.joins) {
      this.#history = fold.noHistory;
      this.#generation++;
    }
    this.newCount.value = 0;
    this.#place = { at: 'end' };
    this.#publish();
  }

  /** Reads the page before the first message. */
  async loadOlder(): Promise<void> {
    const first = this.#messages()[0]?.seq;
    if (this.#isBusy || !this.#isReady || !this.timeline.peek().hasOlder || first === undefined || first === null) return;
    await this.#busily(async () => {
      const page = await this.#pages.before(first, pageSize);
      this.#history = fold.withOlder(this.#history, page.messages, page.notices, page.hasMore);
      this.#publish({ isShifted: true });
      // In a step of its own: a list can grow at one end or shrink at the other, not both at once.
      if (this.#history.messages.length > fold.historyMax) this.#later(() => this.#publishHistory(fold.trimNewest(this.#history)));
    });
  }

  /** Reads the page after the last message, when the newest ones are not there. */
  async loadNewer(): Promise<void> {
    const last = this.#history.messages.at(-1)?.seq;
    if (this.#isBusy || !this.#isReady || this.#history.joins || last === undefined) return;
    await this.#busily(async () => {
      const page = await this.#pages.after(last, pageSize);
      this.#publishHistory(fold.withNewer(this.#history, page.messages, page.notices, !page.hasMore, this.#tailFrom()));
      if (this.#history.messages.length > fold.historyMax) this.#later(() => this.#publishHistory(fold.trimOldest(this.#history), { isShifted: true }));
    });
  }

  /** Puts a message on its way. It is in the rows when this returns. */
  send(text: string): void {
    this.#unreadAfter = null;
    if (!this.#history.joins) this.#history = fold.noHistory;
    this.newCount.value = 0;
    this.chat.send(text).catch((error: unknown) => {
      // What was refused stands in the conversation, marked, unless it never got there.
      if (error instanceof ParlanceError && (error.code === 'invalid_request' || error.code === 'outbox_full')) this.#complain(error);
      else if (!(error instanceof ParlanceError)) throw error;
    });
    this.#place = { at: 'end' };
    this.#follow(this.chat.view);
  }

  /** Changes the text of an own message. Asks when somebody was quicker. */
  edit(message: MessageView, text: string): void {
    const { msg_id: msgId, version } = message;
    this.editing.value = null;
    if (msgId === null || text === message.text) return;
    this.#edits.set(msgId, text);
    this.#publish();
    this.chat
      .edit(msgId, text, { version })
      .then(({ version: stored }) => {
        const changed = { ...message, text, version: stored, edited_time: new Date().toISOString() };
        this.#history = fold.withChanges(this.#history, [
          { conversation: this.id, seq: 0, kind: 'edit', by: this.client.me, time: '', msg_id: msgId, message: changed } as Change,
        ]);
      })
      .catch((error: unknown) => {
        if (!(error instanceof ParlanceError)) throw error;
        if (error.code === 'version_mismatch') this.#askWhich(msgId, text);
        else this.#complain(error);
      })
      .finally(() => {
        this.#edits.delete(msgId);
        this.#publish();
      });
  }

  /** The last of one's own messages that was not refused, once it is stored; until then none, since who has just written does not mean the one before. */
  lastOwn(): MessageView | undefined {
    const last = this.#messages().findLast(({ author, deleted, state }) => author === this.client.me && deleted !== true && state !== 'failed');
    return last?.state === 'stored' ? last : undefined;
  }

  /** A message was deleted: those of the history hear it from here. */
  forgetText(msgId: string): void {
    const change = { conversation: this.id, seq: 0, kind: 'delete', by: this.client.me, time: '', msg_id: msgId } as Change;
    this.#history = fold.withChanges(this.#history, [change]);
  }

  /** Everything up to here has been in sight. */
  see(seq: number): void {
    this.#seenSeq = Math.max(this.#seenSeq, seq);
    this.#markSeen();
  }

  async #start(target: number | null): Promise<void> {
    const known = this.view.peek();
    // The first unread message lies before the newest page: what is around it can be asked for at the same time as that page.
    const isDeep = known.unreadCount > pageSize && target === null;
    const early = isDeep ? this.#pages.aroundGap(known.readSeq, contextSize, pageSize) : undefined;
    early?.catch(() => {}); // Awaited below, once the rest is there.
    await this.chat.load();
    if (this.#isClosed) return;
    const view = this.chat.view;
    this.view.value = view;
    const from = this.#tailFrom();
    if (view.kind === 'group') this.#tailNotices = await this.#pages.notices(Math.max(0, from - 1), view.seq, view.messages.length);
    if (view.unreadCount > 0) this.#unreadAfter = view.readSeq;
    if (target !== null) {
      await this.#openAround(target, true);
      return this.#light(target);
    }
    if (view.unreadCount > 0 && from > view.readSeq) {
      const page = await (early ?? this.#pages.aroundGap(view.readSeq, contextSize, pageSize));
      this.#history = this.#windowOf(page);
    }
    this.#place = view.unreadCount > 0 ? { at: 'unread' } : { at: 'end' };
    await this.#whenShowable();
    if (this.#isClosed) return;
    this.#ready();
  }

  async #openAround(seq: number, isFirst = false): Promise<void> {
    // The first of those that are held has no row while others come before it.
    const isInTail = seq > this.#tailFrom() && this.chat.view.isLoaded;
    if (isInTail) this.#history = this.#history.joins ? this.#history : fold.noHistory;
    else this.#history = this.#windowOf(await this.#pages.around(seq, pageSize));
    if (this.#isClosed) return;
    if (!isFirst) this.#generation++;
    await this.#whenShowable();
    this.#place = { at: 'message', seq };
    this.#ready();
  }

  #windowOf(page: Page): fold.History {
    const empty: fold.History = { messages: [], notices: [], hasOlder: page.hasMore, joins: false };
    return fold.withNewer(empty, page.messages, page.notices, page.reachesEnd, this.#tailFrom());
  }

  #ready(): void {
    this.#isReady = true;
    this.#publish();
  }

  #light(seq: number): void {
    this.#place = { at: 'message', seq };
    this.lit.value = seq;
    clearTimeout(this.#litTimer);
    this.#litTimer = setTimeout(() => {
      this.lit.value = null;
    }, 4000);
    this.#publish();
  }

  /** News from the server, or of one's own. */
  #follow(view: ConversationView): void {
    const before = this.view.peek();
    this.view.value = view;
    if (!this.#isReady) return;
    for (const [seq, key] of storedKeys(before.messages, view.messages, this.client.me)) this.#keys.set(seq, key);
    if (view.seq > before.seq) this.#hear(before, view);
    this.#publish();
    this.#markSeen();
  }

  #hear(before: ConversationView, view: ConversationView): void {
    const news = view.messages.filter(({ seq }) => seq !== null && seq > before.seq);
    const fromOthers = news.filter(({ author }) => author !== this.client.me);
    for (const { author, text } of fromOthers) announce(t().chat.saysLive(nameOf(author), text ?? t().chat.deleted));
    if (fromOthers.length > 0) {
      if (!this.isAtEnd.peek() || !this.#history.joins) this.newCount.value += fromOthers.length;
      if (this.#unreadAfter === null && (!isLookedAt() || !this.isAtEnd.peek())) this.#unreadAfter = before.seq;
    }
    // The replica keeps the newest thousand. What it lets go is still on the screen: it goes on in the history.
    const first = view.messages[0]?.seq ?? 0;
    if (this.#history.joins && first !== null) {
      const dropped = before.messages.filter(({ seq, state }) => seq !== null && seq < first && state === 'stored') as readonly unknown[] as readonly Message[];
      if (dropped.length > 0)
        this.#history = { ...fold.withNewer(this.#history, dropped, [], false, first), hasOlder: this.#history.hasOlder ?? before.hasOlder, joins: true };
    }
    // An event that is neither a message nor a notice changed one: perhaps one that only the history has.
    const isAccounted = news.length + view.notices.filter(({ seq }) => seq > before.seq).length === view.seq - before.seq;
    if (!isAccounted && this.#history.messages.length > 0) {
      this.#pages.changes(before.seq, view.seq).then(
        (changes) => this.#publishHistory(fold.withChanges(this.#history, changes)),
        () => {}, // The next one that is noticed, or the next opening, brings it.
      );
    }
  }

  #publishHistory(history: fold.History, options: { isShifted?: boolean } = {}): void {
    if (this.#isClosed || history === this.#history) return;
    this.#history = history;
    this.#publish(options);
  }

  #publish({ isShifted = false }: { isShifted?: boolean } = {}): void {
    if (this.#isClosed || !this.#isReady) return;
    const view = this.view.peek();
    const messages = this.#showable(this.#messages());
    for (const { seq } of messages) if (seq !== null && seq > this.#shownSeq) this.#shownSeq = seq;
    const last = this.#history.messages.at(-1)?.seq ?? 0;
    const all = fold.mergeNotices(fold.mergeNotices(this.#history.notices, this.#tailNotices), view.notices);
    const hasOlder = this.#history.hasOlder ?? view.hasOlder;
    const rows = timelineOf({
      messages,
      notices: this.#history.joins ? all : all.filter(({ seq }) => seq <= last),
      isWhole: !hasOlder,
      unreadAfter: this.#unreadAfter,
      me: this.client.me,
      now: new Date(),
      keys: this.#keys,
    });
    const place = this.#place;
    this.timeline.value = { phase: 'ready', rows, isShifted, generation: this.#generation, hasOlder, hasNewer: !this.#history.joins, place, problem: null };
  }

  /** History and tail as one, with what is being changed here laid over. */
  #messages(): MessageView[] {
    const { messages, joins } = this.#history;
    const last = messages.at(-1)?.seq ?? 0;
    const old = messages.map((message): MessageView => ({ ...message, state: 'stored' }));
    const tail = joins ? this.view.peek().messages.filter(({ seq }) => seq === null || seq > last) : [];
    return [...old, ...tail].map((message) => {
      const { msg_id: msgId } = message;
      if (msgId === null || message.deleted === true) return message;
      const edit = this.#edits.get(msgId);
      if (edit !== undefined) return { ...message, text: edit, state: 'changing' };
      if (!isRemoved(this.id, msgId)) return message;
      const { text: _, ...stub } = message;
      return { ...stub, deleted: true, state: 'changing' };
    });
  }

  /** Up to the first new one that waits for the Markdown chunk: it and what follows are shown once that is there. */
  #showable(messages: MessageView[]): MessageView[] {
    const index = messages.findIndex(({ seq, text }) => (seq === null || seq > this.#shownSeq) && !isShowable(text));
    if (index === -1) return messages;
    void loadMarkdown();
    return messages.slice(0, index);
  }

  async #whenShowable(): Promise<void> {
    if (this.#messages().some(({ text }) => !isShowable(text))) await loadMarkdown();
  }

  /** From this seq on the tail has every message; 0 when it has them all. */
  #tailFrom(): number {
    const { hasOlder, messages, seq } = this.chat.view;
    return hasOlder ? (messages[0]?.seq ?? seq + 1) : 0;
  }

  async #busily(work: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await work();
    } catch (error) {
      this.#complain(error);
    } finally {
      this.#isBusy = false;
    }
  }

  #later(work: () => void): void {
    setTimeout(() => !this.#isClosed && work(), 100);
  }

  #askWhich(msgId: string, yours: string): void {
    this.#edits.delete(msgId);
    const now = [...this.chat.view.messages, ...this.#messages()].find(({ msg_id }) => msg_id === msgId);
    if (now === undefined) return;
    dialog.value = { name: 'conflict', theirs: now.text ?? '', yours, onUseYours: () => this.edit({ ...now, text: now.text ?? '' }, yours) };
  }

  #markSeen(): void {
    if (!isLookedAt() || this.#markTimer !== undefined) return;
    const { unreadCount, readSeq } = this.view.peek();
    if (this.#target() <= readSeq || (unreadCount === 0 && this.isAtEnd.peek())) return;
    this.#markTimer = setTimeout(() => this.#mark(), 250);
  }

  #mark(): void {
    this.#markTimer = undefined;
    const seq = this.#target();
    if (seq > this.view.peek().readSeq) this.chat.markRead(seq).catch(() => {}); // The next one takes it along.
  }

  /** How far has been read: to the end, if that is in sight. */
  #target(): number {
    const isEnd = this.#history.joins && this.isAtEnd.peek() && this.#isReady;
    return isEnd ? Math.max(this.#seenSeq, this.view.peek().seq) : this.#seenSeq;
  }

  #fail(error: unknown): void {
    if (!(error instanceof ParlanceError)) throw error;
    this.timeline.value = { ...this.timeline.peek(), phase: 'failed', problem: error.problem };
  }

  #complain(error: unknown): void {
    if (!(error instanceof ParlanceError)) throw error;
    if (!this.#isClosed) toast(sentenceOf(error.problem));
  }
}

const isLookedAt = (): boolean => document.visibilityState === 'visible' && document.hasFocus();
