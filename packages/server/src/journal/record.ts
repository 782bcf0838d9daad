import type { Code } from '@parlance/schema/errors';
import type { MessageKind, Role } from '@parlance/schema/types';
import type { AccountRow, ConversationRow, DecisionRow, InstallationRow, LaneEventKind, MemberRow, MessageRow, SessionRow } from '../store/rows.ts';

// What stands in the events journal. A decided record holds, for a batch of commands in order, what came of each; everything the store is to
// hold can be derived from the record alone. An applied record says that the store has everything up to a position; it is true whoever says it.

interface ConversationEventBase {
  conversation: string;
  seq: number;
  time: number;
  by: string;
  clientId: string;
  /** The head after this event: messages so far, the newest of them, time of the latest event. */
  count: number;
  messageSeq: number;
  activity: number;
}

/** A message. `first`: the first event of a direct conversation, which makes its rows. `imported`: its time was given, and it is no sign of having read. */
export interface MessageEvent extends ConversationEventBase {
  kind: MessageKind;
  text: string;
  first?: true;
  imported?: true;
}

/** An edit or delete, with the whole message as it is after it. */
export interface MessageChangeEvent extends ConversationEventBase {
  kind: 'edit' | 'delete';
  message: MessageRow;
}

/** A change of a group or its members, with the rows as they are after it. */
export interface GroupEvent extends ConversationEventBase {
  kind: Exclude<LaneEventKind, 'edit' | 'delete'>;
  group: ConversationRow;
  members: MemberRow[];
  user?: string;
  role?: Role;
  title?: string;
  open?: boolean;
}

export type ConversationEvent = MessageEvent | MessageChangeEvent | GroupEvent;

/** A change of an account, with the whole account and the sessions that began or ended. */
export interface AccountEvent {
  kind: 'registered' | 'session_started' | 'session_ended' | 'password_changed' | 'display_name_changed';
  account: AccountRow;
  sessions: SessionRow[];
}

export interface InstallationEvent {
  kind: 'installation_changed';
  installation: InstallationRow;
}

export type Event = ConversationEvent | AccountEvent | InstallationEvent;

/** What came of one command, or of one item of an import. */
export interface Result {
  event?: Event;
  /** The decision under the write's key: made now, and to be stored, or found (`repeated`). */
  decision?: DecisionRow;
  repeated?: true;
  /** A refusal that is not stored: of an account command, or a reused client_id. */
  refusal?: Code;
}

/** `results` has one entry, for an import one per item in order. */
export interface Outcome {
  nonce: string;
  results: Result[];
}

export interface DecidedRecord {
  type: 'decided';
  /** Random, 64 bits in hexadecimal. */
  id: string;
  /** Id of the decided record this one extends; '' for the first ever. */
  follows: string;
  /** Position of the last command decided in it. */
  upto: number;
  outcomes: Outcome[];
}

export interface AppliedRecord {
  type: 'applied';
  /** Position up to which the store has everything. */
  upto: number;
}

export type EventRecord = DecidedRecord | AppliedRecord;

export const isConversationEvent = (event: Event): event is ConversationEvent => 'conversation' in event;
