import type { Code } from '@parlance/schema/errors';
import type { ProblemDetails } from '@parlance/schema/types';

/** What the SDK reports on its own: no answer came, the client was closed or signed out, too many writes wait, an answer made no
 * sense, or a field is wrong and was not sent. */
export type LocalCode = 'no_answer' | 'closed' | 'signed_out' | 'outbox_full' | 'bad_answer' | 'invalid_request';

/** A refusal or failure of a call. */
export class ParlanceError extends Error {
  override readonly name = 'ParlanceError';
  /** From the server's catalogue, or a LocalCode. */
  readonly code: Code | LocalCode | (string & {});
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly problem: ProblemDetails;
  /** The refusal is the stored answer to this client_id. Otherwise nothing was stored by this attempt. */
  readonly decided: boolean;
  /** An attempt may have taken effect without our hearing of it: repeat with the same client_id to find out. */
  readonly isUncertain: boolean;

  constructor(problem: ProblemDetails, more: { isUncertain?: boolean; cause?: unknown } = {}) {
    super(`${problem.title} ${problem.detail}`, { cause: more.cause });
    this.code = problem.code;
    this.status = problem.status;
    this.problem = problem;
    this.decided = problem.decided;
    this.isUncertain = more.isUncertain ?? false;
  }
}

/** What the SDK itself reports, in the shape of the server's problems. */
export const localProblem = (code: LocalCode, title: string, detail: string): ProblemDetails => ({
  type: 'about:blank',
  title,
  status: 0,
  detail,
  code,
  request_id: '',
  decided: false,
});
