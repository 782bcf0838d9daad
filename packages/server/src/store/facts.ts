import type { AccountRow, ConversationRow, DecisionRow, HeadRow, InstallationRow, MemberRow, MessageRow, Row } from './rows.ts';

/**
 * What deciding may know: rows by key, as they are after everything decided before. Undefined means that there is no such
 * row; asking for one that `factsOf` did not name is a bug of the decider.
 */
export class Facts {
  readonly #get: (key: string) => Row | undefined;

  constructor(get: (key: string) => Row | undefined) {
    this.#get = get;
  }

  account(userId: string): AccountRow | undefined {
    return this.#get(`account/${userId}`) as AccountRow | undefined;
  }

  installation(): InstallationRow | undefined {
    return this.#get('installation') as InstallationRow | undefined;
  }

  conversation(conversation: string): ConversationRow | undefined {
    return this.#get(`conversation/${conversation}`) as ConversationRow | undefined;
  }

  /** The head; for a conversation nobody wrote in yet, the one before the first event. */
  head(conversation: string): HeadRow {
    const row = this.#get(`head/${conversation}`) as HeadRow | undefined;
    return row ?? { table: 'head', conversation, seq: 0, count: 0, messageSeq: 0, time: 0 };
  }

  /** A membership that has not ended. */
  currentMember(conversation: string, userId: string): MemberRow | undefined {
    const row = this.#get(`member/${conversation}/${userId}`) as MemberRow | undefined;
    return row?.left === null ? row : undefined;
  }

  message(conversation: string, seq: number): MessageRow | undefined {
    return this.#get(`message/${conversation}/${seq}`) as MessageRow | undefined;
  }

  decision(key: string): DecisionRow | undefined {
    return this.#get(`decision/${key}`) as DecisionRow | undefined;
  }
}
