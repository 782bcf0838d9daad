import { expect, it } from 'vitest';
import type { ConversationEvent } from '../journal/record.ts';
import { eventFrame, rfc3339, toChange } from './wire.ts';

it('writes times as RFC 3339, whatever was written before', () => {
  for (const ms of [0, 1, 999, 1000, 1001, -1, -1000, -1001, 1_790_000_000_123, 1_790_000_000_007, 1_790_000_001_000, 253_402_300_799_999]) {
    expect(rfc3339(ms)).toBe(new Date(ms).toISOString());
  }
});

it.each(['hello', '"\\\n\u0000\u2028 ünï 🎈', '</script>'])('the frame put together by hand is the change, with the client_id: %s', (text) => {
  const event: ConversationEvent = {
    kind: 'message',
    conversation: 'd:ada:bob',
    seq: 7,
    time: 1_790_000_000_123,
    by: 'ada',
    clientId: '"quoted\\',
    count: 3,
    messageSeq: 7,
    activity: 1_790_000_000_123,
    text,
  };
  const stored = {
    table: 'message' as const,
    conversation: 'd:ada:bob',
    seq: 7,
    kind: 'message' as const,
    author: 'ada',
    text,
    time: event.time,
    version: 1,
    editedTime: null,
    deleted: false,
    count: 3,
  };
  expect(JSON.parse(eventFrame(event))).toEqual({ type: 'event', ...toChange({ message: stored }, 'd:ada:bob'), client_id: '"quoted\\' });
});
