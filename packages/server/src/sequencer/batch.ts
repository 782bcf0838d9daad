import { decide as decideAccount } from '../account/decide.ts';
import { factsOf as accountFactsOf } from '../account/facts.ts';
import { fold as foldAccount } from '../account/fold.ts';
import { decide as decideConversation } from '../conversation/decide.ts';
import { factsOf as conversationFactsOf } from '../conversation/facts.ts';
import { fold as foldConversation } from '../conversation/fold.ts';
import type { AccountCommand, Command, ConversationCommand } from '../journal/command.ts';
import { type DecidedRecord, isConversationEvent, type Outcome, type Result } from '../journal/record.ts';
import { Facts } from '../store/facts.ts';
import { keyOf, type Row, type RowKey } from '../store/rows.ts';

// Where the sequencer meets the two domains: which facts a command needs, what comes of it, and what rows a record makes.

const isOfConversation = (command: Command): command is ConversationCommand => 'conversation' in command;

export const factsOf = (command: Command): RowKey[] => (isOfConversation(command) ? conversationFactsOf(command) : accountFactsOf(command as AccountCommand));

/**
 * Decides a batch of commands in order, each on what the ones before it left. Returns the outcomes, and the rows they make by key.
 * `get` gives the facts before the batch.
 */
export function decideBatch(commands: readonly Command[], get: (key: string) => Row | undefined, now: number): { outcomes: Outcome[]; rows: Map<string, Row> } {
  const rows = new Map<string, Row>();
  const facts = new Facts((key) => rows.get(key) ?? get(key));
  const outcomes = commands.map((command): Outcome => {
    const results = isOfConversation(command) ? decideConversation(facts, command, now) : decideAccount(facts, command as AccountCommand, now);
    for (const result of results) collect(result, rows);
    return { nonce: command.nonce, results };
  });
  return { outcomes, rows };
}

/** The rows of a record, derived from it alone and folded to the last value per key: two values at one position would be settled by the engine’s tie rule. */
export function rowsOf(record: DecidedRecord): Map<string, Row> {
  const rows = new Map<string, Row>();
  for (const outcome of record.outcomes) for (const result of outcome.results) collect(result, rows);
  return rows;
}

function collect(result: Result, rows: Map<string, Row>): void {
  const { event, decision } = result;
  if (event !== undefined) {
    for (const row of isConversationEvent(event) ? foldConversation(event) : foldAccount(event)) rows.set(keyOf(row), row);
  }
  if (decision !== undefined && result.repeated !== true) rows.set(keyOf(decision), decision);
}
