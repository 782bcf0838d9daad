import type { ConversationView, MessageView } from '@parlance/sdk';
import { messageLines, noticeLine } from './lines.ts';

// Turns the views of a conversation, which are whole each time, into what is new since the one before: a terminal is written once and never
// redrawn. A message appears when the server has stored it; later only what changed about it is said.

/** Something to put on the screen: lines for people, and the same as a value for programs. */
export interface Shown {
  lines: string[];
  value: object;
}

interface Known {
  version: number;
  isDeleted: boolean;
}

type Stored = MessageView & { msg_id: string; seq: number; time: string };

export class Screen {
  /** The newest `firstMax` messages are shown at first; older ones never. */
  readonly #firstMax: number;
  readonly #known = new Map<string, Known>();
  #seq = 0;

  constructor(firstMax: number) {
    this.#firstMax = firstMax;
  }

  /** What is new in this view, in order. */
  show(view: ConversationView): Shown[] {
    const stored = view.messages.filter(isStored);
    const isFirst = this.#seq === 0;
    const since = isFirst && stored.length > this.#firstMax ? stored.at(-this.#firstMax)!.seq - 1 : this.#seq;
    const changed = stored.filter(({ seq }) => seq <= since).flatMap((message) => this.#change(message));
    const messages = stored.filter(({ seq }) => seq > since).map((message) => ({ seq: message.seq, shown: this.#add(message) }));
    const notices = view.notices
      .filter(({ seq }) => seq > since)
      .flatMap((change) => {
        const line = noticeLine(change);
        return line === undefined ? [] : [{ seq: change.seq, shown: { lines: [line], value: { type: 'notice', change } } }];
      });
    this.#seq = Math.max(this.#seq, view.seq);
    for (const msgId of this.#known.keys()) {
      if (this.#known.size <= knownMax) break;
      this.#known.delete(msgId);
    }
    return [...changed, ...[...messages, ...notices].sort((a, b) => a.seq - b.seq).map(({ shown }) => shown)];
  }

  #add(message: Stored): Shown {
    this.#known.set(message.msg_id, { version: message.version, isDeleted: message.deleted === true });
    return { lines: messageLines(message), value: { type: 'message', message } };
  }

  /** What lies over a message but is not stored yet is left out: it shows when it has happened. */
  #change(message: Stored): Shown[] {
    const known = this.#known.get(message.msg_id);
    const isDeleted = message.deleted === true;
    if (known === undefined || message.state !== 'stored' || (known.version >= message.version && known.isDeleted === isDeleted)) return [];
    this.#known.set(message.msg_id, { version: message.version, isDeleted });
    return [{ lines: messageLines(message), value: { type: 'message', message } }];
  }
}

/** Messages of which a change is noticed: the newest. */
const knownMax = 1000;

const isStored = (message: MessageView): message is Stored =>
  message.msg_id !== null && message.seq !== null && message.time !== null && (message.state === 'stored' || message.state === 'changing');
