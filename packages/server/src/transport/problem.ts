import { problems } from '@parlance/schema/errors';
import type { ProblemDetails } from '@parlance/schema/types';
import type { Refusal } from '../node/refusal.ts';

/** A refusal as problem details (RFC 9457), the one form in which every transport shows it. */
export function problemOf(refusal: Refusal, requestId: string, clientId?: string): ProblemDetails {
  const { status, title } = problems[refusal.code];
  const problem: ProblemDetails = {
    type: `/docs/errors/${refusal.code}`,
    title,
    status,
    detail: refusal.detail,
    code: refusal.code,
    request_id: requestId,
    decided: refusal.decided,
  };
  if (refusal.field !== undefined) problem.field = refusal.field;
  if (refusal.version !== undefined) problem.version = refusal.version;
  if (clientId !== undefined) problem.client_id = clientId;
  if (refusal.retryAfterS !== undefined) problem.retry_after = refusal.retryAfterS;
  return problem;
}
