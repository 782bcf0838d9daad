import { signal } from './signal.ts';

/** A short word at the foot of the window, with at most one thing to do about it. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action?: { label: string; run(): void };
}

export const toasts = signal<readonly Toast[]>([]);

const shownMs = 5000;
const shownMax = 4;
let lastId = 0;

/** Shows it for a while; answers how to take it away sooner. */
export function toast(text: string, { action, forMs = shownMs }: { action?: Toast['action']; forMs?: number } = {}): () => void {
  const id = ++lastId;
  const end = (): void => {
    clearTimeout(timer);
    toasts.value = toasts.peek().filter((one) => one.id !== id);
  };
  const timer = setTimeout(end, forMs);
  const own = action && {
    label: action.label,
    run: () => {
      end();
      action.run();
    },
  };
  toasts.value = [...toasts.peek(), { id, text, ...(own && { action: own }) }].slice(-shownMax);
  return end;
}
