import type { ConversationCommand } from '../journal/command.ts';
import type { RowKey } from '../store/rows.ts';

/** The rows that `decide` may ask for when it decides this command. */
export function factsOf(command: ConversationCommand): RowKey[] {
  const { conversation } = command;
  const keys: RowKey[] = [{ table: 'head', conversation }];
  if (command.kind === 'import') {
    for (const item of command.items) keys.push({ table: 'decision', key: item.decisionKey });
    return keys;
  }
  keys.push({ table: 'decision', key: command.decisionKey });
  const isGroup = conversation.startsWith('g:');
  if (isGroup) keys.push({ table: 'member', conversation, userId: command.author });
  switch (command.kind) {
    case 'send':
      break;
    case 'edit':
    case 'delete':
      keys.push({ table: 'message', conversation, seq: command.messageSeq });
      break;
    case 'create':
      keys.push({ table: 'conversation', conversation }, { table: 'account', userId: command.key });
      break;
    case 'update':
      keys.push({ table: 'conversation', conversation });
      break;
    case 'put_member':
    case 'remove_member':
      keys.push({ table: 'conversation', conversation }, { table: 'member', conversation, userId: command.user });
      break;
  }
  return keys;
}
