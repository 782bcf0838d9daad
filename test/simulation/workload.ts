import type { CallFrame } from '@parlance/schema/live';
import type { SimulatedClient } from './client.ts';
import type { Cluster } from './cluster.ts';

// What people do: mostly sensible things in few conversations, so that they meet; and now and then what no sensible client does.

export const users = ['ann', 'bob', 'cy'];
const directs = ['d:ann:bob', 'd:ann:ann', 'd:bob:cy'];
const groups = ['team', 'crew'];

export class Workload {
  readonly #cluster: Cluster;
  readonly #clients: readonly SimulatedClient[];
  #texts = 0;

  constructor(cluster: Cluster, clients: readonly SimulatedClient[]) {
    this.#cluster = cluster;
    this.#clients = clients;
  }

  /** The group most things happen in, as soon as anything does. */
  begin(): void {
    const client = this.#clients[0]!;
    client.write({ type: 'create_group', name: 'team', open: true, client_id: client.clientId() });
    client.write({ type: 'put_member', name: 'team', user: 'bob', client_id: client.clientId() });
  }

  act(): void {
    const { world } = this.#cluster;
    const { random } = world;
    const client = random.pick(this.#clients);
    const die = random.next();
    if (die < 0.72) client.write(this.#frame(client));
    else if (die < 0.84) this.attemptAnywhere(client);
    else if (die < 0.92) this.#repeat(client);
    else if (die < 0.94) client.restart();
    else if (die < 0.98) client.loadOlder(this.#conversation(client));
    else this.#register();
  }

  /** The same write at several nodes at once, and sometimes, by mistake, another with the same client_id. */
  attemptAnywhere(client: SimulatedClient): void {
    const { world } = this.#cluster;
    const { type, ...params } = this.#frame(client);
    const times = 1 + world.random.below(3);
    for (let time = 0; time < times; time++) {
      const isOther = 'text' in params && world.random.chance(0.25);
      const attempt = isOther ? { ...params, text: this.#text() } : params;
      world.after(world.delay() * 4, undefined, () => this.#cluster.call(client.user, type, attempt, () => undefined));
    }
  }

  /** A write that was decided long ago, again, or another body under its client_id. */
  #repeat(client: SimulatedClient): void {
    const decided = client.sent.filter(({ outcome }) => outcome?.type === 'accepted' || outcome?.problem.decided === true);
    if (decided.length === 0) return;
    const { type, ...params } = this.#cluster.world.random.pick(decided).frame;
    const isOther = 'text' in params && this.#cluster.world.random.chance(0.4);
    this.#cluster.call(client.user, type, isOther ? { ...params, text: this.#text() } : params, () => undefined);
  }

  /** Somebody registers under a name that a group may be about to take. */
  #register(): void {
    const { world, nodes } = this.#cluster;
    const node = world.random.pick(nodes);
    if (!node.isReady) return;
    const userId = world.random.pick(['crew', 'dora']);
    world.after(world.delay(), node.process, () => {
      void node.node.submit({ kind: 'register', key: userId, userId, email: 'x@example.org', displayName: userId, passwordHash: null, byAdmin: false });
    });
  }

  #text(): string {
    return `text ${++this.#texts}`;
  }

  #conversation(client: SimulatedClient): string {
    const { random } = this.#cluster.world;
    if (random.chance(0.6)) return `g:${random.chance(0.85) ? 'team' : 'crew'}`;
    return random.pick(directs.filter((id) => id.split(':').includes(client.user)));
  }

  #frame(client: SimulatedClient): CallFrame {
    const { random } = this.#cluster.world;
    const client_id = client.clientId();
    if (random.chance(0.25)) return this.#groupFrame(client, client_id);
    const conversation = this.#conversation(client);
    const { messages } = client.session.replica.get(conversation);
    if (messages.length === 0 || random.chance(0.5)) return { type: 'send_message', conversation, text: this.#text(), client_id };
    const mine = messages.filter(({ author }) => author === client.user);
    const message = random.pick(mine.length > 0 && random.chance(0.8) ? mine : messages);
    const msg_id = random.chance(0.05) ? String(message.seq + 1) : message.msg_id;
    const version = random.chance(0.4) ? { version: random.chance(0.85) ? message.version : message.version + 1 } : {};
    return random.chance(0.7)
      ? { type: 'edit_message', conversation, msg_id, text: this.#text(), client_id, ...version }
      : { type: 'delete_message', conversation, msg_id, client_id, ...version };
  }

  #groupFrame(client: SimulatedClient, client_id: string): CallFrame {
    const { random } = this.#cluster.world;
    const name = random.chance(0.85) ? 'team' : 'crew';
    const other = random.pick(users);
    const die = random.next();
    if (die < 0.12) return { type: 'create_group', name: random.pick(groups), open: random.chance(0.7), client_id };
    if (die < 0.2) return { type: 'update_group', name, client_id, ...(random.chance(0.5) ? { title: this.#text() } : { open: random.chance(0.7) }) };
    if (die < 0.4) return { type: 'put_member', name, user: client.user, client_id };
    if (die < 0.6)
      return { type: 'put_member', name, user: other, client_id, ...(random.chance(0.4) && { role: random.pick(['owner', 'admin', 'member'] as const) }) };
    if (die < 0.8) return { type: 'remove_member', name, user: client.user, client_id };
    return { type: 'remove_member', name, user: other, client_id };
  }

  /** The conversations that somebody sees something of. */
  conversationsOf(user: string): string[] {
    const { judge } = this.#cluster;
    return [...judge.conversations.keys()].filter((id) => judge.limit(user, id) > 0);
  }
}
