import { registerHooks } from 'node:module';

/** A replacement of source text. */
export interface Change {
  /** End of the path of the file it is in. */
  file: string;
  /** Must be there exactly once; how it is broken into lines does not matter. */
  find: string;
  replace: string;
}

/** From now on the modules that these changes are in are loaded with them. Text that is no longer there, or there twice, ends the process: mend the plant. */
export function plantWhileLoading(changes: readonly Change[]): void {
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const mine = changes.filter(({ file }) => url.endsWith(`/${file}`));
      if (mine.length === 0) return loaded;
      return { ...loaded, source: mine.reduce(planted, String(loaded.source)) };
    },
  });
}

/** The source with one change made. Throws when its text is not there exactly once. */
export function planted(source: string, { file, find, replace }: Change): string {
  const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const found = new RegExp(find.split(/\s+/).map(escaped).join('\\s+'), 'g');
  const times = [...source.matchAll(found)].length;
  if (times !== 1) throw new Error(`A plant finds its text ${times} times in ${file}, not once: ${find}`);
  return source.replace(found, () => replace);
}
