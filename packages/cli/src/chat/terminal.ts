import { createInterface, type Interface } from 'node:readline';
import { jsonLine, plainLine } from '../plain-text.ts';
import type { Shell } from '../shell.ts';

// Where a chat is written and read: lines come and go at the same time, so on a terminal what is being typed is put below what arrives.

const promptText = '> ';

export class ChatTerminal {
  readonly isInteractive: boolean;
  readonly #shell: Shell;
  #lines: Interface | undefined;
  #isClosed = false;

  constructor(shell: Shell) {
    const { stdin, stdout } = shell.world;
    this.#shell = shell;
    this.isInteractive = stdin.isTTY === true && stdout.isTTY === true && !shell.isJson;
  }

  /** The lines typed or piped, until the end of input or `close`. Input is not touched before: a line that came with nobody iterating would be lost. */
  async *lines(): AsyncGenerator<string> {
    if (this.#isClosed) return;
    const { stdin, stdout } = this.#shell.world;
    // Without a terminal the interface only cuts what comes in into lines and writes nothing.
    const output = this.isInteractive ? { output: stdout as NodeJS.WriteStream, prompt: promptText, historySize: 100 } : {};
    this.#lines = createInterface({ input: stdin, crlfDelay: Number.POSITIVE_INFINITY, ...output });
    if (this.isInteractive) {
      this.#lines.on('SIGINT', () => this.close());
      this.#lines.prompt();
    }
    yield* this.#lines;
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
    this.#isClosed = true;
    this.#lines?.close();
  }

  get #isTyping(): boolean {
    return this.isInteractive && this.#lines !== undefined && !this.#isClosed;
  }

  #above(write: () => void): void {
    if (this.#isTyping) this.#shell.world.stdout.write('\r\u001b[K');
    write();
    if (this.#isTyping) this.#lines?.prompt(true);
  }
}
