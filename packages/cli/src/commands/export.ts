import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { pageMax } from '@parlance/schema/limits';
import type { Rest } from '@parlance/sdk';
import type { Command } from 'commander';
import { type Act, examples, prose } from '../act.ts';
import { Failure } from '../failure.ts';
import { jsonLine } from '../plain-text.ts';
import { count, type Progress } from '../progress.ts';
import { conversationReference, wholeNumber } from './lists.ts';

const about = `Write every event of a conversation as JSON lines, in order: messages, edits, deletes, membership, and all else that has
a seq. A message stands in its place as it is now; an edit after it carries it too. A deleted one has no text any more.

The export is checked while it is written: the events must be dense, each seq one more than the one before.
A file appears under its name only when it is whole.`;

/** export. */
export function addExport(program: Command, act: Act): void {
  program
    .command('export')
    .description(prose(about))
    .summary('Write every event of a conversation as JSON lines.')
    .argument('<conversation>', "@user or '#group'")
    .option('--out <file>', 'write to this file instead of stdout')
    .option('--after <seq>', 'only events after this seq', wholeNumber(0), 0)
    .addHelpText('after', examples("parlance export '#ubuntu' --out ubuntu.jsonl", 'parlance export @bob --after 1200 | jq .message.text'))
    .action(
      act<[string], { out?: string; after: number }>(async (shell, [reference], { out, after }) => {
        const conversation = conversationReference(reference);
        const rest = shell.rest();
        const progress = shell.progress('events');
        const events =
          out === undefined
            ? await copy(rest, conversation, after, (text) => shell.write(text), progress)
            : await wholeFile(out, (file) => copy(rest, conversation, after, async (text) => void (await file.writeFile(text)), progress));
        progress.end();
        if (out !== undefined) shell.answer({ events, file: out }, `${count(events)} events are in ${out}.`);
      }),
    );
}

/** Copies every event after `after`, and returns how many. Throws Failure when one is missing or comes twice. */
export async function copy(
  rest: Pick<Rest, 'call'>,
  conversation: string,
  after: number,
  write: (text: string) => Promise<void>,
  progress: Pick<Progress, 'update' | 'end'>,
): Promise<number> {
  const { seq: head } = await rest.call('get_conversation', { conversation });
  let seq = after;
  for (let isMore = true; isMore; ) {
    const page = await rest.call('list_changes', { conversation, after: seq, limit: pageMax });
    let lines = '';
    for (const change of page.changes) {
      if (change.seq !== seq + 1) {
        progress.end();
        throw new Failure('not_dense', `The export is not whole: after event ${seq} came ${change.seq}. Run \`parlance verify\` on this server.`);
      }
      seq = change.seq;
      lines += `${jsonLine(change)}\n`;
    }
    if (lines !== '') await write(lines);
    isMore = page.next_cursor !== null;
    if (isMore && page.changes.length === 0)
      throw new Failure('not_dense', `The export is not whole: it stopped after event ${seq}. Run \`parlance verify\` on this server.`);
    progress.update(seq - after, Math.max(head, seq) - after);
  }
  if (seq < head)
    throw new Failure('not_dense', `The export is not whole: it ended with event ${seq}, and ${head} is the newest. Run \`parlance verify\` on this server.`);
  return seq - after;
}

/** Fills a file that takes its name only when all is in it and on the disk. */
async function wholeFile(path: string, fill: (file: FileHandle) => Promise<number>): Promise<number> {
  const draft = `${path}.${randomBytes(4).toString('hex')}.part`;
  const file = await open(draft, 'wx', 0o600);
  try {
    const filled = await fill(file);
    await file.sync();
    await rename(draft, path);
    return filled;
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}
