// Bugs for the simulation to find: a judge that never finds anything proves nothing. Each is a replacement of source text that is made while the
// module is loaded, so the code itself knows nothing of them. A plant whose text is no longer there, or there twice, fails loudly: mend it here.

/** A bug, as a replacement of source text. */
export interface Plant {
  name: string;
  /** End of the path of the file it is in. */
  file: string;
  /** Must be there exactly once; how it is broken into lines does not matter. */
  find: string;
  replace: string;
}

const plant = (name: string, file: string, find: string, replace: string): Plant => ({ name, file, find, replace });

const chain = 'server/src/sequencer/chain.ts';
const sequencer = 'server/src/sequencer/sequencer.ts';
const known = 'server/src/sequencer/known.ts';
const follow = 'server/src/node/follow.ts';
const decide = 'server/src/conversation/decide.ts';
const session = 'server/src/transport/session.ts';
const outbox = 'sdk/src/outbox.ts';
const held = 'sdk/src/conversation.ts';
const store = 'simulation/store.ts';

export const plants: readonly Plant[] = [
  // ── the sequencer ──
  plant('the chain is not checked', chain, "if (record.follows !== this.lastId) return 'skipped';", ''),
  plant('decided commands are forgotten on restart', chain, 'this.lastCommand = row.lastCommand;', 'this.lastCommand = -1;'),
  plant('own decisions outlive their base', sequencer, 'this.#known.drop();', ''),
  plant('the next command stays when the base is lost', sequencer, 'this.#next = this.#chain.lastCommand + 1;', ''),
  plant('a lost base does not end the wait for commands', sequencer, 'base !== this.#base || isRead', 'isRead'),
  plant('facts miss one’s own undelivered decisions', known, 'if (!never.has(row.table)) this.#undelivered.set(key, row);', ';'),
  plant('facts miss records not yet applied', known, 'this.#entries.set(key, { row, pins: (entry?.pins ?? 0) + 1 });', ''),
  plant(
    'facts are dropped while an older read is in use',
    sequencer,
    'if (this.#reading) this.#retired.push(next.rows);\n      else this.#known.unpin(next.rows);',
    'this.#known.unpin(next.rows);',
  ),
  plant(
    'a batch is decided on a base that is lost',
    sequencer,
    'if (base !== this.#base || this.#isEnded) return;\n      this.#known.fill',
    'this.#known.fill',
  ),
  plant(
    'applied is announced before it is true',
    sequencer,
    'await this.#store.apply(this.#log',
    'this.#appliedUpto = next.at.position;\n      this.#changed();\n      await this.#store.apply(this.#log',
  ),
  plant(
    'the position row says more than its position',
    sequencer,
    '[...next.rows.values()], next.at, next.follows',
    '[...next.rows.values()], { ...this.#chain.row(), position: next.at.position }, next.follows',
  ),
  plant('a take-over announces nothing', sequencer, 'this.#appliedUpto = row.position;', 'this.#appliedUpto = this.#announcedUpto = row.position;'),
  plant('an append in doubt is not repeated', sequencer, 'if (!isWanted() || this.#isEnded) return;', 'return;'),

  // ── the node ──
  plant(
    'a node answers before apply',
    follow,
    'followed.decided.push({ position, record: record as DecidedRecord });',
    '{ followed.decided.push({ position, record: record as DecidedRecord }); this.#release(followed.decided, position); }',
  ),
  plant('a node believes skipped records', follow, "if (kind === 'decided') followed", "if (record.type === 'decided') followed"),
  plant(
    'sockets are not told after a gap was bridged',
    follow,
    'if (this.#lost.delete(partition)) for (const listener of this.listeners) listener.lost();',
    '',
  ),
  plant(
    'an answer is matched by client_id',
    'server/src/node/node.ts',
    'command.nonce =',
    "command.nonce = 'clientId' in command ? String(command.clientId) :",
  ),

  // ── the rules ──
  plant('a refusal is not stored', decide, 'return { decision: this.#decision(0, 0, version, this.time, code) };', 'return { refusal: code };'),
  plant('a repetition is decided again', decide, 'if (prior !== undefined) return [repeat(prior, command)];', ''),
  plant('decisions are forgotten on restart', 'server/src/conversation/facts.ts', "keys.push({ table: 'decision', key: command.decisionKey });", ''),
  plant('another body gets the first answer', decide, 'prior.fingerprint === attempt.fingerprint ?', 'prior.key === attempt.decisionKey ?'),
  plant('the fingerprint leaves out the text', 'server/src/transport/submit.ts', 'return [body.kind, body.text];', 'return [body.kind];'),
  plant('anybody may edit', decide, "if (!isAllowed) return place.refuse('not_the_author');", ''),
  plant('the version is not checked', decide, "return place.refuse('version_mismatch', message.version);", ';'),
  plant('who has left may still write', 'server/src/store/facts.ts', 'return row?.left === null ? row : undefined;', 'return row;'),
  plant('a deleted message can be edited', decide, "if (message.deleted) return place.refuse('message_deleted');", ''),
  plant('time goes back', decide, 'this.time = Math.max(now, head.time);', 'this.time = now;'),
  plant('a delete keeps the text', decide, "{ ...message, text: '', deleted: true }", '{ ...message, deleted: true }'),
  plant('an edit does not move the head', 'server/src/conversation/fold.ts', 'messageSeq: about, version }, head];', 'messageSeq: about, version }];'),

  // ── live sockets ──
  plant('resume is off by one', session, 'followed.cursor = Math.min(from ?? seq, seq);', 'followed.cursor = Math.min((from ?? seq) + 1, seq);'),
  plant(
    'the backlog goes on after a leaving',
    session,
    "if (newest?.kind !== 'left' && newest?.kind !== 'removed') return page;",
    'if (newest !== null) return page;',
  ),
  plant(
    'live events overtake the backlog',
    session,
    'if (event.seq <= followed.cursor || !followed.isLive) return;',
    'if (event.seq <= followed.cursor) return;',
  ),
  plant(
    'a removed member is still followed',
    'server/src/transport/hub.ts',
    'remove(this.#ofConversation, conversation, listener);\n        listener.end(conversation, seq);',
    '',
  ),
  plant('a socket stays though events were missed', session, "this.close(closeCodes.cannotVouch, 'events may have been missed; reconnect and resume');", ''),
  plant('a repetition is not acknowledged', session, "if (!write.isPushed) this.#send({ type: 'ack'", "if (write.lane === '') this.#send({ type: 'ack'"),

  // ── the SDK ──
  plant(
    'a retry takes a new client_id',
    outbox,
    'withFirst(state.queues[write.queue]!, { sentAt: null,',
    'withFirst(state.queues[write.queue]!, { clientId: write.clientId + "r", frame: { ...write.frame, client_id: write.clientId + "r" }, sentAt: null,',
  ),
  plant(
    'reconnecting turns the queue round',
    outbox,
    '[id, withFirst(writes, { dueAt: event.now })]',
    '[id, withFirst([...writes].reverse(), { dueAt: event.now })]',
  ),
  plant('the SDK folds an event twice', held, "if (change.seq <= state.seq) return { state, fold: 'duplicate' };", ''),
  plant('the SDK shows a gap', held, "if (change.seq > state.seq + 1) return { state: withHead(state, change.seq), fold: 'gap' };", ''),
  plant('the SDK resumes from the head', 'sdk/src/replica.ts', 'map(({ id, seq }) => [id, seq])', 'map(({ id, head }) => [id, head])'),
  plant(
    'the SDK resumes from one too far',
    'sdk/src/session.ts',
    'seq: this.replica.get(conversation).seq });',
    'seq: this.replica.get(conversation).seq + 1 });',
  ),

  // ── the store ──
  plant(
    'the position is saved first',
    store,
    'await this.#write(others, time);',
    'await this.#write([[positionKey(partition), at]], time);\n    await this.#write(others, time);',
  ),
  plant(
    'the head is written before its rows',
    store,
    'await this.#write(others, time);\n    await this.#write(heads, time);',
    'await this.#write(heads, time);\n    await this.#write(others, time);',
  ),
  plant('one replica is enough', store, 'if (acknowledged === 2) resolve();', 'if (acknowledged === 1) resolve();'),
  plant('reads do not repair', store, 'if (replica !== left) cells[replica] = newest;', 'void replica;'),
  plant('the last write wins whatever its position', store, 'if (known === undefined || known.at < cell.at) cells[replica] = cell;', 'cells[replica] = cell;'),
];
