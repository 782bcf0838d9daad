import { conversationPattern } from '@parlance/schema/ids';
import { pageMax } from '@parlance/schema/limits';
import { type Command, InvalidArgumentError } from 'commander';
import { type Act, examples } from '../act.ts';
import { headline, messageLines } from '../chat/lines.ts';
import { WrongUsage } from '../failure.ts';

/** users, conversations, history: small looks at what is there. */
export function addLists(program: Command, act: Act): void {
  program
    .command('users')
    .description('List the directory.')
    .argument('[prefix]', 'only user ids that begin so')
    .addHelpText('after', examples('parlance users', 'parlance users al --json'))
    .action(
      act<[string | undefined], object>(async (shell, [prefix]) => {
        const rest = shell.rest();
        for (let cursor: string | null | undefined; cursor !== null; ) {
          const page = await rest.call('list_users', { limit: pageMax, ...(prefix !== undefined && { prefix }), ...(cursor !== undefined && { cursor }) });
          for (const user of page.users) shell.answer(user, user.display_name === user.user_id ? user.user_id : `${user.user_id}  (${user.display_name})`);
          cursor = page.next_cursor;
        }
      }),
    );
  program
    .command('conversations')
    .description('List my conversations, the last active first.')
    .addHelpText('after', examples('parlance conversations'))
    .action(
      act<[], object>(async (shell) => {
        const rest = shell.rest();
        for (let cursor: string | null | undefined; cursor !== null; ) {
          const page = await rest.call('list_conversations', { limit: pageMax, ...(cursor !== undefined && { cursor }) });
          for (const conversation of page.conversations) shell.answer(conversation, headline(conversation));
          cursor = page.next_cursor;
        }
      }),
    );
  program
    .command('history')
    .description('Show the newest messages of a conversation, oldest first.')
    .argument('<conversation>', "@user or '#group'")
    .option('--before <number>', 'those before this message')
    .option('--limit <count>', 'how many', atMost(pageMax), 50)
    .addHelpText('after', examples("parlance history '#ubuntu'", 'parlance history @bob --limit 10 --json'))
    .action(
      act<[string], { before?: string; limit: number }>(async (shell, [reference], { before, limit }) => {
        const conversation = conversationReference(reference);
        const { messages } = await shell.rest().call('list_messages', { conversation, limit, ...(before !== undefined && { before }) });
        for (const message of messages) shell.answer(message, ...messageLines(message));
      }),
    );
}

/** A conversation as people write it. Throws WrongUsage. */
export function conversationReference(given: string): string {
  if (new RegExp(conversationPattern).test(given)) return given;
  throw new WrongUsage(`"${given}" is not a conversation: write @user, or '#group' in quotes, for a # begins a comment in many shells.`);
}

/** Reads the value of an option as a number from `min`. */
export const wholeNumber =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (value: string): number => {
    const number = /^\d{1,16}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(max === Number.MAX_SAFE_INTEGER ? `A whole number from ${min}.` : `A whole number from ${min} to ${max}.`);
  };

const atMost = (max: number): ((value: string) => number) => wholeNumber(1, max);
