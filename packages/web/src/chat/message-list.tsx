import { type KeyboardEvent, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { Virtualizer, type VirtualizerHandle } from 'virtua';
import type { OpenConversation, Place, Timeline } from '../conversation/open-conversation.ts';
import type { Row } from '../conversation/timeline.ts';
import { Empty } from '../parts/empty.tsx';
import { Icon } from '../parts/icon.tsx';
import parts from '../parts/parts.module.css';
import { useValue } from '../state/signal.ts';
import { dayName, sentenceOf, t } from '../text/language.ts';
import { Beginning } from './beginning.tsx';
import styles from './chat.module.css';
import message from './message.module.css';
import { MessageRow } from './message-row.tsx';
import { Notice } from './notice.tsx';

/** Closer to the end than this, in pixels, is at the end. */
const endSlack = 32;
/** Frames in which nothing changed its size, until a list is taken to be where it was sent. */
const framesOfRest = 6;
/** Older and newer messages are read when fewer screens than this are left. */
const screensAhead = 1.5;

/** The messages of the open conversation, or why there are none. */
export function MessageList({ open }: { open: OpenConversation }) {
  const timeline = useValue(open.timeline);
  if (timeline.phase === 'loading') return <Skeletons />;
  if (timeline.phase === 'failed') {
    const { problem } = timeline;
    const isFinal = problem !== null && ['conversation_not_found', 'user_not_found', 'not_a_member'].includes(problem.code);
    return isFinal ? <Empty title={sentenceOf(problem)} /> : <Empty title={t().chat.failedLoad} onRetry={() => open.reload()} />;
  }
  return <Rows key={timeline.generation} open={open} timeline={timeline} />;
}

function Rows({ open, timeline }: { open: OpenConversation; timeline: Timeline }) {
  const { rows, place } = timeline;
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const list = useRef<VirtualizerHandle>(null);
  const granted = useRef<Place | null>(null);
  const isSticking = useRef(false);
  const held = useRef<Place | null>(null);
  const put = useRef({ top: 0, height: 0 });
  const lastOffset = useRef(0);
  const [isPlaced, setPlaced] = useState(false);
  const [focused, setFocused] = useState<string | null>(null);
  const editing = useValue(open.editing);
  const isDirect = open.view.peek().kind === 'direct';

  const toEnd = (): void => {
    const { current } = scroller;
    if (current !== null) current.scrollTop = current.scrollHeight;
  };

  const indexOf = (wish: Place): number =>
    wish.at === 'unread' ? rows.findIndex(({ type }) => type === 'unread') : wish.at === 'message' ? rows.findIndex((row) => seqOf(row) === wish.seq) : -1;

  /** Goes where the list is wanted, if it is wanted somewhere: to the end, or to a row while what is above it is still being measured. */
  const settle = (): void => {
    const { current } = scroller;
    if (isSticking.current) toEnd();
    if (isSticking.current || held.current === null || current === null || list.current === null) return;
    const index = indexOf(held.current);
    if (index === -1) return;
    const top = list.current.getItemOffset(index);
    current.scrollTop = held.current.at === 'unread' ? top - 8 : top + (list.current.getItemSize(index) - current.clientHeight) / 2;
    put.current = { top: current.scrollTop, height: current.scrollHeight };
  };

  const latest = useRef(settle);
  latest.current = settle;

  // Not by the list's own scrolling to a row: that goes there again whenever something is measured, also when somebody has scrolled on meanwhile.
  const grant = (wish: Place): void => {
    isSticking.current = indexOf(wish) === -1;
    held.current = isSticking.current ? null : wish;
    settle();
    let rest = 0;
    let at = scroller.current?.scrollTop;
    const frame = (): void => {
      if (held.current !== wish) return;
      const { scrollTop } = scroller.current ?? {};
      rest = scrollTop === at ? rest + 1 : 0;
      at = scrollTop;
      if (rest === framesOfRest) held.current = null;
      else requestAnimationFrame(frame);
    };
    frame();
  };
  const letGo = (): void => {
    held.current = null;
  };

  // biome-ignore-start lint/correctness/useExhaustiveDependencies: each effect answers to the change that it names; the functions it calls are new with every rendering.

  // Before anything is painted: the list is where it should be, and what came in at the end is followed.
  useLayoutEffect(() => {
    if (place !== null && place !== granted.current) {
      granted.current = place;
      grant(place);
      // A list measures itself in the frame after it is drawn; until then nobody should see it.
      if (!isPlaced) requestAnimationFrame(() => requestAnimationFrame(() => setPlaced(true)));
    } else settle();
  }, [rows, place]);

  useEffect(() => {
    if (isPlaced) look();
  }, [isPlaced, rows]);

  // The list's own word of a change comes before the page is as high as it will be. This one comes when it is, and still before it is painted.
  useEffect(() => {
    const observer = new ResizeObserver(() => latest.current());
    observer.observe(content.current!);
    return () => observer.disconnect();
  }, []);

  // What an edit opens is made visible.
  useEffect(() => {
    if (editing === null) return;
    const index = rows.findIndex((row) => row.type === 'message' && row.message.msg_id === editing);
    if (index !== -1) list.current?.scrollToIndex(index, { align: 'nearest' });
  }, [editing]);
  // biome-ignore-end lint/correctness/useExhaustiveDependencies: as above.

  /** Looks at where the list stands: what is in sight has been read, and what is nearly in sight should be there. */
  const look = (): void => {
    const { current } = list;
    if (current === null || !isPlacedNow()) return;
    const { scrollOffset, scrollSize, viewportSize } = current;
    if (viewportSize === 0) return;
    const left = scrollSize - viewportSize - scrollOffset;
    const isAtEnd = left < endSlack;
    open.isAtEnd.value = isAtEnd && !timelineNow().hasNewer;
    // Who has reached the end stays there, also when the window or what is said changes.
    if (isAtEnd && isPlaced) isSticking.current = !timelineNow().hasNewer;
    if (isAtEnd) open.newCount.value = timelineNow().hasNewer ? open.newCount.peek() : 0;
    const at = current.findItemIndex(scrollOffset + viewportSize - 4);
    const last = rows.slice(0, at + 1).findLast((row) => seqOf(row) !== null);
    if (last !== undefined) open.see(seqOf(last)!);
    if (scrollOffset < viewportSize * screensAhead) void open.loadOlder();
    if (left < viewportSize * screensAhead) void open.loadNewer();
  };
  const isPlacedNow = (): boolean => granted.current !== null;
  const timelineNow = (): Timeline => open.timeline.peek();

  const scrolled = (offset: number): void => {
    const { current } = list;
    if (current === null) return;
    // Elsewhere, and nothing was measured: it was scrolled, by whatever means.
    const { scrollTop, scrollHeight } = scroller.current!;
    if (Math.abs(scrollTop - put.current.top) > 1 && scrollHeight === put.current.height) letGo();
    if (current.scrollSize - current.viewportSize - offset < endSlack) isSticking.current = !timelineNow().hasNewer;
    else if (offset < lastOffset.current - 1) isSticking.current = false;
    lastOffset.current = offset;
    look();
  };

  const resized = (): void => {
    settle();
    look();
  };

  const step = (event: KeyboardEvent): void => {
    const article = (event.target as Element).closest('article');
    if (article === null || event.target !== article) return;
    const at = rows.findIndex(({ key }) => key === article.dataset.key);
    const messages = rows.map((row, index) => (row.type === 'message' ? index : -1)).filter((index) => index !== -1);
    const position = messages.indexOf(at);
    const to = { ArrowUp: messages[position - 1], ArrowDown: messages[position + 1], Home: messages[0], End: messages.at(-1) }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const key = rows[to]!.key;
    setFocused(key);
    list.current?.scrollToIndex(to, { align: 'nearest' });
    requestAnimationFrame(() => scroller.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`)?.focus());
  };

  const lastKey = rows.findLast(({ type }) => type === 'message')?.key;
  const tabStop = rows.some(({ key }) => key === focused) ? focused : lastKey;
  // A row that has the focus or is being edited must not go when it is scrolled away.
  const kept = rows.flatMap((row, index) =>
    row.key === focused || (row.type === 'message' && editing !== null && row.message.msg_id === editing) ? [index] : [],
  );

  return (
    <>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the arrow keys go through the messages in it, which take the focus themselves. */}
      <div
        ref={scroller}
        className={styles.scroller}
        data-scroller
        style={isPlaced ? undefined : { visibility: 'hidden' }}
        onWheel={letGo}
        onTouchMove={letGo}
        onPointerDown={letGo}
        onKeyDown={(event) => {
          letGo();
          step(event);
        }}
        onFocus={(event) => setFocused((event.target as Element).closest('article')?.dataset.key ?? null)}
        onBlur={(event) => !event.currentTarget.contains(event.relatedTarget) && setFocused(null)}
      >
        <div className={styles.spacer} />
        <div ref={content} className={styles.rows}>
          <Virtualizer ref={list} data={rows} shift={timeline.isShifted} scrollRef={scroller} keepMounted={kept} onScroll={scrolled} onResize={resized}>
            {(row) => <RowView key={row.key} row={row} open={open} isDirect={isDirect} isTabStop={row.key === tabStop} />}
          </Virtualizer>
        </div>
        <div className={styles.foot} />
      </div>
      <Jump open={open} timeline={timeline} />
    </>
  );
}

const seqOf = (row: Row): number | null => (row.type === 'message' ? row.message.seq : null);

function RowView({ row, ...props }: { row: Row; open: OpenConversation; isDirect: boolean; isTabStop: boolean }) {
  switch (row.type) {
    case 'message':
      return <MessageRow row={row} {...props} />;
    case 'notice':
      return <Notice change={row.change} />;
    case 'day':
      return <div className={message.day}>{dayName(row.day, new Date())}</div>;
    case 'unread':
      return <div className={message.unread}>{t().chat.unreadLine}</div>;
    case 'beginning':
      return <Beginning open={props.open} />;
  }
}

function Jump({ open, timeline }: { open: OpenConversation; timeline: Timeline }) {
  const isAtEnd = useValue(open.isAtEnd);
  const isNew = useValue(open.newCount);
  if (isAtEnd && !timeline.hasNewer) return null;
  return (
    <button type="button" className={styles.jump} data-new={isNew > 0 || undefined} onClick={() => open.jumpToLatest()}>
      <Icon name="down" size={17} />
      {isNew > 0 ? t().chat.jumpNew(isNew) : t().chat.jump}
    </button>
  );
}

function Skeletons() {
  return (
    <div className={styles.skeletons} aria-busy="true">
      {Array.from({ length: 7 }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same.
        <div key={index} className={parts.skeleton} />
      ))}
    </div>
  );
}
