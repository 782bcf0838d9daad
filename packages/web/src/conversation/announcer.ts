import { signal } from '../state/signal.ts';

// What a screen reader is told of the open conversation while it goes on: one hidden log, and never more often than every 1.5 s, or it would speak over itself. What
// came in between is said together.

export const announcement = signal<{ id: number; text: string } | null>(null);

const everyMs = 1500;
/** Of more than so many only the newest are read out. */
const readOutMax = 5;

let queue: string[] = [];
let lastAt = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;
let lastId = 0;

export function announce(text: string): void {
  queue.push(text);
  timer ??= setTimeout(say, Math.max(0, lastAt + everyMs - performance.now()));
}

/** What was not said yet is about another conversation now. */
export function hush(): void {
  queue = [];
  clearTimeout(timer);
  timer = undefined;
}

function say(): void {
  timer = undefined;
  lastAt = performance.now();
  announcement.value = { id: ++lastId, text: queue.slice(-readOutMax).join('\n') };
  queue = [];
}
