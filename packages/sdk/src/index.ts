// The package's front door: the client, what it shows and throws, and the pure parts it is made of, for those who drive them themselves.

export type { Answer, CallName, Input } from '@parlance/schema/calls';
export type { ClientFrame, ServerFrame } from '@parlance/schema/live';
export type { Change, Conversation, Message, MessageAnswer, ProblemDetails } from '@parlance/schema/types';
export { Chat } from './chat.ts';
export { type Options, Parlance, type Status } from './client.ts';
export { makeClientId } from './client-id.ts';
export type { ConversationState } from './conversation.ts';
export { type Environment, platform, type SocketLike } from './environment.ts';
export * as machine from './machine.ts';
export * as outbox from './outbox.ts';
export { type LocalCode, ParlanceError } from './problem.ts';
export { Replica } from './replica.ts';
export { type CallOptions, defaults as restDefaults, Rest, type RestOptions } from './rest.ts';
export { type Chance, defaults as sessionDefaults, Session, type SessionEffect, type SessionOptions } from './session.ts';
export type { ConversationView, MessageView } from './view.ts';
