import type { ReadonlySignal } from '@preact/signals-core';
import { useCallback, useSyncExternalStore } from 'react';

// State lives in signals outside the views; a view reads one with `useValue`. The signals' own binding to Preact is left alone: it would not work on React.

export { batch, computed, effect, type ReadonlySignal, type Signal, signal, untracked } from '@preact/signals-core';

/** The value of a signal; the view is drawn again when it changes. */
export function useValue<T>(signal: ReadonlySignal<T>): T {
  const subscribe = useCallback((notify: () => void) => signal.subscribe(notify), [signal]);
  return useSyncExternalStore(subscribe, () => signal.peek());
}
