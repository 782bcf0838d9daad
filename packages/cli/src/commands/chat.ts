import { type Chat, Parlance, type Rest, type Status } from '@parlance/sdk';
import type { Command } from 'commander';
import { type Act, examples, prose } from '../act.ts';
import { chatHelp, parseTyped, type Typed } from '../chat/command.ts';
import { Screen } from '../chat/screen.ts';
import { ChatTerminal } from '../chat/terminal.ts';
import { exitRefused, Failure, tell } from '../failure.ts';
import { environment } from '../server.ts';
import type { Shell } from '../shell.ts';
import { conversationReference } from './lists.ts';

const about = `Chat in a terminal: shows the newest messages, then what comes; a line typed is a line sent.

${chatHelp.join('\n')}

Without a terminal it sends the lines of stdin, in order, and ends when the last one is stored. Control characters in
what others write are left out. With --json each message, notice and change of status is a line of JSON.`;

const firstMax = 20;

/** chat. */
export function addChat(program: Command, act: Act): void {
  program
    .command('chat')
    .description(prose(about))
    .summary('Chat in the terminal.')
    .argument('<conversation>', "@user or '#group'")
    .addHelpText('after', examples('parlance chat @bob', "parlance chat '#ubuntu'", "df -h | parlance chat '#ops'"))
    .action(act<[string], object>((shell, [reference]) => talk(shell, conversationReference(reference))));
}

async function talk(shell: Shell, reference: string): Promise<number> {
  const client = await Parlance.withToken({ url: shell.url, token: shell.token, environment, pageSize: firstMax });
  const terminal = new ChatTerminal(shell);
  const screen = new Screen(firstMax);
  let exitCode = 0;
  const fail = (error: unknown): void => {
    exitCode = exitRefused;
    const { sentence, json } = tell(error, shell.url);
    terminal.note(sentence, { type: 'error', error: json });
  };
  const endings = [
    watchStatus(client, (status) => {
      terminal.note(statusLines[status], { type: 'status', status });
      if (status !== 'signed_out' && status !== 'stopped') return;
      exitCode = exitRefused;
      terminal.close();
    }),
  ];
  try {
    await client.live();
    const chat = client.conversation(reference);
    await chat.load();
    if (terminal.isInteractive) terminal.note(`${chat.view.title}. You are ${client.me}. /help says what you can do.`, {});
    const draw = (): void => {
      for (const { lines, value } of screen.show(chat.view)) terminal.show(lines, value);
      if (terminal.isInteractive && chat.view.readSeq < chat.view.seq) chat.markRead().catch(() => undefined); // A mark lost is no harm.
    };
    draw();
    endings.push(chat.subscribe(draw));
    for await (const line of terminal.lines()) {
      const typed = parseTyped(line);
      if (typed.type === 'quit') break;
      const done = perform(typed, { chat, rest: client.rest, terminal, me: client.me }).catch(fail);
      // Piped lines wait for each other, so that the pipe fills up instead of our memory; a person may type on.
      if (!terminal.isInteractive) await done;
    }
    draw();
  } finally {
    for (const end of endings) end();
    terminal.close();
    client.close();
  }
  return exitCode;
}

const statusLines: Record<Status, string> = {
  connecting: 'Connecting …',
  live: 'Connected again.',
  offline: 'The connection is lost. Trying again …',
  signed_out: 'The session has ended. Log in again: parlance login USER',
  stopped: 'The server has closed the connection for good.',
};

/** Tells when the connection is lost, back, or ended; not the steps between. */
function watchStatus(client: Parlance, told: (status: Status) => void): () => void {
  let before: Status = 'live';
  return client.subscribe(({ status }) => {
    if (status === before || status === 'connecting') return;
    before = status;
    told(status);
  });
}

interface Here {
  chat: Chat;
  rest: Rest;
  terminal: ChatTerminal;
  me: string;
}

async function perform(typed: Typed, { chat, rest, terminal, me }: Here): Promise<void> {
  switch (typed.type) {
    case 'send':
      await chat.send(typed.text);
      break;
    case 'edit':
      await chat.edit(typed.msgId, typed.text);
      break;
    case 'delete':
      await chat.delete(typed.msgId);
      break;
    case 'members': {
      const members = await membersOf(chat, rest, me);
      terminal.show([members.join(', ')], { type: 'members', members });
      break;
    }
    case 'help':
      terminal.show(chatHelp, { type: 'help', help: chatHelp });
      break;
    case 'unknown':
      throw new Failure('unknown_command', typed.sentence);
    case 'quit':
    case 'nothing':
      break;
  }
}

const membersShown = 1000;

async function membersOf({ id, view }: Chat, rest: Rest, me: string): Promise<string[]> {
  if (view.kind === 'direct') return [...new Set([me, ...id.split(':').slice(1)])];
  const members: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null && members.length < membersShown; ) {
    const page = await rest.call('list_members', { name: id.slice('g:'.length), ...(cursor !== undefined && { cursor }) });
    members.push(...page.members.map(({ user, role }) => (role === 'member' ? user : `${user} (${role})`)));
    cursor = page.next_cursor;
  }
  return members;
}
