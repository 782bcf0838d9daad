// Where the focus goes when what had it is gone, or when a key asks for another part of the window.

/** The parts of the window, in reading order. */
const regions = '[data-region]';

const composer = (): HTMLElement | null => document.querySelector<HTMLElement>('[data-composer]');

/** Puts the focus where one writes; where one cannot, to the conversation. */
export function focusComposer(): void {
  (composer() ?? document.querySelector<HTMLElement>('[data-region]'))?.focus();
}

/** The next part of the window, or the previous; the first when the focus is in none. */
export function focusRegion(step: 1 | -1): void {
  const all = [...document.querySelectorAll<HTMLElement>(regions)].filter((one) => one.checkVisibility() && one.offsetWidth > 1);
  if (all.length === 0) return;
  // One part may lie in another; the innermost counts.
  const at = all.findLastIndex((one) => one.contains(document.activeElement));
  const next = at === -1 ? all[0]! : all[(at + step + all.length) % all.length]!;
  focusFirst(next);
}

/** Into a part of the window: to what it names as its first, else to the first thing that takes the focus. */
export function focusFirst(region: HTMLElement): void {
  const wanted =
    region.querySelector<HTMLElement>('[data-first]') ??
    [...region.querySelectorAll<HTMLElement>('a[href], button:not(:disabled), input:not(:disabled), textarea:not(:disabled), [tabindex="0"]')].find((one) =>
      one.checkVisibility(),
    );
  if (wanted === undefined) region.tabIndex = -1;
  (wanted ?? region).focus();
}
