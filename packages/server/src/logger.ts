import type { Writable } from 'node:stream';
import { type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from './config.ts';

// Structured logs: ids, positions and durations. Never a message body, a token, a password or an address, and never a line per message. `info`: an
// operator would want to know; `warn`: it healed itself; `error`: someone must look.

export type { Logger };

// The rule is kept where lines are written; this catches what slips through, such as a whole request or command put into a line.
const forbidden = ['token', 'password', 'passwordHash', 'current_password', 'new_password', 'text', 'email', 'address', 'authorization', 'cookie', 'link'];

/** The logger of the process; each part takes a `child({ part })` of it. */
export function createLogger(config: Pick<Config, 'logLevel' | 'logJson'>, destination: Writable = process.stdout): Logger {
  return pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: forbidden.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '(kept out)' },
    },
    config.logJson ? destination : { write: (line: string) => destination.write(forPeople(line)) },
  );
}

interface Line extends Record<string, unknown> {
  level: string;
  time: string;
  msg?: string;
  part?: string;
  err?: { message?: string; stack?: string };
}

/** One line of JSON as one for the eye: `12:00:01 info  http: listening url=…`. */
function forPeople(json: string): string {
  const { level, time, msg = '', part, err, ...more } = JSON.parse(json) as Line;
  const fields = Object.entries(more).map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const stack = err === undefined ? '' : `\n${err.stack ?? err.message ?? ''}`;
  return `${time.slice(11, 19)} ${level.padEnd(5)} ${part === undefined ? '' : `${part}: `}${msg}${fields.join('')}${stack}\n`;
}
