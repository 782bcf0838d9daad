import type { Command } from '../command.ts';
import type { EventRecord } from '../record.ts';
import type { Message } from './fetcher.ts';
import { KafkaError } from './options.ts';

// How commands and event records stand in Kafka: one message each, JSON. A decided record's id is also its message's key, so that a node that reads back what it
// has appended itself finds the record by it, and need not parse a batch of thousands once more.

/** Own records remembered until they come back. */
const ownMax = 64;

export const commandOf = ({ offset, value }: Message): Command => parse(offset, value) as Command;

export class EventCodec {
  readonly #own = new Map<string, EventRecord>();

  encode(record: EventRecord): { value: Buffer; key?: Buffer } {
    const value = Buffer.from(JSON.stringify(record));
    if (record.type === 'applied') return { value };
    this.#own.set(record.id, record);
    if (this.#own.size > ownMax) this.#own.delete(this.#own.keys().next().value!);
    return { value, key: Buffer.from(record.id) };
  }

  decode({ offset, key, value }: Message): EventRecord {
    const own = key === null ? undefined : this.#own.get(key.toString());
    return own ?? (parse(offset, value) as EventRecord);
  }
}

function parse(offset: number, value: Buffer | null): unknown {
  try {
    const parsed: unknown = JSON.parse(value?.toString() ?? '');
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch (error) {
    throw new KafkaError(`The message at offset ${offset} is not Parlance's: nothing else may write to its topics.`, { cause: error });
  }
  throw new KafkaError(`The message at offset ${offset} is not Parlance's: nothing else may write to its topics.`);
}
