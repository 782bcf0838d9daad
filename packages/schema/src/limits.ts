// Every limit a client can meet, in one list. Those marked (setting) can be changed by the operator; these are the defaults.

/** UTF-8 bytes in the text of one message; at least 1. */
export const textBytesMax = 8192;
/** Characters in a group's title; at least 1. */
export const titleLengthMax = 128;
/** Characters in a display name; at least 1. */
export const displayNameLengthMax = 64;
/** Characters in an e-mail address. */
export const emailLengthMax = 254;
export const passwordLengthMin = 8;
export const passwordLengthMax = 1024;
/** Rows in one page of any list, and how many a list answers when not told. */
export const pageMax = 200;
export const pageDefault = 50;
/** Items of one import call. */
export const importItemsMax = 500;
/** Bytes of a request body (import: `importBodyBytesMax`). */
export const bodyBytesMax = 65_536;
export const importBodyBytesMax = 8_388_608;
/** Bytes of one frame on the live socket, from the client. */
export const frameBytesMax = 65_536;
/** Bytes waiting for a slow reader of the live socket before it is cut. (setting) */
export const socketQueueBytesMax = 1_048_576;
/** Writes of one socket that wait for their decision; the node reads no further frames beyond. */
export const socketWritesMax = 256;
/** Open live sockets of one person. */
export const socketsPerUserMax = 50;
/** Time to say hello on a live socket, ms. */
export const helloTimeoutMs = 10_000;
/** Sessions of one account; the oldest is ended when one more starts. */
export const sessionsMax = 100;
/** Days a session lasts. */
export const sessionDays = 90;
/** Conversations the inbox and the live socket look at: the newest memberships. */
export const inboxMax = 1000;
/** Writes of one person: sustained per second, and in a burst. (setting) */
export const writesPerSecond = 100;
export const writesBurst = 1000;
/** Registrations from one address: a burst, refilled over an hour. (setting) */
export const registrationsBurst = 1000;
/** Failed log-ins, per account and address, then refilled one each `loginRefillMs`. (setting) */
export const loginFailuresBurst = 10;
/** Failed log-ins from one address over all accounts. (setting) */
export const loginFailuresAddressBurst = 100;
export const loginRefillMs = 30_000;
