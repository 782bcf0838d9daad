// What a person types into a chat: a message, or one of a few commands.

export type Typed =
  | { type: 'send'; text: string }
  | { type: 'edit'; msgId: string; text: string }
  | { type: 'delete'; msgId: string }
  | { type: 'members' }
  | { type: 'help' }
  | { type: 'quit' }
  | { type: 'nothing' }
  | { type: 'unknown'; sentence: string };

export const chatHelp: readonly string[] = [
  'Write a line to send it. A line that is to begin with / gets a second one: //etc is sent as /etc.',
  '  /edit NUMBER TEXT   change a message of yours',
  '  /delete NUMBER      delete a message',
  '  /members            who is here',
  '  /quit               end; so does Ctrl-D',
];

/** Understands one line. */
export function parseTyped(line: string): Typed {
  if (line.trim() === '') return { type: 'nothing' };
  if (line.startsWith('//')) return { type: 'send', text: line.slice(1) };
  if (!line.startsWith('/')) return { type: 'send', text: line };
  const [, name, rest = ''] = /^\/(\S*) *(.*)$/s.exec(line)!;
  const [, msgId, text = ''] = /^#?([1-9]\d{0,15})(?: +(.*))?$/s.exec(rest) ?? [];
  switch (name) {
    case 'edit':
      if (msgId === undefined || text.trim() === '')
        return { type: 'unknown', sentence: 'Write /edit NUMBER TEXT, with the number that stands before the message.' };
      return { type: 'edit', msgId, text };
    case 'delete':
      if (msgId === undefined || text !== '') return { type: 'unknown', sentence: 'Write /delete NUMBER, with the number that stands before the message.' };
      return { type: 'delete', msgId };
    case 'members':
    case 'help':
    case 'quit':
      return { type: name };
    default:
      return { type: 'unknown', sentence: `There is no command /${name}. Write /help to see them, or // to send a line that begins with /.` };
  }
}
