import type { CallFrame, ClientFrame, ServerFrame } from '@parlance/schema/live';
import { expect, test } from 'vitest';
import { FakeConnection, FakeServer, problemOf } from '../test-support/fake-server.ts';
import { randomOf, seedOf } from '../test-support/random.ts';
import { foldEvent, holdPage, unknownConversation } from './conversation.ts';
import { defaults, Session, type SessionEffect } from './session.ts';

// One session against the fake server, over a link that loses connections at any moment, hands the same event over twice, leaves events out,
// and a server that refuses undecided. The numbers are those of SPEC.md.

const direct = 'd:ada:bob';
const group = 'g:team';

const chance = { now: 0, random: 0 };
const message = (seq: number, by: string, client_id?: string): ServerFrame => {
  const time = '2026-01-01T00:00:00.000Z';
  const event = { type: 'event', conversation: direct, seq, time, by, kind: 'message', msg_id: `${seq}`, version: 1 } as const;
  const frame = { ...event, message: { msg_id: `${seq}`, seq, kind: 'message' as const, author: by, text: `${seq}`, version: 1, time } };
  return client_id === undefined ? frame : { ...frame, client_id };
};
const send = (client_id: string): CallFrame => ({ type: 'send_message', conversation: direct, text: 'x', client_id });
const sent = (effects: SessionEffect[]) => effects.flatMap((effect) => (effect.type === 'send' ? [effect.frame] : []));

/** Brings a session live on its next socket. */
function goLive(session: Session): SessionEffect[] {
  const effects = session.connect({ type: 'start', ...chance });
  const { socket } = session.connection;
  effects.push(...session.connect({ type: 'opened', socket, ...chance }));
  effects.push(...session.frame(socket, { type: 'welcome', user_id: 'ada', session_id: 's', time: '' }, chance));
  effects.push(...session.frame(socket, { type: 'caught_up' }, chance));
  return effects;
}

function held(): Session {
  const session = new Session('ada', null);
  goLive(session);
  session.hold(new FakeServer().summary('@bob', 'ada'), [], false, 0);
  session.frame(1, message(1, 'bob'), chance);
  return session;
}

test('a gap is asked for once, from the seq that is held', () => {
  const session = held();
  expect(sent(session.frame(1, message(4, 'bob'), chance))).toEqual([{ type: 'resume', conversation: direct, seq: 1 }]);
  expect(sent(session.frame(1, message(5, 'bob'), chance))).toEqual([]);
  expect(session.view(direct)).toMatchObject({ seq: 1, head: 5 });
});

test('a gap that nothing came for is asked for again, on this socket after a while, on the next at once', () => {
  const session = held();
  session.frame(1, message(4, 'bob'), chance);
  const again = { type: 'resume', conversation: direct, seq: 1 };
  expect(sent(session.tick({ now: defaults.resumeTimeoutMs, random: 0 }))).toContainEqual(again);
  session.connect({ type: 'closed', socket: 1, code: 1006, ...chance });
  expect(sent(goLive(session))).toEqual([{ type: 'hello', resume: { [direct]: 1 } }]);
  expect(sent(session.frame(2, message(6, 'bob'), chance))).toEqual([again]);
});

test('another’s event with the client_id of a write is not its answer', () => {
  const session = held();
  session.write(direct, send('c'), 0);
  expect(session.frame(1, message(2, 'bob', 'c'), chance).filter(({ type }) => type === 'report')).toEqual([]);
  expect(session.frame(1, message(3, 'ada', 'c'), chance).filter(({ type }) => type === 'report')).toHaveLength(1);
});

test('one’s own event answers a write also when it comes after a gap, and is shown in its place only', () => {
  const session = held();
  session.write(direct, send('c'), 0);
  const reports = session.frame(1, message(3, 'ada', 'c'), chance).filter(({ type }) => type === 'report');
  expect(reports).toMatchObject([{ outcome: { type: 'accepted', answer: { msg_id: '3', seq: 3, version: 1, decided: true } } }]);
  expect(session.view(direct).messages.map(({ seq, state }) => [seq, state])).toEqual([
    [1, 'stored'],
    [3, 'sending'],
  ]);
  session.frame(1, message(2, 'bob'), chance);
  session.frame(1, message(3, 'ada'), chance);
  expect(session.view(direct).messages.map(({ seq, state }) => [seq, state])).toEqual([
    [1, 'stored'],
    [2, 'stored'],
    [3, 'stored'],
  ]);
});

test('while there is no connection nothing is sent and nothing times out', () => {
  const session = held();
  session.write(direct, send('c'), 0);
  session.connect({ type: 'closed', socket: 1, code: 1006, ...chance });
  expect(session.outbox.isOnline).toBe(false);
  expect(sent(session.write('d:ada:carl', { ...send('d'), conversation: 'd:ada:carl' } as CallFrame, 0))).toEqual([]);
  expect(session.deadline).toBe(session.connection.deadline);
});

test('frames before the welcome and of an older socket are not looked at', () => {
  const session = new Session('ada', null);
  session.connect({ type: 'start', ...chance });
  session.connect({ type: 'opened', socket: 1, ...chance });
  session.frame(1, message(1, 'bob'), chance);
  expect(session.replica.list()).toEqual([]);
  session.connect({ type: 'closed', socket: 1, code: 1006, ...chance });
  goLive(session);
  session.frame(1, message(1, 'bob'), chance);
  expect(session.replica.list()).toEqual([]);
});

/** One run from one seed. Throws when an invariant is broken. */
function walk(seed: number): { accepted: number; failed: number; hellos: number } {
  const random = randomOf(seed);
  const isSo = (probability: number): boolean => random() < probability;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const server = new FakeServer();
  let isRough = true;
  for (const user of ['ada', 'bob']) server.write(user, { type: 'put_member', name: 'team', user, client_id: `join-${user}` });
  const undecided = [problemOf('unavailable', 503, false), problemOf('rate_limited', 429, false), problemOf('earlier_write_failed', 424, false)];
  server.refuse = (frame, author) => {
    if (!isRough || author !== 'ada' || !isSo(0.2)) return undefined;
    const problem = pick(undecided);
    // Outcome unknown may mean that it was decided all the same.
    if (problem.code === 'unavailable' && isSo(0.5)) {
      server.refuse = () => undefined;
      server.write('ada', frame);
      server.refuse = refuse;
    }
    return problem;
  };
  const { refuse } = server;

  const session = new Session('ada', 'token', { ...defaults, replica: { messagesMax: 1000 }, resumeTimeoutMs: 2000 });
  let now = 0;
  let count = 0;
  let hellos = 0;
  let link: { socket: number; connection: FakeConnection; up: ClientFrame[]; down: ServerFrame[] } | undefined;
  const written = new Map<string, string[]>();
  const reports = new Map<string, SessionEffect & { type: 'report' }>();
  const inFlight = new Map<string, string>();
  const frames = new Map<string, string>();

  const cut = (code = 1006): void => {
    if (link === undefined) return;
    const { socket, connection } = link;
    connection.close();
    link = undefined;
    run(session.connect({ type: 'closed', socket, code, now, random: random() }));
  };
  const run = (effects: SessionEffect[]): void => {
    for (const effect of effects) {
      if (effect.type === 'open') {
        const down: ServerFrame[] = [];
        const connection = new FakeConnection(server, 'ada', (frame) => {
          if (isRough && frame.type === 'event' && isSo(0.05)) return; // A gap.
          down.push(frame);
          if (isRough && frame.type === 'event' && isSo(0.1)) down.push(frame);
        });
        link = { socket: effect.socket, connection, up: [], down };
      } else if (effect.type === 'close') {
        link?.connection.close();
        link = undefined;
      } else if (effect.type === 'send') {
        if (effect.frame.type === 'hello') hellos++;
        link?.up.push(effect.frame);
      } else if (effect.type === 'report') {
        // O1: every write is reported once.
        expect(reports.has(effect.write.clientId), `O1 seed ${seed}`).toBe(false);
        reports.set(effect.write.clientId, effect);
        if (inFlight.get(effect.write.queue) === effect.write.clientId) inFlight.delete(effect.write.queue);
      }
      if (effect.type === 'send' && 'client_id' in effect.frame && effect.frame.type !== 'mark_read') {
        // O4: every attempt is the same frame.
        const text = JSON.stringify(effect.frame);
        expect(frames.get(effect.frame.client_id) ?? text, `O4 seed ${seed}`).toBe(text);
        frames.set(effect.frame.client_id, text);
        // O2: one unresolved write per conversation.
        const queue = (effect.frame as { conversation: string }).conversation;
        expect([undefined, effect.frame.client_id], `O2 seed ${seed}`).toContain(inFlight.get(queue));
        inFlight.set(queue, effect.frame.client_id);
      }
    }
    for (const conversation of [direct, group]) check(conversation);
  };

  // R1, R2: what is held is exactly the fold of the events up to its seq; nothing beyond, nothing out of order.
  const check = (conversation: string): void => {
    const held = session.replica.get(conversation);
    if (!held.isHeld) return;
    // Written out, for it runs at every step: expect() is slow.
    for (const [index, { seq }] of held.messages.entries()) {
      if (seq <= (held.messages[index - 1]?.seq ?? 0) || seq > held.seq) throw new Error(`R1 seed ${seed}: ${seq} is out of order in ${conversation}`);
    }
    const shown = session.view(conversation).messages.flatMap(({ client_id }) => (client_id === undefined ? [] : [client_id]));
    if (shown.length !== new Set(shown).size) throw new Error(`V1 seed ${seed}: a message is shown twice in ${conversation}`);
  };

  const write = (conversation: string): void => {
    const client_id = `c${count++}`;
    const msg_id = String(1 + Math.floor(random() * (server.seq(conversation) + 1)));
    const kind = random();
    const frame: CallFrame =
      kind < 0.7
        ? { type: 'send_message', conversation, text: pick(['yes', 'no']), client_id }
        : kind < 0.9
          ? { type: 'edit_message', conversation, msg_id, text: `edit ${client_id}`, client_id }
          : { type: 'delete_message', conversation, msg_id, client_id };
    written.set(conversation, [...(written.get(conversation) ?? []), client_id]);
    run(session.write(conversation, frame, now));
  };

  const deliver = (): void => {
    if (link === undefined) return;
    const { socket, connection } = link;
    if (session.connection.name === 'connecting') {
      run(session.connect({ type: 'opened', socket, now, random: random() }));
      return;
    }
    const direction = isSo(0.5) ? 'up' : 'down';
    const up = direction === 'up' ? link.up.shift() : undefined;
    const down = direction === 'down' ? link.down.shift() : undefined;
    if (up !== undefined) connection.receive(up);
    if (down !== undefined) run(session.frame(socket, down, { now, random: random() }));
  };

  const hold = (conversation: string): void => {
    const summary = server.summary(conversation, 'ada');
    if (isSo(0.5)) server.write('bob', { type: 'send_message', conversation, text: 'meanwhile', client_id: `b${count++}` });
    const { messages, next_cursor } = server.page(conversation, undefined, 3);
    run(session.hold(summary, messages, next_cursor !== null, now));
  };

  run(session.connect({ type: 'start', now, random: random() }));
  for (let at = 0; at < 400; at++) {
    now += Math.floor(random() * 100);
    const what = random();
    if (what < 0.6) deliver();
    else if (what < 0.72) write(pick([direct, group]));
    else if (what < 0.8) server.write('bob', { type: 'send_message', conversation: pick([direct, group]), text: 'yes', client_id: `b${count++}` });
    else if (what < 0.83) cut();
    else if (what < 0.85) hold(pick([direct, group]));
    else {
      if (isSo(0.1)) now += 20_000;
      run(session.tick({ now, random: random() }));
    }
  }
  // Calm: everything must come to its end.
  isRough = false;
  hold(direct);
  hold(group);
  for (let at = 0; at < 20_000; at++) {
    now += 10;
    if (link === undefined || (link.up.length === 0 && link.down.length === 0)) run(session.tick({ now, random: random() }));
    deliver();
    const isDone = [...written.values()].flat().every((id) => reports.has(id));
    if (isDone && [direct, group].every((id) => session.replica.get(id).seq === server.seq(id)) && link?.down.length === 0) break;
  }

  for (const conversation of [direct, group]) {
    const ids = written.get(conversation) ?? [];
    // O1: each is reported; O3: in the order written, and accepted ones stand in that order.
    expect(
      ids.filter((id) => !reports.has(id)),
      `O1 seed ${seed}`,
    ).toEqual([]);
    const order = [...reports.keys()].filter((id) => ids.includes(id));
    expect(order, `O3 seed ${seed}`).toEqual(ids);
    const stands = (server.events.get(conversation) ?? []).flatMap(({ by, client_id, kind }) => (by === 'ada' && kind !== 'joined' ? [client_id] : []));
    const accepted = ids.filter((id) => reports.get(id)!.outcome.type === 'accepted');
    expect(stands, `O3 seed ${seed}`).toEqual(accepted);
    // R3: the replica is the fold of the events.
    let expected = holdPage(unknownConversation(conversation, 'ada'), 0, [], false);
    for (const { type: _, client_id: __, ...change } of server.events.get(conversation) ?? []) expected = foldEvent(expected, change, 'ada', 1000).state;
    const held = session.replica.get(conversation);
    expect(held.seq, `R3 seed ${seed}`).toBe(server.seq(conversation));
    expect(held.messages, `R3 seed ${seed}`).toEqual(expected.messages.filter(({ seq }) => seq >= held.from));
    expect(held.messages, `R3 seed ${seed}`).toEqual([...server.messages.get(conversation)!.values()].filter(({ seq }) => seq >= held.from));
    // V2: nothing is left over in the view.
    expect(
      session.view(conversation).messages.filter(({ state }) => state !== 'stored'),
      `V2 seed ${seed}`,
    ).toEqual([]);
  }
  const outcomes = [...reports.values()].map(({ outcome }) => outcome.type);
  return { accepted: outcomes.filter((type) => type === 'accepted').length, failed: outcomes.filter((type) => type === 'failed').length, hellos };
}

test('whatever the link does, every write is reported once, in order, and the replica is the fold of the events', () => {
  const first = seedOf('SDK_SEED');
  const sums = { accepted: 0, failed: 0, hellos: 0 };
  for (let run = 0; run < (process.env.SDK_SEED === undefined ? 100 : 1); run++) {
    const sum = walk(first + run);
    for (const key of ['accepted', 'failed', 'hellos'] as const) sums[key] += sum[key];
  }
  // The walk must have met what it is about.
  for (const sum of Object.values(sums)) expect(sum).toBeGreaterThan(0);
});
