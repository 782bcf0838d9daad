import type { MessageView } from '@parlance/sdk';
import type { MemberRole } from '../group/member.ts';
import type { Catalogue } from '../text/en.ts';

/** A key with what is held down, as `KeyboardEvent.key` names it. `ctrl` is also the command key of a Mac. */
export interface Shortcut {
  readonly key: string;
  readonly ctrl?: true;
  readonly alt?: true;
  readonly shift?: true;
}

/**
 * Something a person can do, by a menu, a button or a key: all of them take its name, its key, whether it can be done now, and what it does, from here. `T` is what it
 * is done to.
 */
export interface Action<T = void> {
  readonly id: keyof Catalogue['action'];
  readonly shortcut?: Shortcut;
  /** Where the list of keys names it. */
  readonly place?: 'anywhere' | 'inChat';
  /** The key does it only where this holds; everywhere when left out. */
  isEnabled(target: T): boolean;
  run(target: T): void;
}

export type MessageAction = Action<MessageView>;

/** A member of the group that is open. */
export interface MemberTarget {
  readonly user: string;
  readonly role: MemberRole;
}
export type MemberAction = Action<MemberTarget>;
