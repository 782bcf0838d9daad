import { type Code, problems } from '@parlance/schema/errors';

/**
 * An expected no: a value that calls return instead of an answer. `decided` is true when it is the stored answer to its
 * client_id. Each transport turns it into bytes at one point.
 */
export class Refusal {
  readonly code: Code;
  readonly decided: boolean;
  /** Which field of the input is meant. */
  readonly field: string | undefined;
  /** Current version of the message, for `version_mismatch`. */
  readonly version: number | undefined;
  /** Seconds to wait before trying again. */
  readonly retryAfterS: number | undefined;
  /** What is special to this occurrence; otherwise the catalogue's help. */
  readonly detail: string;

  constructor(code: Code, more: { decided?: boolean; field?: string; version?: number; retryAfterS?: number; detail?: string } = {}) {
    this.code = code;
    this.decided = more.decided ?? false;
    this.field = more.field;
    this.version = more.version;
    this.retryAfterS = more.retryAfterS;
    this.detail = more.detail ?? problems[code].help;
  }
}
