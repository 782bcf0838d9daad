import type { Database, Statement } from 'better-sqlite3';

/** Names remembered; beyond, the memory starts anew. */
const rememberedMax = 100_000;

/** The small integers of conversations and of people in them: found, or given. Remembers them, so it must be dropped with a transaction that failed. */
export class Numbers {
  readonly #conversations = new Map<string, number>();
  readonly #members = new Map<string, number>();
  readonly #findConversation: Statement;
  readonly #addConversation: Statement;
  readonly #findMember: Statement;
  readonly #addMember: Statement;

  constructor(database: Database) {
    this.#findConversation = database.prepare('SELECT no FROM conversation WHERE id = ?').pluck();
    this.#addConversation = database.prepare('INSERT INTO conversation (id) VALUES (?)');
    this.#findMember = database.prepare('SELECT no FROM member WHERE conversation = ? AND user_id = ?').pluck();
    this.#addMember = database.prepare('INSERT INTO member (conversation, user_id) VALUES (?, ?)');
  }

  conversation(id: string): number {
    return (
      this.#conversations.get(id) ??
      remember(this.#conversations, id, (this.#findConversation.get(id) as number | undefined) ?? Number(this.#addConversation.run(id).lastInsertRowid))
    );
  }

  member(conversation: number, userId: string): number {
    const key = `${conversation}/${userId}`;
    return (
      this.#members.get(key) ??
      remember(
        this.#members,
        key,
        (this.#findMember.get(conversation, userId) as number | undefined) ?? Number(this.#addMember.run(conversation, userId).lastInsertRowid),
      )
    );
  }
}

function remember(names: Map<string, number>, name: string, no: number): number {
  if (names.size >= rememberedMax) names.clear();
  names.set(name, no);
  return no;
}
