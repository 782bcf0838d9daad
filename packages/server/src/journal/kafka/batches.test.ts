import { describe, expect, it } from 'vitest';
import { type Message, readBatch } from './fetcher.ts';
import { EventCodec } from './records.ts';
import { takeBatch } from './sender.ts';

const batch = (firstOffset: number, deltas: number[], lastOffsetDelta: number, attributes = 0) => ({
  firstOffset: BigInt(firstOffset),
  lastOffsetDelta,
  attributes,
  records: deltas.map((offsetDelta) => ({
    length: 0,
    attributes: 0,
    timestampDelta: 0n,
    offsetDelta,
    key: null,
    value: Buffer.from(String(offsetDelta)),
    headers: [],
  })),
});

describe('a batch read from Kafka', () => {
  it('is cut to what was asked for, and leaves gaps where offsets are missing', () => {
    const messages: Message[] = [];
    expect(readBatch(batch(10, [0, 2, 5], 7), 12, messages)).toBe(18);
    expect(messages.map(({ offset }) => offset)).toEqual([12, 15]);
  });

  it('is passed over when it holds a transaction’s marker', () => {
    const messages: Message[] = [];
    expect(readBatch(batch(10, [0], 0, 0b110000), 10, messages)).toBe(11);
    expect(messages).toEqual([]);
  });

  it('never leads back', () => {
    expect(readBatch(batch(3, [0, 1], 1), 9, [])).toBe(9);
  });
});

describe('a batch to append', () => {
  const message = (bytes: number) => ({ value: Buffer.alloc(bytes) });

  it('takes from the front what fits', () => {
    const queue = [message(600_000), message(400_000), message(400_000)];
    expect(takeBatch(queue)).toHaveLength(2);
    expect(queue).toHaveLength(1);
  });

  it('lets a large message go alone', () => {
    const queue = [message(5_000_000), message(1)];
    expect(takeBatch(queue)).toHaveLength(1);
    expect(takeBatch(queue)).toHaveLength(1);
    expect(takeBatch(queue)).toEqual([]);
  });
});

describe('event records in Kafka', () => {
  const record = (id: string) => ({ type: 'decided' as const, id, follows: '', upto: 1, outcomes: [] });
  const message = ({ value, key }: { value: Buffer; key?: Buffer }): Message => ({ offset: 0, key: key ?? null, value });

  it('are found again by their id at the node that appended them, and parsed at others', () => {
    const codec = new EventCodec();
    const own = record('aa');
    const encoded = message(codec.encode(own));
    expect(codec.decode(encoded)).toBe(own);
    expect(new EventCodec().decode(encoded)).toEqual(own);
    expect(codec.decode(message(codec.encode({ type: 'applied', upto: 3 })))).toEqual({ type: 'applied', upto: 3 });
  });

  it('are forgotten after some, and parsed then', () => {
    const codec = new EventCodec();
    const own = record('aa');
    const encoded = message(codec.encode(own));
    for (let count = 0; count < 64; count++) codec.encode(record(`b${count}`));
    expect(codec.decode(encoded)).not.toBe(own);
    expect(codec.decode(encoded)).toEqual(own);
  });

  it('that are none are refused', () => {
    expect(() => new EventCodec().decode({ offset: 5, key: null, value: Buffer.from('no') })).toThrow('The message at offset 5 is not Parlance');
    expect(() => new EventCodec().decode({ offset: 5, key: null, value: null })).toThrow('not Parlance');
  });
});
