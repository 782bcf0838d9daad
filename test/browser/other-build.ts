import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../support/server-process.ts';

// The app's source built over something else than what is shipped, and served in the place of the shipped one, from a port of its own: a page that a browser is
// given in any other way than over a connection counts as one of the wide web, and may not call this machine. Everything but the app's own files comes from the
// real server, and the real server's headers, its policy among them, are on the page.

const root = join(import.meta.dirname, '../..');
const types: Readonly<Record<string, string>> = { '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' };

/** Builds the app over React itself; answers the folder. */
export async function buildOverReact(): Promise<string> {
  const folder = join(await temporaryFolder(), 'react');
  const args = [join(root, 'node_modules/vite/bin/vite.js'), 'build', join(root, 'packages/web'), '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'];
  await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, NODE_ENV: 'production', PARLANCE_UI: 'react' } });
  return folder;
}

export interface OtherServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves the app of the folder in front of the server at `target`. */
export async function serveBefore(target: string, folder: string): Promise<OtherServer> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const ask = ({ method, url, headers }: IncomingMessage) => request({ hostname, port, method, path: url, headers });

  const server = createServer((asked, answer) => {
    const { pathname } = new URL(asked.url!, target);
    const file = join(folder, pathname);
    if (pathname.startsWith('/assets/')) {
      if (!existsSync(file)) return void answer.writeHead(404).end();
      return void answer.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
    }
    const passed = ask(asked);
    passed.on('error', () => answer.destroy());
    passed.on('response', (response) => {
      const { 'content-length': _, 'content-encoding': __, etag: ___, ...headers } = response.headers;
      if (pathname.startsWith('/v1/')) {
        answer.writeHead(response.statusCode!, response.headers);
        response.pipe(answer);
      } else {
        answer.writeHead(200, headers).end(readFileSync(join(folder, 'index.html')));
        response.resume();
      }
    });
    asked.pipe(passed);
  });
  // The live connection: the two ends are joined, and what they say is theirs.
  server.on('upgrade', ({ method, url, rawHeaders }: IncomingMessage, near: Socket, first: Buffer) => {
    const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : []));
    const far = connect(Number(port), hostname);
    far.write(`${[`${method} ${url} HTTP/1.1`, ...lines].join('\r\n')}\r\n\r\n`);
    far.write(first);
    near.pipe(far).pipe(near);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
