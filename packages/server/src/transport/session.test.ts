import type { Answer, LiveName } from '@parlance/schema/calls';
import { socketWritesMax } from '@parlance/schema/limits';
import { describe, expect, it } from 'vitest';
import type { ConversationEvent } from '../journal/record.ts';
import type { Node } from '../node/node.ts';
import { Refusal } from '../node/refusal.ts';
import { Hub } from './hub.ts';
import { LiveSession, type Socket } from './session.ts';
import { eventFrame } from './wire.ts';

// The parts of a live session that need no store: writes, their order and their answers. Resuming and following are tried by the simulation and the protocol's suite.

type Settle = (answer: Answer<LiveName> | Refusal) => void;

class Bench implements Socket {
  readonly frames: any[] = [];
  readonly calls: { clientId: string; settle: Settle }[] = [];
  isPaused = false;
  queuedBytes = 0;
  closedWith: number | undefined;
  readonly session: LiveSession;

  constructor() {
    const store = { memberships: async () => [] };
    this.session = new LiveSession(
      this,
      {
        node: { store, clock: () => 0 } as unknown as Node,
        hub: new Hub(),
        queueBytesMax: 1000,
        call: (_name, params) => new Promise((settle) => this.calls.push({ clientId: params.client_id as string, settle })),
        problemOf: ({ code, decided }) => ({ code, decided }) as never,
      },
      { userId: 'ada', sessionId: 's' },
    );
  }

  send = (frame: string): void => void this.frames.push(JSON.parse(frame));
  close(code: number): void {
    this.closedWith = code;
  }
  drained = async (): Promise<void> => undefined;
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }

  write(clientId: string, conversation = '@bob', name: LiveName = 'send_message'): void {
    this.session.write(name, clientId, { conversation, text: 'x' });
  }

  async settle(clientId: string, answer: unknown): Promise<void> {
    this.calls.find((call) => call.clientId === clientId)!.settle(answer as Refusal);
    await new Promise(setImmediate);
  }

  begun = (): string[] => this.calls.map((call) => call.clientId);
  answers = (): unknown[] => this.frames.filter((frame) => frame.client_id !== undefined).map((frame) => [frame.client_id, frame.type, frame.problem?.code]);
}

const event = (seq: number, clientId: string, by = 'ada'): ConversationEvent => ({
  kind: 'message',
  conversation: 'd:ada:bob',
  seq,
  time: 0,
  by,
  clientId,
  count: seq,
  messageSeq: seq,
  activity: 0,
  text: 'x',
});

describe('writes of one socket', () => {
  it('to one conversation are made one after another, however it is written; to others at once', async () => {
    const bench = new Bench();
    bench.write('a', '@bob');
    bench.write('b', 'd:ada:bob');
    bench.write('c', '#team');
    expect(bench.begun()).toEqual(['a', 'c']);
    await bench.settle('a', { seq: 1 });
    expect(bench.begun()).toEqual(['a', 'c', 'b']);
  });

  it('that wait behind an undecided one are refused; behind a decided refusal they are made', async () => {
    const bench = new Bench();
    for (const id of ['a', 'b', 'c']) bench.write(id);
    await bench.settle('a', new Refusal('not_a_member', { decided: true }));
    expect(bench.begun()).toEqual(['a', 'b']);
    await bench.settle('b', new Refusal('unavailable'));
    expect(bench.begun()).toEqual(['a', 'b']);
    expect(bench.answers()).toEqual([
      ['a', 'refusal', 'not_a_member'],
      ['b', 'refusal', 'unavailable'],
      ['c', 'refusal', 'earlier_write_failed'],
    ]);
    bench.write('d');
    expect(bench.begun()).toEqual(['a', 'b', 'd']);
  });

  it('are acked by their event where it was pushed, and by an ack where it was not', async () => {
    const bench = new Bench();
    bench.session.begin('d:ada:bob', 0);
    bench.write('a');
    bench.session.event(event(1, 'a'), eventFrame(event(1, 'a')));
    await bench.settle('a', { seq: 1 });
    bench.write('b');
    await bench.settle('b', { seq: 1 });
    expect(bench.answers()).toEqual([
      ['a', 'event', undefined],
      ['b', 'ack', undefined],
    ]);
  });

  it('are not taken for acked by somebody else’s event with the same client_id', async () => {
    const bench = new Bench();
    bench.session.begin('d:ada:bob', 0);
    bench.write('a');
    bench.session.event(event(1, 'a', 'bob'), eventFrame(event(1, 'a', 'bob')));
    await bench.settle('a', { seq: 2 });
    expect(bench.frames.map((frame) => frame.type)).toEqual(['event', 'ack']);
  });

  it('stop being read when too many wait, until some are answered', async () => {
    const bench = new Bench();
    for (let count = 0; count < socketWritesMax; count++) bench.write(`w${count}`, `@u${count}`);
    expect(bench.isPaused).toBe(true);
    await bench.settle('w0', { seq: 1 });
    expect(bench.isPaused).toBe(false);
  });
});

it('a reader that does not read is cut with the code that says so', () => {
  const bench = new Bench();
  bench.session.begin('d:ada:bob', 0);
  bench.queuedBytes = 1001;
  bench.session.event(event(1, 'x', 'bob'), eventFrame(event(1, 'x', 'bob')));
  expect(bench.closedWith).toBe(4001);
});
