import { type Answer, type Call, type CallName, calls } from '@parlance/schema/calls';
import { problems } from '@parlance/schema/errors';
import { foldName } from '@parlance/schema/ids';
import { inboxMax, pageMax } from '@parlance/schema/limits';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../node/refusal.ts';
import { newClientId } from '../node/writes.ts';
import type { CallContext, HandlerInput } from './context.ts';
import { noCookie, sessionCookie } from './credentials.ts';
import type { Site } from './http.ts';
import { perform } from './perform.ts';
import { invalid, validate } from './validate.ts';

// The classic contract: the JSON bodies of the system that Parlance grows out of, kept to the letter, over the same calls as everything else. Strings stay
// strings, "true" and "false" too; fields that a body has beyond those named here are ignored, since old clients send more than was ever written down.

/** Messages, users or groups in one answer; then `next` says where to go on. */
const rowsMax = 10_000;

type Fields = Record<string, unknown>;

/** A classic call: whose `uid` it is made for, what `op_type` must be if it is given, and what it does. */
interface Classic {
  who: 'uid' | 'uid1';
  isPublic?: true;
  opType?: string;
  run(body: Body, reply: FastifyReply): Promise<Fields | Refusal>;
}

const table: Record<string, Classic> = {
  register: {
    who: 'uid',
    isPublic: true,
    run: async (body) => ack(await body.make('register', { user_id: body.text('uid'), email: body.text('email'), password: body.text('password') })),
  },
  login: {
    who: 'uid',
    isPublic: true,
    run: async (body, reply) => {
      const session = await body.make('log_in', { user_id: body.text('uid'), password: body.text('password') });
      if (session instanceof Refusal) return session;
      reply.header('set-cookie', sessionCookie(session.token, body.context.config)).header('authorization', `Bearer ${session.token}`);
      return ok;
    },
  },
  logout: {
    who: 'uid',
    run: async (body, reply) => {
      reply.header('set-cookie', noCookie(body.context.config));
      return ack(await body.make('log_out', {}));
    },
  },
  send: {
    who: 'uid1',
    run: async (body) => {
      const [uid2, msg] = [body.text('uid2'), body.text('msg')];
      // Users and groups share their names, so the name alone says which it is.
      const isGroup = !(await body.context.seen.isUser(foldName(uid2)));
      const sent = await body.make('send_message', { conversation: `${isGroup ? '#' : '@'}${uid2}`, text: msg });
      if (sent instanceof Refusal) return sent;
      return { ...ok, msg_id: sent.msg_id, timestamp: timestamp(sent.time), uid1: body.text('uid1'), uid2, msg };
    },
  },
  update: {
    who: 'uid1',
    opType: 'update',
    run: async (body) => ack(await body.make('edit_message', { conversation: body.conversation(), msg_id: body.text('msg_id'), text: body.text('msg') })),
  },
  delete: {
    who: 'uid1',
    opType: 'delete',
    run: async (body) => ack(await body.make('delete_message', { conversation: body.conversation(), msg_id: body.text('msg_id') })),
  },
  fetch_msg: {
    who: 'uid1',
    run: async (body) => {
      const conversation = body.conversation();
      const read = async (after: string | undefined, limit: number) => {
        const page = await body.make('list_messages', { conversation, after: after ?? '0', limit });
        return page instanceof Refusal ? page : { rows: page.messages.filter((message) => !message.deleted), next: page.next_cursor };
      };
      const all = await collect(body, read);
      if (all instanceof Refusal) return all;
      const msgs = all.rows.map(({ author, text, time, msg_id }) => ({ uid2: author, msg: text, timestamp: timestamp(time), msg_id }));
      return { msgs, ...all.more };
    },
  },
  fetch_user: {
    who: 'uid1',
    opType: 'fetch_user',
    run: async (body) => {
      const all = await (body.flag('isGroup') ? membersOf(body, body.text('uid2')) : collect(body, directory(body)));
      return all instanceof Refusal ? all : { users: all.rows, ...all.more };
    },
  },
  /** The groups that the user is in. */
  fetch_group: {
    who: 'uid',
    run: async (body) => {
      const { node, caller } = body.context;
      const memberships = await node.store.memberships(caller!.userId, inboxMax);
      const isGroup = memberships.filter(({ member }) => member.left === null && member.conversation.startsWith('g:'));
      const names = isGroup.map(({ member }) => member.conversation.slice('g:'.length)).sort();
      const all = await collect(body, async (after = '', limit) => {
        const rest = names.filter((name) => name > after);
        return { rows: rest.slice(0, limit), next: rest.length > limit ? rest[limit - 1]! : null };
      });
      return all instanceof Refusal ? all : { groups: all.rows, ...all.more };
    },
  },
  create_group: { who: 'uid', run: async (body) => ack(await body.make('create_group', { name: body.text('group'), open: true })) },
  join_group: { who: 'uid', run: async (body) => ack(await body.make('put_member', { name: body.text('group'), user: body.text('uid') })) },
  leave_group: { who: 'uid', run: async (body) => ack(await body.make('remove_member', { name: body.text('group'), user: body.text('uid') })) },
  show_group: {
    who: 'uid',
    run: async (body) => {
      const group = body.text('group');
      const all = await membersOf(body, group);
      return all instanceof Refusal ? all : { group, members: all.rows, ...all.more };
    },
  },
};

/** Adds the addresses of the classic contract. */
export function addClassic({ app, contextOf, refusalOf }: Site): void {
  for (const [name, classic] of Object.entries(table)) {
    app.post(`/classic/${name}`, {
      errorHandler: (error, request, reply) => void refuse(reply, '', refusalOf(error, request)),
      handler: (request, reply) => answer(classic, request, reply),
    });
  }

  const answer = async (classic: Classic, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const fields = typeof request.body === 'object' && request.body !== null && !Array.isArray(request.body) ? (request.body as Fields) : {};
    const uid = Object.hasOwn(fields, classic.who) && typeof fields[classic.who] === 'string' ? (fields[classic.who] as string) : '';
    const context = await contextOf(request);
    if (context instanceof Refusal) return refuse(reply, uid, context);
    const result = await attempt(classic, new Body(fields, context), uid, reply);
    if (result instanceof Refusal) return refuse(reply, uid, result);
    return reply.type('application/json').send(JSON.stringify(result.uid1 === undefined ? { uid, ...result } : result));
  };

  const attempt = async (classic: Classic, body: Body, uid: string, reply: FastifyReply): Promise<Fields | Refusal> => {
    try {
      body.text(classic.who);
      if (classic.opType !== undefined && body.has('op_type') && body.text('op_type') !== classic.opType)
        return invalid('op_type', `must be "${classic.opType}"`);
      if (classic.isPublic !== true) {
        const { caller } = body.context;
        if (caller === undefined) return new Refusal('not_signed_in');
        if (foldName(uid) !== caller.userId) return new Refusal('not_signed_in', { detail: `The session is of another user than ${classic.who}.` });
      }
      return await classic.run(body, reply);
    } catch (error) {
      if (error instanceof BadField) return error.refusal;
      throw error;
    }
  };

  const refuse = (reply: FastifyReply, uid: string, refusal: Refusal): FastifyReply => {
    if (refusal.retryAfterS !== undefined) reply.header('retry-after', String(refusal.retryAfterS));
    const body = { uid, ack: 'error', code: refusal.code, error: refusal.detail };
    return reply.code(problems[refusal.code].status).type('application/json').send(JSON.stringify(body));
  };
}

const ok = { ack: 'ok' };

const ack = (result: unknown): Fields | Refusal => (result instanceof Refusal ? result : ok);

const timestamp = (time: string | null): string => String(Date.parse(time ?? ''));

/** A field that is missing or of the wrong kind, thrown to the one place that answers. */
class BadField extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.detail);
    this.refusal = refusal;
  }
}

/** What the fields of the calls are called here, so that a refusal names the one that was sent. */
const classicNames: Record<string, string> = { user_id: 'uid', user: 'uid', text: 'msg', conversation: 'uid2', name: 'group' };

/** The body of a classic call, and the calls it makes. */
class Body {
  readonly context: CallContext;
  readonly #fields: Fields;

  constructor(fields: Fields, context: CallContext) {
    this.#fields = fields;
    this.context = context;
  }

  has(field: string): boolean {
    return Object.hasOwn(this.#fields, field) && this.#fields[field] !== undefined && this.#fields[field] !== null;
  }

  text(field: string): string {
    if (!this.has(field)) throw new BadField(invalid(field, 'is missing'));
    const value = this.#fields[field];
    if (typeof value !== 'string') throw new BadField(invalid(field, 'must be a string'));
    return value;
  }

  /** "true" and "false", or true and false; false when left out. */
  flag(field: string): boolean {
    if (!this.has(field)) return false;
    const value = this.#fields[field];
    if (value === true || value === 'true') return true;
    if (value === false || value === 'false') return false;
    throw new BadField(invalid(field, 'must be "true" or "false"'));
  }

  /** A whole number, as one or as a string; the maximum when left out. */
  limit(): number {
    if (!this.has('limit')) return rowsMax;
    const value = Number(this.#fields.limit);
    if (Number.isInteger(value) && value >= 1) return Math.min(value, rowsMax);
    throw new BadField(invalid('limit', 'must be a whole number from 1'));
  }

  conversation(): string {
    return `${this.flag('isGroup') ? '#' : '@'}${this.text('uid2')}`;
  }

  /** Makes a call of today's contract. */
  async make<N extends CallName>(name: N, given: Omit<HandlerInput<N>, 'client_id'>): Promise<Answer<N> | Refusal> {
    const call: Call = calls[name];
    const clientId = call.write === true ? { client_id: this.has('client_id') ? this.text('client_id') : newClientId(this.context.node.time()) } : {};
    const input = validate(name, { ...given, ...clientId });
    if (!(input instanceof Refusal)) return perform(name, this.context, input as HandlerInput<N>);
    const field = input.field === undefined ? undefined : (classicNames[input.field] ?? input.field);
    return field === undefined ? input : invalid(field, 'is not as described');
  }
}

type Read<R> = (after: string | undefined, limit: number) => Promise<{ rows: R[]; next: string | null } | Refusal>;

/** Reads pages until there are as many rows as asked for; `more` holds `next` when there are more. */
async function collect<R>(body: Body, read: Read<R>): Promise<{ rows: R[]; more: { next?: string } } | Refusal> {
  const limit = body.limit();
  const rows: R[] = [];
  let after = body.has('after') ? body.text('after') : undefined;
  for (;;) {
    const page = await read(after, Math.min(pageMax, limit - rows.length));
    if (page instanceof Refusal) return page;
    rows.push(...page.rows);
    if (page.next === null) return { rows, more: {} };
    if (rows.length >= limit) return { rows, more: { next: page.next } };
    after = page.next;
  }
}

const directory =
  (body: Body): Read<string> =>
  async (after, limit) => {
    const page = await body.make('list_users', { limit, ...(after !== undefined && { cursor: after }) });
    return page instanceof Refusal ? page : { rows: page.users.map((user) => user.user_id), next: page.next_cursor };
  };

const membersOf = (body: Body, group: string) =>
  collect(body, async (after, limit) => {
    const page = await body.make('list_members', { name: group, limit, ...(after !== undefined && { cursor: after }) });
    return page instanceof Refusal ? page : { rows: page.members.map((member) => member.user), next: page.next_cursor };
  });
