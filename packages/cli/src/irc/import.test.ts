import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProblemDetails } from '@parlance/schema/types';
import { type Input, ParlanceError, type Rest } from '@parlance/sdk';
import { expect, onTestFinished, test } from 'vitest';
import { type ImportOptions, importLogs, type Summary } from './import.ts';

type Items = Input<'import_messages'>['items'];

const problem = (status: number, code: string, field?: string): ParlanceError =>
  new ParlanceError({
    type: '',
    title: code,
    status,
    detail: '',
    code,
    request_id: '',
    decided: false,
    ...(field !== undefined && { field }),
  } as ProblemDetails);

/** A server as far as an import sees it. `trouble` is asked before each batch and may throw. */
class Server {
  readonly stored = new Map<string, { author: string; text: string; seq: number }>();
  readonly batches: number[] = [];
  readonly groups: Set<string>;
  head: number;
  trouble: (items: Items, attempt: number) => void = () => undefined;
  isMember = true;

  constructor(groups: string[] = []) {
    this.groups = new Set(groups);
    this.head = groups.length > 0 ? 1 : 0;
  }

  readonly rest = { call: async (name: string, input: never) => this.#answer(name, input) } as unknown as Pick<Rest, 'call'>;

  #answer(name: string, input: { conversation: string; name: string; items: Items }): unknown {
    switch (name) {
      case 'get_conversation': {
        const group = input.conversation.slice(1);
        if (!this.groups.has(group)) throw problem(404, 'conversation_not_found');
        return { conversation: `g:${group}`, role: this.isMember ? 'owner' : null, left: !this.isMember, seq: this.isMember ? this.head : 0 };
      }
      case 'create_group':
        this.groups.add(input.name);
        this.head = 1;
        return { conversation: `g:${input.name}`, seq: 1 };
      default: {
        this.batches.push(input.items.length);
        this.trouble(input.items, this.batches.length);
        const taken = input.items.findIndex(({ author }) => this.groups.has(author));
        if (taken >= 0) throw problem(409, 'name_taken', `items.${taken}.author`);
        return { items: input.items.map((item) => this.store(item)) };
      }
    }
  }

  store({ author, client_id, text }: Items[number]): object {
    const found = this.stored.get(client_id);
    if (found !== undefined && found.text !== text) return { client_id, author, seq: null, code: 'client_id_reused' };
    const seq = found?.seq ?? ++this.head;
    this.stored.set(client_id, { author, text, seq });
    return { client_id, author, seq };
  }

  get texts(): string[] {
    return [...this.stored.values()].map(({ author, text }) => `${author}: ${text}`);
  }
}

const content = '[09:00] <a> one\n[09:01] <ubuntu> two\n=== x is now known as y\n[09:02] <perl> three\n[09:03]  * a waves\n[09:04] <b>\n';

async function run(server: Server, more: Partial<ImportOptions> = {}, log = content): Promise<Summary & { notes: string[]; waits: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'parlance-import-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, '2006-01-12.txt');
  await writeFile(path, log);
  const notes: string[] = [];
  let waits = 0;
  const summary = await importLogs(
    { logs: [{ path, date: '2006-01-12' }], group: 'ubuntu', prefix: '', utcOffsetMinutes: 0, batchMax: 2, patienceMs: 10_000, ...more },
    {
      rest: server.rest,
      progress: { update: () => undefined, end: () => undefined },
      note: (line) => void notes.push(line),
      wait: async () => void waits++,
      now: () => waits * 1000,
    },
  );
  return { ...summary, notes, waits };
}

test('every line is accounted for, in batches and in order, and the group is made first', async () => {
  const server = new Server();
  const summary = await run(server);
  expect(summary).toMatchObject({
    lines: 6,
    lines_with_text: 4,
    left_out: { nick_change: 1, empty_text: 1 },
    messages: 4,
    imported: 4,
    already_there: 0,
    refused: 0,
  });
  expect(server.texts).toEqual(['a: one', 'ubuntu.: two', 'perl: three', 'a: waves']);
  expect(server.batches).toEqual([2, 2]);
});

test('doing it again adds nothing', async () => {
  const server = new Server();
  await run(server);
  const before = server.texts;
  expect(await run(server)).toMatchObject({ messages: 4, imported: 0, already_there: 4 });
  expect(server.texts).toEqual(before);
});

test('what a cut-short run left is completed', async () => {
  const server = new Server();
  server.trouble = (_, attempt) => {
    if (attempt === 2) throw problem(403, 'admin_only');
  };
  await expect(run(server)).rejects.toThrow(ParlanceError);
  expect(server.texts).toHaveLength(2);
  expect(await run(server)).toMatchObject({ imported: 2, already_there: 2 });
});

test('an author with the name of another group is moved beside it', async () => {
  const server = new Server(['ubuntu', 'perl']);
  expect(await run(server)).toMatchObject({ imported: 4, refused: 0 });
  expect(server.texts).toContain('perl.: three');
});

test('a server that does not answer is asked again with the same items, for a while', async () => {
  const server = new Server();
  const asked: string[] = [];
  server.trouble = (items, attempt) => {
    asked.push(items.map(({ client_id }) => client_id).join());
    if (attempt < 3) {
      // Decided, and the answer was lost.
      for (const item of items) if (!server.groups.has(item.author)) server.store(item);
      throw problem(attempt === 1 ? 0 : 503, 'no_answer');
    }
  };
  const summary = await run(server);
  expect(asked[0]).toBe(asked[2]);
  expect(summary).toMatchObject({ imported: 4, already_there: 0, waits: 2 });
  expect(summary.notes).toHaveLength(1);

  const dead = new Server();
  dead.trouble = () => {
    throw problem(0, 'no_answer');
  };
  await expect(run(dead)).rejects.toThrow(ParlanceError);
  expect(dead.batches).toHaveLength(11);
});

test('what is refused is told with its place', async () => {
  const server = new Server();
  await run(server);
  const [first] = server.stored.values();
  first!.text = 'another';
  expect(await run(server)).toMatchObject({
    refused: 1,
    refusals: [{ file: '2006-01-12.txt', line: 1, author: 'a', code: 'client_id_reused' }],
    already_there: 3,
  });
});

test('an administrator outside of the group is not told what was there before', async () => {
  const server = new Server(['ubuntu']);
  server.isMember = false;
  expect(await run(server)).toMatchObject({ messages: 4, imported: null, already_there: null });
});

test('a batch holds no more bytes than a request may', async () => {
  const server = new Server();
  const sizes: number[] = [];
  server.trouble = (items) => void sizes.push(Buffer.byteLength(JSON.stringify({ items })));
  // A control character takes six bytes in JSON.
  const log = Array.from({ length: 400 }, (_, index) => `[09:00] <a> ${index}${'\u0001'.repeat(8000)}`).join('\n');
  expect(await run(server, { batchMax: 500 }, log)).toMatchObject({ messages: 400, imported: 400 });
  expect(sizes.length).toBeGreaterThan(1);
  for (const size of sizes) expect(size).toBeLessThan(8_388_608);
});
