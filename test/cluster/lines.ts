import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { basename } from 'node:path';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

// The lines between any two members of a cluster, each of which can be cut, held in one direction, or made long. An engine has one address for everybody, so a front
// listens there and asks the kernel which member a connection comes from: every member runs in a folder of its own name. From the front it goes on over the line of
// just these two.
//
//     node1 ──┐             ┌── line node1>kafka2 ──┐
//     node2 ──┼──▶ front ───┼── line node2>kafka2 ──┼──▶ kafka2
//     node3 ──┘             └── line node3>kafka2 ──┘

export interface Address {
  host: string;
  port: number;
}

export class Lines {
  readonly #fronts: Server[] = [];
  readonly #lines = new Map<string, Promise<TcpProxy>>();
  readonly #targets = new Map<string, Address>();

  /** Listens for connections to a member, at a free port when none is given; resolves with where. */
  async front(to: string, target: Address, at: { host: string; port?: number }): Promise<Address> {
    this.#targets.set(to, target);
    const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (client) => void this.#accept(client, to));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(at.port ?? 0, at.host, resolve);
    });
    this.#fronts.push(server);
    return { host: at.host, port: (server.address() as { port: number }).port };
  }

  /** A line for one client only, which is told its port: no front is needed. The target may come later, with `retarget`. */
  direct(from: string, to: string): Promise<TcpProxy> {
    this.#targets.set(to, { host: '127.0.0.1', port: 1 });
    return this.between(from, to);
  }

  /** The line that a member's connections to another take: those there are and those to come. */
  between(from: string, to: string): Promise<TcpProxy> {
    const name = `${from}>${to}`;
    const known = this.#lines.get(name);
    if (known !== undefined) return known;
    const target = this.#targets.get(to);
    if (target === undefined) throw new Error(`nothing stands in front of ${to}`);
    const line = startTcpProxy({ targetHost: target.host, targetPort: target.port });
    this.#lines.set(name, line);
    return line;
  }

  /** How many connections there are from one to the other. */
  async connections(from: string, to: string): Promise<number> {
    return (await this.between(from, to)).connections;
  }

  /** Mends whatever was done to any line. */
  async mendAll(): Promise<void> {
    for (const line of await Promise.all(this.#lines.values())) {
      line.mend();
      line.shape({});
      line.release();
    }
  }

  async close(): Promise<void> {
    for (const server of this.#fronts) server.close();
    await Promise.all((await Promise.all(this.#lines.values())).map((line) => line.close()));
  }

  async #accept(client: Socket, to: string): Promise<void> {
    client.on('error', () => undefined);
    const line = await this.between(ownerOf(client) ?? 'somebody', to);
    const onward = tcpConnect({ port: line.port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    client.setNoDelay(true);
    const pair = [client, onward];
    const reset = (): void => {
      for (const socket of pair) if (!socket.destroyed) socket.resetAndDestroy();
    };
    for (const socket of pair) {
      socket.on('error', reset);
      socket.on('close', () => socket.errored !== null && reset());
    }
    client.pipe(onward);
    onward.pipe(client);
  }
}

/** The name of the folder in which the process runs that holds the other end of a connection from this machine. */
function ownerOf({ remotePort, localPort }: Socket): string | undefined {
  if (remotePort === undefined || localPort === undefined) return undefined;
  const inode = inodeOf(remotePort, localPort);
  if (inode === undefined) return undefined;
  for (const pid of childrenOf(process.pid)) {
    try {
      const holdsIt = readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
      if (holdsIt) return basename(readlinkSync(`/proc/${pid}/cwd`));
    } catch {
      // It has ended meanwhile.
    }
  }
  return undefined;
}

const linkOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
};

/** The socket that goes from one port to another, from the kernel's tables (proc(5)): local address, remote address, …, inode. */
function inodeOf(from: number, to: number): string | undefined {
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'latin1').split('\n')) {
      const cells = line.trim().split(/\s+/);
      if (portOf(cells[1]) === from && portOf(cells[2]) === to) return cells[9];
    }
  }
  return undefined;
}

const portOf = (address: string | undefined): number => Number.parseInt(address?.split(':')[1] ?? '', 16);

/** Every thread of a process lists the children it began. */
const childrenOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'latin1').split(' ').filter(Boolean));
