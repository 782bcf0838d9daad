import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { importBodyBytesMax } from '@parlance/schema/limits';
import { type Answer, type Input, ParlanceError, type Rest } from '@parlance/sdk';
import { Failure } from '../failure.ts';
import type { Progress } from '../progress.ts';
import type { Reason } from './line.ts';
import { countLines, type Entry, readLog } from './log.ts';
import { besideGroup, userIdOf } from './nick.ts';

// Brings logs into a group, in order, in batches. Every message has a key made of its place and its line, under which the server decides it
// once; so whatever is cut short (this program, the server, the line between them) is made good by doing the same again.

export interface ImportOptions {
  /** In the order in which they are to be imported. */
  logs: readonly { path: string; date: string }[];
  /** Name of the group, folded. It is made, open, when there is none. */
  group: string;
  title?: string;
  /** In front of every imported user id. */
  prefix: string;
  utcOffsetMinutes: number;
  /** Items of one batch at most. */
  batchMax: number;
  /** How long to try again when the server does not answer, from the last answer on, ms. */
  patienceMs: number;
}

export interface Surroundings {
  rest: Pick<Rest, 'call'>;
  progress: Pick<Progress, 'update' | 'end'>;
  note(line: string): void;
  wait(delayMs: number): Promise<void>;
  now(): number;
}

export interface Refused {
  file: string;
  line: number;
  author: string;
  code: string;
}

export interface Summary {
  conversation: string;
  files: number;
  lines: number;
  /** Lines of which messages were made. `lines` is this and all of `left_out`. */
  lines_with_text: number;
  left_out: Partial<Record<Reason, number>>;
  /** A text too long for one message makes several. */
  messages: number;
  /** Of the messages, those that this run brought; null when that cannot be told, because the administrator is not in the group. */
  imported: number | null;
  /** Of the messages, those that were there before. */
  already_there: number | null;
  refused: number;
  /** The first hundred. */
  refusals: Refused[];
}

type Item = Input<'import_messages'>['items'][number];

/** A message on its way: what is sent, and where it is from. */
interface Pending {
  file: string;
  entry: Entry;
}

const refusalsShown = 100;
const retryMs = 1000;
/** What surrounds the items in a request. */
const envelopeBytes = 1000;

/** Imports the logs and tells what came of every line. Throws ParlanceError, LogError and Failure; doing the same again then goes on where it stopped. */
export async function importLogs(options: ImportOptions, surroundings: Surroundings): Promise<Summary> {
  const { rest, progress } = surroundings;
  const { logs, group } = options;
  let linesTotal = 0;
  for (const { path } of logs) linesTotal += await countLines(path);

  const { headBefore, conversation } = await ensureGroup(rest, options);
  const authors = new Authors(options.prefix, group);
  const summary: Summary = {
    conversation,
    files: logs.length,
    lines: 0,
    lines_with_text: 0,
    left_out: {},
    messages: 0,
    imported: headBefore === null ? null : 0,
    already_there: headBefore === null ? null : 0,
    refused: 0,
    refusals: [],
  };
  let batch: Pending[] = [];
  let batchBytes = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const answers = await sendBatch(conversation, batch, authors, options, surroundings);
    for (const [index, { seq, code, author }] of answers.entries()) {
      if (seq === null) {
        summary.refused++;
        const { file, entry } = batch[index]!;
        if (summary.refusals.length < refusalsShown) summary.refusals.push({ file, line: entry.line, author, code: code ?? 'refused' });
      } else if (headBefore !== null) {
        if (seq > headBefore) summary.imported!++;
        else summary.already_there!++;
      }
    }
    batch = [];
    batchBytes = 0;
    progress.update(summary.lines, linesTotal);
  };

  for (const { path, date } of logs) {
    for await (const read of readLog(path, date, options.utcOffsetMinutes)) {
      summary.lines++;
      if ('leftOut' in read) {
        summary.left_out[read.leftOut] = (summary.left_out[read.leftOut] ?? 0) + 1;
        continue;
      }
      summary.lines_with_text++;
      for (const entry of read.entries) {
        summary.messages++;
        const bytes = Buffer.byteLength(JSON.stringify(entry)) + envelopeBytes / 10;
        if (batch.length === options.batchMax || batchBytes + bytes > importBodyBytesMax - envelopeBytes) await flush();
        batch.push({ file: basename(path), entry });
        batchBytes += bytes;
      }
    }
  }
  await flush();
  return summary;
}

/** The group, made if there is none, and its newest seq before anything is imported; null where the administrator does not see it. */
async function ensureGroup(rest: Surroundings['rest'], { group, title }: ImportOptions): Promise<{ conversation: string; headBefore: number | null }> {
  try {
    const { conversation, role, left, seq } = await rest.call('get_conversation', { conversation: `#${group}` });
    return { conversation, headBefore: role === null || left ? null : seq };
  } catch (error) {
    if (!(error instanceof ParlanceError) || error.code !== 'conversation_not_found') throw error;
  }
  try {
    const { conversation, seq } = await rest.call('create_group', { name: group, open: true, client_id: randomUUID(), ...(title !== undefined && { title }) });
    return { conversation, headBefore: seq };
  } catch (error) {
    if (!(error instanceof ParlanceError) || error.code !== 'name_taken') throw error;
    throw new Failure('name_taken', `The name ${group} belongs to a user, or to a closed group that you are not in: choose another with --group.`);
  }
}

/** Which nick is which user. Learns on the way which ids are names of groups. */
class Authors {
  readonly #prefix: string;
  readonly #groups: Set<string>;

  constructor(prefix: string, group: string) {
    this.#prefix = prefix;
    this.#groups = new Set([group]);
  }

  idOf(nick: string): string {
    const id = userIdOf(nick, this.#prefix);
    return this.#groups.has(id) ? besideGroup(id) : id;
  }

  /** A group has this id. Returns whether that helps: not when the id was moved aside already. */
  isGroup(id: string): boolean {
    if (id.endsWith('.')) return false;
    this.#groups.add(id);
    return true;
  }
}

async function sendBatch(
  conversation: string,
  batch: readonly Pending[],
  authors: Authors,
  options: ImportOptions,
  surroundings: Surroundings,
): Promise<Answer<'import_messages'>['items']> {
  const { rest, note, wait, now, progress } = surroundings;
  const givesUpAt = now() + options.patienceMs;
  let isTold = false;
  for (;;) {
    const items: Item[] = batch.map(({ entry: { nick, clientId, kind, text, time } }) => ({
      author: authors.idOf(nick),
      client_id: clientId,
      kind,
      text,
      time,
    }));
    try {
      const answer = await rest.call('import_messages', { conversation, items });
      if (answer.items.length !== items.length) throw new Failure('bad_answer', `The server answered ${answer.items.length} of ${items.length} items.`);
      return answer.items;
    } catch (error) {
      if (!(error instanceof ParlanceError)) throw error;
      const { code, status, problem } = error;
      const taken = code === 'name_taken' ? items[Number(/^items\.(\d+)\.author$/.exec(problem.field ?? '')?.[1])]?.author : undefined;
      if (taken !== undefined && authors.isGroup(taken)) continue;
      if (taken !== undefined)
        throw new Failure('name_taken', `A group has the name ${taken} of an author: give the imported people names of their own with --prefix.`);
      const canPass = status === 0 || status === 429 || status >= 500;
      if (!canPass || now() >= givesUpAt) throw error;
      if (!isTold) {
        progress.end();
        note('The server does not answer. Trying again …');
      }
      isTold = true;
      await wait(Math.max(retryMs, (problem.retry_after ?? 0) * 1000));
    }
  }
}
