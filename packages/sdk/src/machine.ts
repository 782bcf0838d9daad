import { adviceOf } from '@parlance/schema/close-codes';

// The connection as a pure state machine: no socket, clock or chance in it. Whoever drives it (client.ts, the simulation) hands in what
// happened, with the time and one random number, and carries out the effects that come back. SPEC.md numbers what always holds.
//
//   idle ─start─▶ connecting ─opened─▶ greeting ─welcome─▶ catching_up ─caught_up─▶ live
//                   ▲   │                 │                    │                     │
//                   │   └──── closed, or silent for too long: what the close code advises ────▶ signed_out | stopped
//                   │                            │ reconnect
//                   └──── tick, wake, start ── waiting                 sign_out, stop: from anywhere; start: back again
//
// The table at the end has a cell for every state and event; the compiler refuses one with a hole.

export const stateNames = ['idle', 'connecting', 'greeting', 'catching_up', 'live', 'waiting', 'signed_out', 'stopped'] as const;
export type StateName = (typeof stateNames)[number];

export interface State {
  readonly name: StateName;
  /** Number of the newest socket, 0 before the first. What any other socket reports is stale. */
  readonly socket: number;
  /** Connections lost in a row without having been live for `stableAfterMs`; sets the back-off. */
  readonly failures: number;
  /** When a tick is wanted, ms; null when nothing is waited for. A tick that comes sooner does nothing. */
  readonly deadline: number | null;
  /** When the server was last heard on this socket, ms. */
  readonly heardAt: number;
  /** A ping is out and nothing was heard since. */
  readonly isPinged: boolean;
  /** When this socket became live, ms; null while it is not. */
  readonly liveAt: number | null;
  /** Close code that ended in `signed_out` or `stopped`; 0 otherwise, or when the application asked for it. */
  readonly code: number;
}

type Happened =
  /** Connect: at first, at once while waiting, or again after `signed_out` or `stopped`. */
  | { type: 'start' }
  | { type: 'opened'; socket: number }
  | { type: 'welcome'; socket: number }
  | { type: 'caught_up'; socket: number }
  /** Any other frame came: the server is alive. */
  | { type: 'heard'; socket: number }
  | { type: 'closed'; socket: number; code: number }
  /** The deadline has come. */
  | { type: 'tick' }
  /** The network is back or the device woke up: find out now instead of at the deadline. */
  | { type: 'wake' }
  | { type: 'sign_out' }
  | { type: 'stop' };

/** What happened, when (ms, never going back), and one random number in [0, 1). */
export type Event = Happened & { now: number; random: number };
export type EventName = Happened['type'];

export type Effect =
  | { type: 'open'; socket: number }
  | { type: 'hello'; socket: number }
  | { type: 'ping'; socket: number }
  | { type: 'close'; socket: number }
  /** Live from now on: writes may be sent. */
  | { type: 'up' }
  /** The socket is gone: what it had not answered is undecided. */
  | { type: 'down' };

export interface Step {
  state: State;
  effects: Effect[];
}

/** All in ms. */
export interface Options {
  /** From opening to open, and from hello to welcome. */
  connectTimeoutMs: number;
  /** Silence after which the client pings. */
  pingAfterMs: number;
  /** Silence after a ping after which the connection counts as lost. */
  pongTimeoutMs: number;
  /** The n-th reconnect in a row waits between half and all of base · 2ⁿ, at most max. */
  reconnectBaseMs: number;
  reconnectMaxMs: number;
  /** Live for so long, a lost connection starts the back-off anew. */
  stableAfterMs: number;
}

export const defaults: Options = {
  connectTimeoutMs: 10_000,
  pingAfterMs: 20_000,
  pongTimeoutMs: 10_000,
  reconnectBaseMs: 500,
  reconnectMaxMs: 30_000,
  stableAfterMs: 10_000,
};

export const initial: State = { name: 'idle', socket: 0, failures: 0, deadline: null, heardAt: 0, isPinged: false, liveAt: null, code: 0 };

/** One step. What a socket reports that is not the newest changes nothing. */
export function step(state: State, event: Event, options: Options = defaults): Step {
  if ('socket' in event && event.socket !== state.socket) return { state, effects: [] };
  const cell = table[state.name][event.type] as Cell<EventName>;
  return cell(state, event, options);
}

type Cell<E extends EventName> = (state: State, event: Event & { type: E }, options: Options) => Step;

const ignore: Cell<EventName> = (state) => ({ state, effects: [] });

const connect: Cell<EventName> = (state, { now }, options) => {
  const socket = state.socket + 1;
  return {
    state: { ...initial, name: 'connecting', socket, failures: state.failures, deadline: now + options.connectTimeoutMs, heardAt: now },
    effects: [{ type: 'open', socket }],
  };
};

const greet: Cell<'opened'> = (state, { now }, options) => ({
  state: { ...state, name: 'greeting', deadline: now + options.connectTimeoutMs, heardAt: now },
  effects: [{ type: 'hello', socket: state.socket }],
});

const catchUp: Cell<'welcome'> = (state, { now }, options) => ({
  state: { ...state, name: 'catching_up', deadline: now + options.pingAfterMs, heardAt: now },
  effects: [],
});

const goLive: Cell<'caught_up'> = (state, { now }) => ({
  state: { ...state, name: 'live', heardAt: now, isPinged: false, liveAt: now },
  effects: [{ type: 'up' }],
});

// The deadline stays: the tick finds out that something was heard since and moves on. So a frame costs no timer.
const hear: Cell<EventName> = (state, { now }) => ({ state: { ...state, heardAt: now, isPinged: false }, effects: [] });

/** The server broke its own protocol on this socket: leave it, and try another. */
const abandon: Cell<EventName> = (state, event, options) => {
  const { state: lost, effects } = lose(state, event, options, 1006);
  return { state: lost, effects: [{ type: 'close', socket: state.socket }, ...effects] };
};

const closed: Cell<'closed'> = (state, event, options) => lose(state, event, options, event.code);

const abandonIfDue: Cell<'tick'> = (state, event, options) => (isDue(state, event.now) ? abandon(state, event, options) : { state, effects: [] });

const connectIfDue: Cell<'tick'> = (state, event, options) => (isDue(state, event.now) ? connect(state, event, options) : { state, effects: [] });

const watch: Cell<'tick'> = (state, event, options) => {
  if (!isDue(state, event.now)) return { state, effects: [] };
  if (state.isPinged) return abandon(state, event, options);
  const pingAt = state.heardAt + options.pingAfterMs;
  return pingAt > event.now ? { state: { ...state, deadline: pingAt }, effects: [] } : ping(state, event, options);
};

const ping: Cell<EventName> = (state, { now }, options) =>
  state.isPinged
    ? { state, effects: [] }
    : { state: { ...state, isPinged: true, deadline: now + options.pongTimeoutMs }, effects: [{ type: 'ping', socket: state.socket }] };

const rest =
  (name: 'signed_out' | 'stopped'): Cell<EventName> =>
  (state) => ({ state: { ...initial, name, socket: state.socket }, effects: [] });

const leave =
  (name: 'signed_out' | 'stopped'): Cell<EventName> =>
  (state) => ({ state: { ...initial, name, socket: state.socket }, effects: [{ type: 'close', socket: state.socket }, { type: 'down' }] });

const isDue = (state: State, now: number): boolean => state.deadline !== null && now >= state.deadline;

function lose(state: State, { now, random }: Event, options: Options, code: number): Step {
  const effects: Effect[] = [{ type: 'down' }];
  const advice = adviceOf(code);
  if (advice !== 'reconnect') return { state: { ...initial, name: advice === 'log_in' ? 'signed_out' : 'stopped', socket: state.socket, code }, effects };
  const wasStable = state.liveAt !== null && now - state.liveAt >= options.stableAfterMs;
  const failures = wasStable ? 0 : state.failures;
  const ceilingMs = Math.min(options.reconnectMaxMs, options.reconnectBaseMs * 2 ** failures);
  const deadline = now + ceilingMs * (0.5 + random / 2);
  return { state: { ...initial, name: 'waiting', socket: state.socket, failures: failures + 1, deadline }, effects };
}

/** What each state does about each event: total, and checked by the compiler to be so. */
export const table: { readonly [S in StateName]: { readonly [E in EventName]: Cell<E> } } = {
  idle: {
    start: connect,
    opened: ignore,
    welcome: ignore,
    caught_up: ignore,
    heard: ignore,
    closed: ignore,
    tick: ignore,
    wake: ignore,
    sign_out: rest('signed_out'),
    stop: rest('stopped'),
  },
  connecting: {
    start: ignore,
    opened: greet,
    welcome: abandon,
    caught_up: abandon,
    heard: abandon,
    closed,
    tick: abandonIfDue,
    wake: ignore,
    sign_out: leave('signed_out'),
    stop: leave('stopped'),
  },
  greeting: {
    start: ignore,
    opened: ignore,
    welcome: catchUp,
    caught_up: abandon,
    heard: hear,
    closed,
    tick: abandonIfDue,
    wake: ignore,
    sign_out: leave('signed_out'),
    stop: leave('stopped'),
  },
  catching_up: {
    start: ignore,
    opened: ignore,
    welcome: abandon,
    caught_up: goLive,
    heard: hear,
    closed,
    tick: watch,
    wake: ping,
    sign_out: leave('signed_out'),
    stop: leave('stopped'),
  },
  live: {
    start: ignore,
    opened: ignore,
    welcome: abandon,
    caught_up: hear,
    heard: hear,
    closed,
    tick: watch,
    wake: ping,
    sign_out: leave('signed_out'),
    stop: leave('stopped'),
  },
  waiting: {
    start: connect,
    opened: ignore,
    welcome: ignore,
    caught_up: ignore,
    heard: ignore,
    closed: ignore,
    tick: connectIfDue,
    wake: connect,
    sign_out: rest('signed_out'),
    stop: rest('stopped'),
  },
  signed_out: {
    start: connect,
    opened: ignore,
    welcome: ignore,
    caught_up: ignore,
    heard: ignore,
    closed: ignore,
    tick: ignore,
    wake: ignore,
    sign_out: ignore,
    stop: rest('stopped'),
  },
  stopped: {
    start: connect,
    opened: ignore,
    welcome: ignore,
    caught_up: ignore,
    heard: ignore,
    closed: ignore,
    tick: ignore,
    wake: ignore,
    sign_out: ignore,
    stop: ignore,
  },
};
