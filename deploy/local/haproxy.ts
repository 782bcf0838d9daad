import { connect } from 'node:net';
import { join } from 'node:path';
import { type Member, makeFolder, removeFolder, startMember, waitUntil } from './members.ts';
import { freePorts } from './ports.ts';

// Real HAProxy on this machine, with `../haproxy.cfg` as it is. Everything that differs is in its environment.

export interface ProxiedNode {
  /** host:port of its HTTP. */
  address: string;
  /** Of the same host. Left out: it has no agent, and keeps its full weight. */
  agentPort?: number;
}

export interface HaproxyOptions {
  /** 1 to 8; more with `addNode`. */
  nodes: readonly ProxiedNode[];
  /** A free one when left out. */
  port?: number;
  /** A file with certificate chain and key: people come in with TLS, and the plain port only redirects. */
  tlsPem?: string;
  /** More of the variables that haproxy.cfg names, such as `PARLANCE_ADDRESS_REQUESTS`. */
  variables?: Readonly<Record<string, string>>;
}

/** How HAProxy sees a node, for requests or for sockets. */
export interface NodeView {
  backend: 'requests' | 'sockets';
  /** `node1` and up, in the order given. */
  name: string;
  /** `UP`, `DOWN`, `DRAIN`, `MAINT`, or on the way between two, such as `DOWN 1/2`. */
  status: string;
  /** 0 to 100, of 100: by what its agent says. */
  weight: number;
  /** Open now: requests under way, or live sockets. */
  open: number;
  /** All since the start. */
  total: number;
}

export interface Haproxy {
  readonly member: Member;
  /** Where people come in: https with `tlsPem`. */
  readonly url: string;
  /** The plain port, also with `tlsPem`. */
  readonly plainUrl: string;
  /** One line to the runtime API (`set server requests/node1 state drain`); resolves with what it said. */
  command(line: string): Promise<string>;
  /** All nodes, once for requests and once for sockets. */
  nodes(): Promise<NodeView[]>;
  /** Resolves when it gives requests and sockets to each of these; rejects after `timeoutMs`, naming those it does not. */
  untilUp(names: readonly string[], timeoutMs: number): Promise<void>;
  /** Takes a node in that was not there at the start; resolves with its name. An agent named must answer before it gets work. Gone after a restart. */
  addNode(node: ProxiedNode): Promise<string>;
  /** Kills it and removes its folder. */
  stop(): Promise<void>;
}

const configFile = join(import.meta.dirname, '../haproxy.cfg');
const nodesMax = 8;
const readyTimeoutMs = 20_000;
/** Each costs two open files, of which a development machine may allow 4096. */
const connectionsMax = 2000;

/** Starts HAProxy and resolves when it listens; whether nodes are up is another question, see `nodes`. Rejects with what it said when it does not start. */
export async function startHaproxy({ nodes, port, tlsPem, variables = {} }: HaproxyOptions): Promise<Haproxy> {
  if (nodes.length > nodesMax) throw new Error(`haproxy.cfg has room for ${nodesMax} nodes, not ${nodes.length}.`);
  const folder = await makeFolder('haproxy');
  const [freePort, tlsPort] = (await freePorts(2)) as [number, number];
  const plainPort = port ?? freePort;
  const socket = join(folder, 'admin.sock');
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PARLANCE_')));
  const member = startMember({
    name: 'haproxy',
    address: `127.0.0.1:${plainPort}`,
    folder,
    command: 'haproxy',
    args: ['-db', '-f', configFile],
    env: {
      ...inherited,
      ...Object.fromEntries(nodes.flatMap(variablesOf)),
      PARLANCE_BIND: `127.0.0.1:${plainPort}`,
      PARLANCE_PROXY_SOCKET: socket,
      PARLANCE_PROXY_CONNECTIONS: String(connectionsMax),
      ...(tlsPem !== undefined && { PARLANCE_TLS_BIND: `127.0.0.1:${tlsPort}`, PARLANCE_TLS_PEM: tlsPem }),
      ...variables,
    },
    probe: () => command('show info').then((answer) => (answer.includes('Uptime') ? undefined : 'it gives no information')),
    readyTimeoutMs,
  });

  const command = (line: string): Promise<string> => ask(socket, line);
  let known = nodes.length;

  const proxy: Haproxy = {
    member,
    url: tlsPem === undefined ? `http://127.0.0.1:${plainPort}` : `https://127.0.0.1:${tlsPort}`,
    plainUrl: `http://127.0.0.1:${plainPort}`,
    command,
    nodes: async () => nodesOf(await command('show stat')),
    untilUp: (names, timeoutMs) =>
      waitUntil(
        'HAProxy',
        async () => {
          const down = (await proxy.nodes()).filter(({ name, status }) => names.includes(name) && status !== 'UP');
          return down.length === 0 ? undefined : `it does not have ${down.map(({ name, backend }) => `${name} (${backend})`).join(', ')}`;
        },
        { timeoutMs },
      ),
    async addNode({ address, agentPort }) {
      const name = `node${++known}`;
      const agent = agentPort === undefined ? '' : ` agent-check agent-port ${agentPort} agent-inter 1s`;
      // What `default-server` says in haproxy.cfg does not reach a server that is added.
      const settings = `check inter 1s fastinter 250ms downinter 1s fall 2 rise 1 weight 100${agent}`;
      for (const backend of ['requests', 'sockets']) {
        const server = `${backend}/${name}`;
        const answer = await command(`add server ${server} ${address} ${settings}`);
        if (!answer.includes('New server registered')) throw new Error(`HAProxy does not take ${address}: ${answer}`);
        await command(`enable health ${server}`);
        if (agentPort !== undefined) await command(`enable agent ${server}`);
        await command(`enable server ${server}`);
      }
      return name;
    },
    async stop() {
      await member.kill();
      await removeFolder(folder);
    },
  };
  try {
    await member.untilReady();
    return proxy;
  } catch (error) {
    await proxy.stop();
    throw error;
  }
}

const variablesOf = ({ address, agentPort }: ProxiedNode, index: number): [string, string][] => {
  const name = `PARLANCE_NODE${index + 1}`;
  // Nobody listens on port 1: an agent that cannot be reached says nothing, and the node keeps its weight.
  return [
    [name, address],
    [`${name}_AGENT_PORT`, String(agentPort ?? 1)],
  ];
};

const commandTimeoutMs = 5000;

function ask(path: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.setTimeout(commandTimeoutMs, () => socket.destroy(new Error('HAProxy does not answer on its socket')));
    socket.setEncoding('utf8');
    socket.on('error', reject);
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('end', () => resolve(answer));
    socket.write(`${line}\n`);
  });
}

/** Reads `show stat`: a table in CSV whose first line, after `# `, names the columns. */
function nodesOf(csv: string): NodeView[] {
  const [head = '', ...lines] = csv.trim().split('\n');
  const columns = head.replace(/^# /, '').split(',');
  return lines
    .map((line) => {
      const cells = line.split(',');
      return (name: string): string => cells[columns.indexOf(name)] ?? '';
    })
    .filter((cell) => /^node\d+$/.test(cell('svname')))
    .map((cell) => ({
      backend: cell('pxname') as NodeView['backend'],
      name: cell('svname'),
      status: cell('status'),
      weight: Number(cell('weight')),
      open: Number(cell('scur')),
      total: Number(cell('stot')),
    }));
}
