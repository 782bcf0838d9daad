import type { CallFrame } from '@parlance/schema/live';
import type { ProblemDetails } from '@parlance/schema/types';
import { localProblem } from './problem.ts';

// The writes that wait for their decision, as a pure step function over plain JSON, so that it can be kept across restarts and run in the
// simulation. One queue per conversation; only the first of a queue is ever on its way, under the one client_id it keeps for ever, until it
// is decided or given up. So a sender's order is kept, and repeating is safe: the server decides a client_id once.
//
//   queued ─send─▶ in flight ─ack, own event─▶ reported: accepted
//      ▲              │ ├─ decided refusal, or one that no retry can mend ─▶ reported: failed
//      └── back-off ──┘ └─ undecided, no answer in time, connection lost: back to queued, at most attemptsMax times

export interface Write {
  readonly clientId: string;
  /** What it is ordered with: the stable id of its conversation. */
  readonly queue: string;
  readonly frame: CallFrame;
  /** Times it was sent. */
  readonly attempts: number;
  /** When it was sent and still waits for its answer, ms; null when it is not on its way. */
  readonly sentAt: number | null;
  /** Not sent before, ms. */
  readonly dueAt: number;
  /** An earlier attempt may have been decided without our hearing of it. */
  readonly isUncertain: boolean;
}

export interface State {
  readonly isOnline: boolean;
  /** Never an empty queue. */
  readonly queues: Readonly<Record<string, readonly Write[]>>;
}

export type Event =
  | { type: 'add'; clientId: string; queue: string; frame: CallFrame; now: number }
  | { type: 'online'; now: number }
  | { type: 'offline' }
  /** An ack, or the push of one's own event: the answer to this client_id. */
  | { type: 'accepted'; clientId: string; answer: unknown; now: number }
  | { type: 'refused'; clientId: string; problem: ProblemDetails; now: number; random: number }
  | { type: 'tick'; now: number; random: number }
  /** Give all up: no connection will come. */
  | { type: 'abandon'; problem: ProblemDetails };

export type Outcome =
  | { type: 'accepted'; answer: unknown }
  /** `isUncertain`: the problem is not the decision, and an attempt may yet have taken effect. Retrying with the same client_id finds out. */
  | { type: 'failed'; problem: ProblemDetails; isUncertain: boolean };

export type Effect = { type: 'send'; frame: CallFrame } | { type: 'report'; write: Write; outcome: Outcome };

export interface Step {
  state: State;
  effects: Effect[];
}

export interface Options {
  /** No answer for so long: the attempt counts as undecided. */
  answerTimeoutMs: number;
  /** The n-th retry waits between half and all of base · 2ⁿ, at most max; or as long as the server asks. */
  retryBaseMs: number;
  retryMaxMs: number;
  /** After so many undecided attempts the write is reported failed. */
  attemptsMax: number;
}

export const defaults: Options = { answerTimeoutMs: 15_000, retryBaseMs: 250, retryMaxMs: 10_000, attemptsMax: 30 };

export const initial: State = { isOnline: false, queues: {} };

/** The state as it is to be kept across a restart: nothing on its way, whatever was is uncertain. Plain JSON. */
export const snapshot = (state: State): State => offline(state).state;

/** How many writes wait. */
export const sizeOf = (state: State): number => Object.values(state.queues).reduce((sum, queue) => sum + queue.length, 0);

/** The write on its way, or sent before and waiting for its next attempt, with this client_id. Only firsts of a queue are ever sent. */
export const find = (state: State, clientId: string): Write | undefined =>
  Object.values(state.queues).find(([first]) => first!.clientId === clientId && first!.attempts > 0)?.[0];

/** When a tick is due, ms; null when nothing is waited for. */
export function deadlineOf(state: State, options: Options = defaults): number | null {
  if (!state.isOnline) return null;
  let earliest: number | null = null;
  for (const [first] of Object.values(state.queues)) {
    const at = first!.sentAt === null ? first!.dueAt : first!.sentAt + options.answerTimeoutMs;
    if (earliest === null || at < earliest) earliest = at;
  }
  return earliest;
}

export function step(state: State, event: Event, options: Options = defaults): Step {
  switch (event.type) {
    case 'add': {
      const { clientId, queue, frame, now } = event;
      if (Object.values(state.queues).some((writes) => writes.some((write) => write.clientId === clientId))) {
        throw new Error(`the client_id ${clientId} is already waiting`);
      }
      const write: Write = { clientId, queue, frame, attempts: 0, sentAt: null, dueAt: now, isUncertain: false };
      return sendDue(withQueue(state, queue, [...(state.queues[queue] ?? []), write]), [queue], now);
    }
    case 'online': {
      const { queues } = offline(state).state;
      // Whatever the back-off said, it was about another connection.
      const due = Object.fromEntries(Object.entries(queues).map(([id, writes]) => [id, withFirst(writes, { dueAt: event.now })]));
      return sendDue({ isOnline: true, queues: due }, Object.keys(due), event.now);
    }
    case 'offline':
      return offline(state);
    case 'accepted': {
      const first = find(state, event.clientId);
      return first === undefined ? { state, effects: [] } : report(state, first, { type: 'accepted', answer: event.answer }, event.now);
    }
    case 'refused': {
      const first = find(state, event.clientId);
      if (first === undefined) return { state, effects: [] };
      const { problem } = event;
      // Only what says "outcome unknown" can have been decided behind our back; the others were turned away before.
      const isUncertain = !problem.decided && (first.isUncertain || problem.code === 'unavailable' || problem.code === 'internal');
      if (!canRetry(problem)) return report(state, first, { type: 'failed', problem, isUncertain }, event.now);
      return retryLater(state, first, isUncertain, problem, event, options);
    }
    case 'tick': {
      if (!state.isOnline) return { state, effects: [] };
      const effects: Effect[] = [];
      let next = state;
      for (const [first] of Object.values(state.queues)) {
        if (first!.sentAt === null || first!.sentAt + options.answerTimeoutMs > event.now) continue;
        const timedOut = retryLater(next, first!, true, noAnswer, event, options);
        next = timedOut.state;
        effects.push(...timedOut.effects);
      }
      const sent = sendDue(next, Object.keys(next.queues), event.now);
      return { state: sent.state, effects: [...effects, ...sent.effects] };
    }
    case 'abandon': {
      const { problem } = event;
      const writes = Object.values(offline(state).state.queues).flat();
      return {
        state: { ...state, isOnline: false, queues: {} },
        effects: writes.map((write) => ({ type: 'report', write, outcome: { type: 'failed', problem, isUncertain: write.isUncertain } })),
      };
    }
  }
}

const noAnswer = localProblem('no_answer', 'The server did not answer in time.', 'The outcome is unknown. Repeat with the same client_id.');

// An undecided refusal says nothing was stored. Whether the same frame can fare better later is told by the status: 4xx means mend it
// first, but for the ones that are about the moment. 401 is: the socket is closed next, and signing in again mends it.
const momentary: readonly number[] = [401, 408, 424, 425, 429];
const canRetry = ({ decided, status }: ProblemDetails): boolean => !decided && (status >= 500 || momentary.includes(status));

function offline(state: State): Step {
  const queues = Object.fromEntries(
    Object.entries(state.queues).map(([id, writes]) => [id, writes[0]!.sentAt === null ? writes : withFirst(writes, { sentAt: null, isUncertain: true })]),
  );
  return { state: { isOnline: false, queues }, effects: [] };
}

function retryLater(
  state: State,
  write: Write,
  isUncertain: boolean,
  problem: ProblemDetails,
  { now, random }: { now: number; random: number },
  options: Options,
): Step {
  if (write.attempts >= options.attemptsMax) return report(state, write, { type: 'failed', problem, isUncertain }, now);
  const ceilingMs = Math.min(options.retryMaxMs, options.retryBaseMs * 2 ** (write.attempts - 1));
  const delayMs = Math.max(ceilingMs * (0.5 + random / 2), (problem.retry_after ?? 0) * 1000);
  return { state: withQueue(state, write.queue, withFirst(state.queues[write.queue]!, { sentAt: null, dueAt: now + delayMs, isUncertain })), effects: [] };
}

/** Reports the first of a queue, once and for all, and sends the next. */
function report(state: State, write: Write, outcome: Outcome, now: number): Step {
  const sent = sendDue(withQueue(state, write.queue, state.queues[write.queue]!.slice(1)), [write.queue], now);
  return { state: sent.state, effects: [{ type: 'report', write, outcome }, ...sent.effects] };
}

function sendDue(state: State, queueIds: string[], now: number): Step {
  const effects: Effect[] = [];
  if (!state.isOnline) return { state, effects };
  const queues: Record<string, readonly Write[]> = { ...state.queues };
  for (const id of queueIds) {
    const first = queues[id]?.[0];
    if (first === undefined || first.sentAt !== null || first.dueAt > now) continue;
    queues[id] = withFirst(queues[id]!, { sentAt: now, attempts: first.attempts + 1 });
    effects.push({ type: 'send', frame: first.frame });
  }
  return effects.length === 0 ? { state, effects } : { state: { ...state, queues }, effects };
}

const withFirst = (writes: readonly Write[], change: Partial<Write>): readonly Write[] => [{ ...writes[0]!, ...change }, ...writes.slice(1)];

function withQueue(state: State, id: string, writes: readonly Write[]): State {
  const { [id]: _, ...others } = state.queues;
  return { ...state, queues: writes.length === 0 ? others : { ...others, [id]: writes } };
}
