import { signal } from '../state/signal.ts';
import { mayHaveMarkup } from './detect.ts';
import type { Node } from './node.ts';

// The parser is heavier than the rest of the chat and most messages do not need it, so it is a chunk of its own, loaded when the first message with markup is about
// to be shown. That message waits for it: were it shown plain first, everything below would move.

type Parse = (text: string) => Node[];

/** 'failed': the chunk could not be had; messages are shown as they were typed. */
export const markdownParser = signal<Parse | 'failed' | null>(null);

let loading: Promise<void> | undefined;

/** Loads the parser; resolves also when that failed. */
export function loadMarkdown(): Promise<void> {
  loading ??= import('./parse.ts').then(
    ({ parse }) => {
      markdownParser.value = parse;
    },
    () => {
      markdownParser.value = 'failed';
      loading = undefined;
    },
  );
  return loading;
}

/** Whether a text can be shown in its last form. Reads the signal. */
export const isShowable = (text: string | undefined): boolean => text === undefined || markdownParser.value !== null || !mayHaveMarkup(text);

const kept = new Map<string, Node[]>();
const keptMax = 500;

/** The tree of a text; null when it is plain, or must be shown so for now. Reads the signal. */
export function treeOf(text: string): Node[] | null {
  const parse = markdownParser.value;
  if (parse === null || parse === 'failed' || !mayHaveMarkup(text)) return null;
  let tree = kept.get(text);
  if (tree === undefined) {
    tree = parse(text);
    if (kept.size >= keptMax) kept.delete(kept.keys().next().value!);
    kept.set(text, tree);
  }
  return tree;
}
