import { ParlanceError } from '@parlance/sdk';
import { LogError } from './irc/log.ts';

// How a command ends when it does not succeed. Exit codes: 0 it worked; 1 it was refused or failed, or a check found something; 2 it was
// called in a way it does not know. Whatever the reason, a person gets one sentence and what to do, never a stack.

export const exitRefused = 1;
export const exitWrongUsage = 2;

/** A command cannot go on. The message is a sentence, with what to do about it. */
export class Failure extends Error {
  readonly code: string;
  readonly exitCode: number;

  constructor(code: string, message: string, exitCode = exitRefused) {
    super(message);
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** The command was called in a way that makes no sense. */
export class WrongUsage extends Failure {
  constructor(message: string) {
    super('wrong_usage', message, exitWrongUsage);
  }
}

export interface Told {
  exitCode: number;
  sentence: string;
  /** For --json: the server's problem, or what there is of one. */
  json: { code: string; detail: string };
}

/** What to tell about anything that was thrown. `url` is the server that was spoken to. */
export function tell(error: unknown, url: string): Told {
  if (error instanceof ParlanceError) return tellProblem(error, url);
  const { code, message, path } = error as NodeJS.ErrnoException;
  const told = (toldCode: string, sentence: string, exitCode = exitRefused): Told => ({ exitCode, sentence, json: { code: toldCode, detail: sentence } });
  if (error instanceof Failure) return told(error.code, message, error.exitCode);
  if (error instanceof LogError) return told('not_a_log', message);
  const reason = code === undefined ? undefined : fileReasons[code];
  if (path !== undefined && reason !== undefined) return told('file', `${path} ${reason}`);
  return told('fault', `Something broke in the command line itself: ${message}. NODE_DEBUG=parlance shows where.`);
}

const fileReasons: Record<string, string> = {
  ENOENT: 'does not exist: check the name.',
  EACCES: 'may not be opened: check whose it is and its permissions.',
  EPERM: 'may not be opened: check whose it is and its permissions.',
  EISDIR: 'is a folder, and a file is needed.',
  EEXIST: 'exists already.',
  ENOSPC: 'cannot be written, for the disk is full.',
};

function tellProblem({ problem }: ParlanceError, url: string): Told {
  const { title, detail, code, status } = problem;
  const advice: Record<string, string> = {
    no_answer: `No answer from ${url}. Is the server running? Start it with \`parlance serve\`, or say where it is with --url.`,
    bad_answer: `What answers at ${url} is not Parlance (HTTP status ${status}). Say where the server is with --url.`,
    not_signed_in: 'The session is not known to the server, or has ended. Log in again: parlance login USER',
  };
  const sentence = advice[code] ?? (detail === '' || detail === title ? title : `${title} ${detail}`);
  return { exitCode: exitRefused, sentence, json: { ...problem, detail: advice[code] ?? detail } };
}
