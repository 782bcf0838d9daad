import type { Answer, CallName, calls, Input, WriteName } from '@parlance/schema/calls';
import type { Config } from '../config.ts';
import type { Logger } from '../logger.ts';
import type { Node } from '../node/node.ts';
import type { Passwords } from '../node/passwords.ts';
import type { Refusal } from '../node/refusal.ts';
import type { Caller, Sessions } from '../node/sessions.ts';
import type { Vitals } from '../node/vitals.ts';
import type { Writes } from '../node/writes.ts';
import type { Limits } from './limits.ts';
import type { Metrics } from './metrics.ts';
import type { Seen } from './seen.ts';

/** What a server's calls are made with: one of each for the whole process. `createServices` puts them together. */
export interface Services {
  node: Node;
  passwords: Passwords;
  sessions: Sessions;
  writes: Writes;
  limits: Limits;
  seen: Seen;
  metrics: Metrics;
  vitals: Vitals;
  config: Config;
  logger: Logger;
}

/** What one call is made with, whatever transport it came over. */
export interface CallContext extends Services {
  /** Who calls; undefined when nobody is signed in. */
  caller: Caller | undefined;
  address: string;
  userAgent: string;
  requestId: string;
  /** Tells how far a long call is; only calls that stream use it. */
  progress?: (rows: number) => void;
}

/** The context of a call that needs a session. */
export interface SignedIn extends CallContext {
  caller: Caller;
}

/** What a handler gets: the validated input; a write has its client_id, which the transport made if the client gave none. */
export type HandlerInput<N extends CallName> = N extends WriteName ? Input<N> & { client_id: string } : Input<N>;

export type ContextOf<N extends CallName> = (typeof calls)[N]['access'] extends 'public' ? CallContext : SignedIn;

/** One call. What a user can cause is answered as a Refusal; what is broken is thrown. */
export type Handler<N extends CallName> = (context: ContextOf<N>, input: HandlerInput<N>) => Promise<Answer<N> | Refusal>;
