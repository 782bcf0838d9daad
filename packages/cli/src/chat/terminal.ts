import { createInterface, type Interface } from 'node:readline';
import { jsonLine, plainLine } from '../plain-text.ts';
import type { Shell } from '../shell.ts';

// Where a chat is written and read: lines come and go at the same time, so on a terminal what is being typed is put below what arrives.

const promptText = '> ';

export class ChatTerminal {
  readonly isInteractive: boolean;
  readonly #shell: Shell;
  readonly #lines: Interface;

  constructor(shell: Shell) {
    const { stdin, stdout } = shell.world;
    this.#shell = shell;
    this.isInteractive = stdin.isTTY === true && stdout.isTTY === true && !shell.isJson;
    // Without a terminal the interface only cuts what comes in into lines and writes nothing.
    this.#lines = createInterface({
      input: stdin,
      crlfDelay: Number.POSITIVE_INFINITY,
      ...(this.isInteractive && { output: process.stdout, prompt: promptText, historySize: 100 }),
    });
    if (this.isInteractive) this.#lines.on('SIGINT', () => this.#lines.close());
  }

  /** The lines typed or piped, until the end of input or `close`. */
  [Symbol.asyncIterator](): AsyncIterator<string> {
    if (this.isInteractive) this.#lines.prompt();
    return this.#lines[Symbol.asyncIterator]();
  }

  /** Shows lines for people; programs get the value. */
  show(lines: readonly string[], value: object): void {
    this.#above(() => {
      const { stdout } = this.#shell.world;
      if (this.#shell.isJson) stdout.write(`${jsonLine(value)}\n`);
      else for (const line of lines) stdout.write(`${plainLine(line)}\n`);
    });
  }

  /** Says something about the chat itself, on stderr. */
  note(line: string, value: object): void {
    this.#above(() => {
      const { stderr } = this.#shell.world;
      stderr.write(this.#shell.isJson ? `${jsonLine(value)}\n` : `-- ${plainLine(line)}\n`);
    });
  }

  close(): void {
    this.#lines.close();
  }

  #above(write: () => void): void {
    if (this.isInteractive) this.#shell.world.stdout.write('\r\u001b[K');
    write();
    if (this.isInteractive) this.#lines.prompt(true);
  }
}
