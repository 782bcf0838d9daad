import { debuglog } from 'node:util';
import type { Rest } from '@parlance/sdk';
import { Failure, tell } from './failure.ts';
import { jsonLine, plainLine } from './plain-text.ts';
import { Progress } from './progress.ts';
import { savedLogIn } from './saved-log-in.ts';
import { restOf, serverUrl } from './server.ts';

// What every command has at hand: where the answer goes, where the server is, who is asking. The answer of a command goes to stdout, all else
// to stderr. People get lines; with --json a program gets JSON, one value a line, and errors as {"error": {"code", "detail", …}} on stderr.

interface Output {
  write(text: string, done?: (error?: Error | null) => void): boolean;
  isTTY?: boolean;
  columns?: number;
}

/** What the process has of the world, so that tests can hand in their own. */
export interface World {
  environment: Readonly<Record<string, string | undefined>>;
  stdin: NodeJS.ReadStream;
  stdout: Output;
  stderr: Output;
  now(): number;
}

/** The options that every command takes. */
export interface GlobalOptions {
  url?: string;
  token?: string;
  json?: boolean;
}

export class Shell {
  readonly world: World;
  readonly isJson: boolean;
  readonly #options: GlobalOptions;

  constructor(world: World, options: GlobalOptions) {
    this.world = world;
    this.#options = options;
    this.isJson = options.json === true;
  }

  /** Whether somebody said where the server is. */
  get isUrlGiven(): boolean {
    return (this.#options.url ?? this.world.environment.PARLANCE_URL ?? '') !== '';
  }

  /** Where the server is, without a trailing slash. Throws WrongUsage for what is no address. */
  get url(): string {
    return serverUrl(this.#options.url ?? this.world.environment.PARLANCE_URL);
  }

  /** The session token: given, from the environment, or of the saved log-in. Throws Failure when there is none. */
  get token(): string {
    const token = this.#options.token ?? this.world.environment.PARLANCE_TOKEN ?? savedLogIn(this.world.environment, this.url)?.token;
    if (token !== undefined) return token;
    throw new Failure('not_signed_in', `You are not logged in to ${this.url}. Do that with \`parlance login USER\`, or set PARLANCE_TOKEN.`);
  }

  /** Whether a token is the one that `parlance login` saved for this server. */
  isSaved(token: string): boolean {
    return savedLogIn(this.world.environment, this.url)?.token === token;
  }

  /** The server's calls as the one who is logged in. */
  rest(): Rest {
    return restOf(this.url, this.token);
  }

  /** The server's calls as nobody: for making an account and for logging in. */
  publicRest(): Rest {
    return restOf(this.url, null);
  }

  /** The answer of the command: lines for people, or the value as one line of JSON. */
  answer(value: unknown, ...lines: string[]): void {
    if (this.isJson) this.world.stdout.write(`${jsonLine(value)}\n`);
    else for (const line of lines) this.say(line);
  }

  /** One line for people on stdout. */
  say(line: string): void {
    this.world.stdout.write(`${plainLine(line)}\n`);
  }

  /** One line for people beside the answer. Nothing with --json. */
  note(line: string): void {
    if (!this.isJson) this.world.stderr.write(`${plainLine(line)}\n`);
  }

  /** Writes to stdout and resolves when more may come, so that a slow reader is waited for and not buffered for. */
  write(text: string): Promise<void> {
    return new Promise((resolve, reject) => this.world.stdout.write(text, (error) => (error ? reject(error) : resolve())));
  }

  /** Tells of long work on stderr: a bar on a terminal, a line now and then elsewhere. Nothing with --json. */
  progress(unit: string): Progress {
    return new Progress(this.isJson ? undefined : this.world.stderr, unit, this.world.now);
  }

  /** Tells what went wrong, and returns the exit code. */
  fail(error: unknown): number {
    debuglog('parlance')('%o', error);
    const url = ((): string => {
      try {
        return this.url;
      } catch {
        return 'the server';
      }
    })();
    const { exitCode, sentence, json } = tell(error, url);
    this.world.stderr.write(this.isJson ? `${jsonLine({ error: json })}\n` : `${plainLine(sentence)}\n`);
    return exitCode;
  }
}
