// Long work, told without getting in the way: on a terminal a bar that is drawn over itself, elsewhere a line now and then.

interface Output {
  write(text: string): boolean;
  isTTY?: boolean;
  columns?: number;
}

const drawEveryMs = 100;
const lineEveryMs = 10_000;
const barWidth = 24;

export class Progress {
  readonly #output: Output | undefined;
  readonly #unit: string;
  readonly #now: () => number;
  readonly #everyMs: number;
  #toldAt: number;
  #isDrawn = false;

  /** Without an output nothing is told. `unit` is a noun in the plural. */
  constructor(output: Output | undefined, unit: string, now: () => number) {
    this.#output = output;
    this.#unit = unit;
    this.#now = now;
    this.#everyMs = output?.isTTY ? drawEveryMs : lineEveryMs;
    this.#toldAt = now();
  }

  /** So much is done, of `total` where that is known. */
  update(done: number, total?: number): void {
    if (this.#output === undefined || this.#now() - this.#toldAt < this.#everyMs) return;
    this.#toldAt = this.#now();
    const counts = `${count(done)}${total === undefined ? '' : ` of ${count(total)}`} ${this.#unit}`;
    if (!this.#output.isTTY) {
      this.#output.write(`${counts}\n`);
      return;
    }
    const line = total === undefined ? counts : `${bar(done / Math.max(total, 1))} ${counts}`;
    this.#output.write(`\r${line.slice(0, (this.#output.columns ?? 80) - 1)}\u001b[K`);
    this.#isDrawn = true;
  }

  /** Takes the bar away, so that the next line begins at the margin. */
  end(): void {
    if (this.#isDrawn) this.#output?.write('\r\u001b[K');
    this.#isDrawn = false;
  }
}

function bar(share: number): string {
  const full = Math.round(Math.min(share, 1) * barWidth);
  return `[${'#'.repeat(full)}${' '.repeat(barWidth - full)}] ${String(Math.floor(Math.min(share, 1) * 100)).padStart(3)} %`;
}

/** A number for people: 12,345. */
export const count = (value: number): string => value.toLocaleString('en-US');
