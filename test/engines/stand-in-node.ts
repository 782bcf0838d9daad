import { createServer as createHttpServer, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { WebSocketServer } from 'ws';
import type { ProxiedNode } from '../../deploy/local/haproxy.ts';

// What HAProxy sees of a node: HTTP with /readyz, a live socket at /v1/live, and an agent port. Everything it says is set by the test.

export interface StandInNode extends ProxiedNode {
  agentPort: number;
  name: string;
  isReady: boolean;
  /** The line of its agent. */
  agent: string;
  /** Requests it got, without those for /readyz. */
  readonly requests: { method: string; url: string; headers: IncomingHttpHeaders }[];
  /** Live sockets open now. */
  readonly sockets: number;
  /** Cuts the connection of the next request after reading it, without an answer. */
  failNext(): void;
  /** From now on it takes requests and answers none. */
  isHanging: boolean;
  close(): Promise<void>;
}

export async function startStandInNode(name: string): Promise<StandInNode> {
  let isFailing = false;
  const http = createHttpServer((request, response) => {
    if (request.url === '/readyz') return void response.writeHead(node.isReady ? 200 : 503).end();
    const { method = '', url = '', headers } = request;
    node.requests.push({ method, url, headers });
    if (isFailing) {
      isFailing = false;
      return void request.socket.destroy();
    }
    if (node.isHanging) return;
    request.resume().on('end', () => response.end(name));
  });
  const live = new WebSocketServer({ server: http, path: '/v1/live' });
  live.on('connection', (socket) => {
    socket.send(name);
    socket.on('message', (text) => socket.send(`${name} heard ${text}`));
  });
  const agent = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(`${node.agent}\n`);
  });
  await Promise.all([listen(http), listen(agent)]);
  const node: StandInNode = {
    name,
    isReady: true,
    isHanging: false,
    agent: 'ready up 100%',
    address: `127.0.0.1:${portOf(http)}`,
    agentPort: portOf(agent),
    requests: [],
    get sockets() {
      return live.clients.size;
    },
    failNext() {
      isFailing = true;
    },
    async close() {
      for (const socket of live.clients) socket.terminate();
      live.close();
      http.closeAllConnections();
      await Promise.all([http, agent].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
  return node;
}

const listen = (server: Server): Promise<void> => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
