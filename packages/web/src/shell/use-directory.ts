import { useEffect, useState } from 'react';
import { session } from '../state/session.ts';

/** A list of the server that is read by its beginning, page by page, anew whenever what was typed changes. */
export interface Directory<T> {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly rows: readonly T[];
  readonly hasMore: boolean;
  more(): void;
  again(): void;
}

type Read<T> = (page: { prefix?: string; cursor?: string; limit: number }, signal: AbortSignal) => Promise<{ rows: readonly T[]; next: string | null }>;

const typingPauseMs = 120;

export function useDirectory<T>(prefix: string, read: Read<T>): Directory<T> {
  const [state, setState] = useState<{ phase: Directory<T>['phase']; rows: readonly T[]; next: string | null }>({ phase: 'loading', rows: [], next: null });
  const [round, setRound] = useState(0);
  const isTypable = /^[A-Za-z0-9._-]*$/.test(prefix);

  const load = (cursor: string | null, before: readonly T[], signal: AbortSignal): void => {
    if (session.peek().phase !== 'signedIn') return;
    const page = { limit: 50, ...(prefix !== '' && { prefix }), ...(cursor !== null && { cursor }) };
    read(page, signal).then(
      ({ rows, next }) => !signal.aborted && setState({ phase: 'ready', rows: [...before, ...rows], next }),
      () => !signal.aborted && setState({ phase: 'failed', rows: before, next: null }),
    );
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: it is read anew when the prefix changes or somebody asks for it.
  useEffect(() => {
    const abort = new AbortController();
    if (!isTypable) {
      setState({ phase: 'ready', rows: [], next: null });
      return;
    }
    const timer = setTimeout(() => load(null, [], abort.signal), prefix === '' ? 0 : typingPauseMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [prefix, round]);

  return {
    phase: state.phase,
    rows: state.rows,
    hasMore: state.next !== null,
    more: () => load(state.next, state.rows, new AbortController().signal),
    again: () => setRound(round + 1),
  };
}
