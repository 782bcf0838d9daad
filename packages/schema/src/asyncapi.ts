import type * as Type from 'typebox';
import * as closeCodes from './close-codes.ts';
import { clientFrames, serverFrames } from './live.ts';
import { named } from './openapi.ts';

// The description of the live socket (AsyncAPI 3.0), made from the schemas of its frames.

type Json = Record<string, unknown>;

/** Every close code of ours, with what a client does about it. */
export const closeCodeList = Object.entries<unknown>(closeCodes)
  .filter((entry): entry is [string, number] => typeof entry[1] === 'number')
  .map(([name, code]) => ({ name, code, advice: closeCodes.adviceOf(code) }));

/** The AsyncAPI document. `version` is the server's. */
export function asyncApi(version: string): Json {
  const schemas: Json = {};
  const messages = (frames: Record<string, Type.TObject>, prefix: string): Json =>
    Object.fromEntries(Object.entries(frames).map(([name, frame]) => [`${prefix}${name}`, messageOf(name, frame, schemas)]));
  // A frame sent and one received may share their name, so each is named by its direction too.
  const sent = messages(clientFrames, 'client.');
  const received = messages(serverFrames, 'server.');
  const refsTo = (names: Json): Json[] => Object.keys(names).map((name) => ({ $ref: `#/channels/live/messages/${name}` }));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Parlance live',
      version,
      license: { name: 'Apache-2.0' },
      description: `One WebSocket, one JSON object a frame, told apart by \`type\`. The client says hello first. Close codes: ${closeCodeList
        .map(({ name, code, advice }) => `${code} ${name} (${advice})`)
        .join(', ')}.`,
    },
    channels: {
      live: {
        address: '/v1/live',
        messages: Object.fromEntries([...Object.keys(sent), ...Object.keys(received)].map((name) => [name, { $ref: `#/components/messages/${name}` }])),
        bindings: { ws: { method: 'GET' } },
      },
    },
    operations: {
      send: { action: 'receive', channel: { $ref: '#/channels/live' }, summary: 'What a client sends.', messages: refsTo(sent) },
      push: { action: 'send', channel: { $ref: '#/channels/live' }, summary: 'What the server sends.', messages: refsTo(received) },
    },
    components: { messages: { ...sent, ...received }, schemas },
  };
}

function messageOf(name: string, frame: Type.TObject, schemas: Json): Json {
  const { title: _, description, ...payload } = frame as Type.TObject & { title?: string; description?: string };
  return {
    name,
    contentType: 'application/json',
    ...(description !== undefined && { summary: description }),
    payload: named(payload as Type.TObject, schemas),
  };
}
