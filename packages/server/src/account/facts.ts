import { groupId } from '@parlance/schema/ids';
import type { AccountCommand } from '../journal/command.ts';
import type { RowKey } from '../store/rows.ts';

/** The rows that `decide` may ask for when it decides this command. */
export function factsOf(command: AccountCommand): RowKey[] {
  switch (command.kind) {
    case 'register':
      return [
        { table: 'account', userId: command.userId },
        { table: 'conversation', conversation: groupId(command.userId) },
      ];
    case 'set_admin_link':
    case 'claim_admin':
      return [{ table: 'installation' }];
    default:
      return [{ table: 'account', userId: command.userId }];
  }
}
