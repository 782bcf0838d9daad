import Type, { type Static } from 'typebox';
import { type Answer, callNames, calls, type Input, isLive, type LiveName } from './calls.ts';
import * as t from './types.ts';

// The live protocol: one WebSocket at GET /v1/live, one JSON object a frame, told apart by `type`.
//
//   client                                   server
//   ── hello {token?, resume} ─────────────▶
//   ◀───────────── welcome {user_id, …}
//   ◀───────────── head …  event …           what was missed, per conversation, in order
//   ◀───────────── caught_up
//   ── send_message {client_id, …} ────────▶
//   ◀───────────── event {client_id, …}      one's own event is the ack; every other socket gets the same frame
//   ◀───────────── ack | refusal             where there is no event to push: a repetition, a mark, a refusal

export const Hello = t.Closed(
  {
    type: Type.Literal('hello'),
    token: Type.Optional(Type.String({ maxLength: 256, description: 'Session token, when neither cookie nor Authorization header was sent.' })),
    resume: Type.Optional(
      Type.Record(Type.String({ pattern: '^[dg]:[a-z0-9._:-]{1,66}$' }), t.Seq, {
        maxProperties: 2000,
        additionalProperties: false,
        description: 'Stable conversation id → newest seq the client has. These are brought up to date; the others are announced with their head only.',
      }),
    ),
  },
  { title: 'hello' },
);

export const Resume = t.Closed(
  { type: Type.Literal('resume'), conversation: t.ConversationId, seq: t.Seq },
  {
    title: 'resume',
    description: 'Bring one conversation up to date from seq: for one announced by a head, or where the client found a gap.',
  },
);

export const Ping = t.Closed({ type: Type.Literal('ping') }, { title: 'ping' });

export const Welcome = t.Closed({ type: Type.Literal('welcome'), user_id: Type.String(), session_id: Type.String(), time: t.Time }, { title: 'welcome' });
export const Head = t.Closed(
  { type: Type.Literal('head'), conversation: t.ConversationId, seq: t.Seq, left: Type.Optional(Type.Literal(true)) },
  { title: 'head' },
);
export const EventPush = t.Closed(
  { type: Type.Literal('event'), ...t.eventFields, client_id: Type.Optional(t.ClientId) },
  {
    title: 'event',
    description: 'A change, as in GET …/changes. Live ones carry the client_id of the write; for its author that is the ack.',
  },
);
export const CaughtUp = t.Closed({ type: Type.Literal('caught_up') }, { title: 'caught_up' });
export const Read = t.Closed(
  { type: Type.Literal('read'), conversation: t.ConversationId, read_seq: Type.Integer(), unread_count: Type.Integer() },
  {
    title: 'read',
    description: 'My read mark moved, here or on another device of mine.',
  },
);
export const Ack = t.Closed(
  { type: Type.Literal('ack'), client_id: t.ClientId, answer: Type.Unknown({ description: 'What the call of this name answers over HTTP.' }) },
  { title: 'ack' },
);
export const RefusalFrame = t.Closed(
  {
    type: Type.Literal('refusal'),
    client_id: Type.Optional(t.ClientId),
    conversation: Type.Optional(Type.String({ description: 'What a refused resume named.' })),
    problem: t.ProblemDetails,
  },
  { title: 'refusal' },
);
export const Pong = t.Closed({ type: Type.Literal('pong') }, { title: 'pong' });

export const liveNames: readonly LiveName[] = callNames.filter(isLive);

/** The frame of a live call: its input with the call's name as `type`; a write’s client_id must be given here, or nothing could name its answer. */
const callFrame = (name: LiveName) => {
  const { client_id: _, ...properties } = calls[name].input.properties as Type.TProperties;
  return t.Closed({ type: Type.Literal(name), client_id: t.ClientId, ...properties }, { title: name });
};

export const clientFrames: Record<string, Type.TObject> = {
  hello: Hello,
  resume: Resume,
  ping: Ping,
  ...Object.fromEntries(liveNames.map((name) => [name, callFrame(name)])),
};
export const serverFrames: Record<string, Type.TObject> = {
  welcome: Welcome,
  head: Head,
  event: EventPush,
  caught_up: CaughtUp,
  read: Read,
  ack: Ack,
  refusal: RefusalFrame,
  pong: Pong,
};

export type CallFrame<N extends LiveName = LiveName> = { [K in N]: { type: K; client_id: string } & Omit<Input<K>, 'client_id'> }[N];
export type ClientFrame = Static<typeof Hello> | Static<typeof Resume> | Static<typeof Ping> | CallFrame;
export type EventPush = Static<typeof EventPush>;
export type ServerFrame =
  | Static<typeof Welcome>
  | Static<typeof Head>
  | EventPush
  | Static<typeof CaughtUp>
  | Static<typeof Read>
  | { type: 'ack'; client_id: string; answer: Answer<LiveName> }
  | Static<typeof RefusalFrame>
  | Static<typeof Pong>;
