import { at, type Person } from '../conformance/protocol-client.ts';

// Conversations with a past, brought in by the calls: the quick way to many messages.

export interface Said {
  author: string;
  text: string;
  /** Left out: a minute after the one before. */
  time?: string;
}

const itemsMax = 500;

/** Makes this person the administrator that importing needs. */
export async function makeAdmin(person: Person, adminLink: string): Promise<void> {
  const { status, body } = await person.get(new URL(adminLink).pathname);
  if (status !== 200) throw new Error(`claim_admin: ${JSON.stringify(body)}`);
}

/** Brings messages into a conversation, in order. The conversation is as its stable id says; a group exists already. */
export async function importHistory(admin: Person, conversation: string, messages: Iterable<Said>, from = Date.UTC(2026, 0, 5, 8)): Promise<void> {
  let items: object[] = [];
  let count = 0;
  const bring = async (): Promise<void> => {
    const { status, body } = await admin.call('POST', `${at(conversation)}/import`, { items });
    const refused = status === 200 ? body.items.find((one: { seq: number | null }) => one.seq === null) : body;
    if (refused !== undefined) throw new Error(`import: ${JSON.stringify(refused)}`);
    items = [];
  };
  for (const { author, text, time = new Date(from + count * 60_000).toISOString() } of messages) {
    items.push({ author, text, time, kind: 'message', client_id: `history-${count++}` });
    if (items.length === itemsMax) await bring();
  }
  if (items.length > 0) await bring();
}
