// Why a live socket is closed. The hundred says what to do: 40xx reconnect, 41xx log in again, 42xx stop and mend the client.

/** The node is going away (drain, restart). Reconnect now, to any node. */
export const goingAway = 4000;
/** The client read too slowly and its queue was full. Reconnect and resume: nothing is lost. */
export const slowReader = 4001;
/** The node cannot vouch for the session or the order just now (it is cut off). Reconnect, to any node. */
export const cannotVouch = 4002;
/** No frame and no pong for too long. Reconnect. */
export const idle = 4003;

/** The session has ended: logged out, password changed, ended from elsewhere, or too old. Log in again. */
export const sessionEnded = 4100;
/** No hello in time, or one without a valid token. Log in again. */
export const notSignedIn = 4101;

/** A frame was not understood: bad JSON, an unknown type, a missing or wrong field. The reason names it. */
export const badFrame = 4200;
/** A frame came where the protocol does not allow it (before hello, hello twice). */
export const outOfTurn = 4201;
/** More sockets than one person may have open. */
export const tooManySockets = 4202;

export type Advice = 'reconnect' | 'log_in' | 'stop';

/**
 * What a client does about a close code: the hundreds above; of the standard codes (RFC 6455) 1007-1010 (bad
 * data, policy, too big, extension) mean stop, everything else, also 1006 for a broken connection, reconnect.
 */
export function adviceOf(code: number): Advice {
  if (code >= 4100 && code < 4200) return 'log_in';
  if (code >= 4200 && code < 4300) return 'stop';
  if (code >= 1007 && code <= 1010) return 'stop';
  return 'reconnect';
}
